"""The command `tandem demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tandem.city import generator
from tandem.contract import BANK, COORDINATOR
from tandem.contract.words import language_of
from tandem.demo import study
from tandem.demo.processes import run, unwind_on_signals
from tandem.demo.site import Settings, make_folder
from tandem.errors import InputError
from tandem.node import disk


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path("tandem-demo"),
    bank: Annotated[Path | None, typer.Option(help="Bank's CSV or Parquet instead of made-up data; needs --telco, --id, --label.")] = None,
    telco: Annotated[Path | None, typer.Option(help="The telco's CSV or Parquet.")] = None,
    id_column: Annotated[str, typer.Option("--id", help="Column of the identifier, in both files.")] = "phone",
    label: Annotated[str, typer.Option(help="The bank's column with the two-valued label.")] = "activated",
    positive: Annotated[str | None, typer.Option(help="The label value that counts as 1, if it is not 0/1, no/yes or the like.")] = None,
    identifier: Annotated[str, typer.Option(help="Form of identifier: phone, sha256, md5, sm3 or text.")] = "phone",
    drop: Annotated[list[str] | None, typer.Option(help="Column of the bank's file to leave out; may be repeated.")] = None,
    people: Annotated[int, typer.Option(help="People in the made-up city.", min=2000, max=5_000_000)] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the made-up city.")] = 1,
    passes: Annotated[int, typer.Option(help="Training passes.", min=1, max=4)] = 3,
    key_bits: Annotated[int, typer.Option(help="Length of the Paillier key.")] = 3072,
    grain: Annotated[str, typer.Option(help="Noise on training scores, log-odds.")] = "1/4",
    card_step: Annotated[int, typer.Option(help="Card points are multiples of it.", min=1, max=20)] = 1,
    solver: Annotated[str, typer.Option(help="coordinator; or bank: two parties, unchecked.")] = COORDINATOR,
    weights: Annotated[str, typer.Option(help="blind; or open: the telco holds its points, and what they say of labels.")] = "blind",
    ridge: Annotated[str, typer.Option(help="Penalty on coefficients; or auto: chosen in the first pass.")] = "1",
    se: Annotated[str, typer.Option(help="Standard errors: approximate; or exact: one more session.")] = "approximate",
    workers: Annotated[int, typer.Option(help="Worker processes of bank and telco each.", min=1, max=256)] = 2,
    lang: Annotated[str, typer.Option(help="Language of tables and report: en or zh.")] = "en",
    force: Annotated[bool, typer.Option("--force", help="Make the folder of an earlier demo anew.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Run bank, telco and coordinator on this machine, from two files to a report.

    Examples: tandem demo                            (made-up data, 20 000 people)

    tandem demo --bank bank.csv --telco telco.csv --id phone --label label --out DIR
    """
    if (bank is None) != (telco is None):
        raise InputError("--bank and --telco go together: give both files, or neither for made-up data")
    unwind_on_signals()
    console = Console(soft_wrap=True)  # paths stay whole, to be copied
    make_folder(out, force=force)
    synthetic = bank is None
    if bank is None or telco is None:
        console.print(f"making a city of {people} people (synthetic data, seed {seed})")
        disk.make_private_folder(out / "city")
        bank, telco = generator.write(out / "city", people, seed)
        label, id_column = "activated", "phone"
    settings = Settings(
        out=out, bank={"source": str(bank.absolute()), "id": id_column, "drop": drop or []},
        telco={"source": str(telco.absolute()), "id": id_column}, label=label, positive=positive, identifier=identifier, passes=passes,
        key_bits=key_bits, grain=grain, card_step=card_step, solver=solver, weights=weights, ridge=ridge, se=se, workers=workers,
        lang=language_of(lang), synthetic=synthetic,
    )
    study.train(settings, console)
    run("bank", "report", str(out / BANK / "study.toml"), "--rehearsal", str(out / BANK / "out" / "rehearsal.json"))
    for name in ("report.html", "result.json"):
        disk.write(out / name, (out / BANK / "out" / name).read_bytes())
    console.print(f"report: {out / 'report.html'}   figures: {out / 'result.json'}   ledgers: {out}/*/ledger.sqlite")
