"""`tandem telco exposure`: how many rows a contract's scores would give away, tried on the telco's own table before it signs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table as Screen

from tandem.arguments import Chance
from tandem.contract import Contract, loads
from tandem.contract.words import language_of
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.config import read
from tandem.tables import Table
from tandem.train import exposure
from tandem.train.exposure import Exposure, Told
from telco_party import bins, cards, tables
from telco_party.config import TelcoConfig

_TEXTS = {
    "en": ("what the bank has", "rows whose bins it finds", "no score", "what it is told", "and how common rows are elsewhere",
           "largest share allowed (max_exposure)"),
    "zh": ("银行所掌握的", "能还原其分箱的行", "没有分数", "合约告知的分数", "并知道各种行在别处有多常见",
           "允许的最大比例（max_exposure）"),
}


def predict(contract: Contract, table: Table, models: Path, chance: Chance) -> Exposure:
    """Return what share of the table's rows the contract's scores would expose; a bar is shown. Raises InputError, ContractError."""
    few = exposure.ATTACKED + exposure.TAUGHT
    rows = np.arange(table.rows)
    if table.rows > few:
        rows = np.sort(np.argsort(np.frombuffer(chance.fork("sample").draw(8 * table.rows), dtype="<u8"))[:few])
    if contract.kind == "scoring":
        cuts = cards.load(models, contract).cuts
        coded = cuts.code(table, rows)
    else:
        cuts, coded = bins.fit(table, rows, contract.layout.bins, contract.layout.min_bin)
    names = {column.name for column in contract.tells}
    told = Told.of(contract, tuple(j for j, name in enumerate(cuts.columns) if name in names))
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), TimeRemainingColumn(), console=console,
        transient=True, disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("decoding scores", total=1.0)
        return exposure.predict(coded, told, chance, lambda share: bar.update(task, completed=share))


def exposure_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The contract or draft, a TOML file.")],
    config: Annotated[Path, typer.Option(help="The node's configuration, TOML.", show_default=True)] = Path("node.toml"),
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Predict the share of your rows whose bins the bank will find from its scores: its attack is played on your own table.

    Example: tandem telco exposure contract.toml --config telco/node.toml
    """
    contract, settings, words = loads(disk.read_text(file), str(file)), read(config, TelcoConfig), _TEXTS[language_of(lang)]
    table = tables.read(settings, settings.section(contract))
    found = predict(contract, table, settings.at(settings.state) / "models", System())
    screen = Screen(box=None, pad_edge=False)
    screen.add_column(words[0])
    screen.add_column(words[1], justify="right")
    for text, share in zip(words[2:5], (found.guess, found.by_bins, found.by_rows), strict=True):
        screen.add_row(text, f"{share:.1%}")
    if contract.layout.exposure_limit < 1:
        screen.add_row(words[5], f"{float(contract.layout.exposure_limit):.1%}")
    Console(highlight=False).print(screen)
    typer.echo(found.sentence(language_of(lang)))
