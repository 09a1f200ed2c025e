"""The command `tandem demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tandem.city import generator
from tandem.contract import BANK, COORDINATOR
from tandem.contract.words import language_of
from tandem.demo import campaign, study
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
    telco_effect: Annotated[float, typer.Option(help="How much the telco's records tell of the outcome; 0: nothing.", min=0, max=3)] = 1.0,
    study_alone: Annotated[bool, typer.Option("--study", help="Train and score on two made-up files; no campaign.")] = False,  # noqa: FBT002 - a switch
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
    """Run bank, telco and coordinator on this machine: a campaign on a made-up city, or a study on your own two files.

    Examples: tandem demo                            (a campaign, 20 000 made-up people)

    tandem demo --study                              (train and score alone)

    tandem demo --bank bank.csv --telco telco.csv --id phone --label label --out DIR
    """
    if (bank is None) != (telco is None):
        raise InputError("--bank and --telco go together: give both files, or neither for made-up data")
    unwind_on_signals()
    console = Console(soft_wrap=True)  # paths stay whole, to be copied
    make_folder(out, force=force)
    synthetic = bank is None
    city = None
    if bank is None or telco is None:
        console.print(f"making a city of {people} people (synthetic data, seed {seed})")
        label, id_column = "activated", "phone"
        if study_alone:
            disk.make_private_folder(out / "city")
            bank, telco = generator.write(out / "city", people, seed)
        else:
            city = campaign.City.make(out / "city", people, seed, telco_effect)
    if bank is not None and telco is not None:
        own: dict[str, Any] = {"source": str(bank.absolute()), "id": id_column, "drop": drop or []}
        theirs: dict[str, Any] = {"source": str(telco.absolute()), "id": id_column}
    elif city is not None:
        campaign.derive(city, out)
        own, theirs = campaign.tables(city, out)
    settings = Settings(
        out=out, bank=own, telco=theirs, label=label, positive=positive, identifier=identifier, passes=passes,
        key_bits=key_bits, grain=grain, card_step=card_step, solver=solver, weights=weights, ridge=ridge, se=se, workers=workers,
        lang=language_of(lang), synthetic=synthetic,
    )
    if city is not None:
        campaign.run_case(settings, city, console)
        return
    study.train(settings, console)
    run("bank", "report", str(out / BANK / "study.toml"), "--rehearsal", str(out / BANK / "out" / "rehearsal.json"))
    for name in ("report.html", "result.json"):
        disk.write(out / name, (out / BANK / "out" / name).read_bytes())
    console.print(f"report: {out / 'report.html'}   figures: {out / 'result.json'}   ledgers: {out}/*/ledger.sqlite")
