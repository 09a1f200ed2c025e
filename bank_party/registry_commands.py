"""`tandem bank models add|list|show|promote`: the bank's model versions on the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bank_party import models
from bank_party.config import StudyConfig
from bank_party.records import read_facts
from bank_party.registry import Event, Registry, Told, Version, Window, changed, digest_of
from bank_party.reports.result import SCHEMA
from tandem.contract import Contract, loads
from tandem.contract.words import Language, disclosures, language_of
from tandem.errors import ContractError, InputError
from tandem.ledger.disclosure import sentence
from tandem.ledger.tally import Tally
from tandem.node import disk
from tandem.node.config import read
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import now

app = typer.Typer(name="models", no_args_is_help=True, help="Versions of the bank's models: contract, data, metrics, disclosures, status.")
WIDTH = 80
METRICS = ("auc", "ks", "auc_gain", "auc_gain_p", "verdict", "brier", "holdout_positives")
"""What is taken over from result.json."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")

Home = Annotated[Path, typer.Option(help="The bank's folder, in which registry/ lies.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Lang = Annotated[str, typer.Option(help="en or zh.")]
Name = Annotated[str, typer.Argument(metavar="VERSION", help="As `list` shows it.")]
Why = Annotated[str, typer.Option(help="A word on why, for the history.")]

_WORDS = {
    "en": {
        "heads": ("version", "status", "AUC (95 %)", "over bank only", "matched", "bits", "parent"),
        "gain": "gain", "loss": "loss", "not_shown": "not shown", "added": "version {version} added as a candidate",
        "promoted": "version {version} is the champion", "retires": "; {old} retires", "none": "no version is registered here",
        "told": "told under this contract so far, by the bank's ledger", "bits": "{bits} bits a person", "history": "history",
        "sessions": "sessions: {}",
        "fields": ("status", "contract", "model", "digest", "parent", "as of", "asked", "matched", "trained on", "held out"),
    },
    "zh": {
        "heads": ("版本", "状态", "AUC（95%）", "较仅银行", "匹配", "比特", "上一版本"),
        "gain": "提升", "loss": "下降", "not_shown": "未证明", "added": "版本 {version} 已登记为候选",
        "promoted": "版本 {version} 为当前版本", "retires": "；{old} 退役", "none": "此处没有登记任何版本",
        "told": "本合约下至今告知的内容（据银行账本）", "bits": "每人 {bits} 比特", "history": "历史", "sessions": "会话：{}",
        "fields": ("状态", "合约", "模型", "摘要", "上一版本", "截止日", "查询", "匹配", "训练行", "留出行"),
    },
}


@app.command("add")
def add_command(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study's configuration, TOML, after `tandem bank train`.")],
    version: Annotated[str, typer.Option(help="Its name; v1, v2 and so on if not given.")] = "",
    parent: Annotated[str, typer.Option(help="The version that it follows.")] = "",
    as_of: Annotated[str, typer.Option(help="Day up to which the data were known, such as 2025-10-01.")] = "",
    why: Why = "",
    home: Annotated[Path | None, typer.Option(help="The bank's folder; the study's own if not given.")] = None,
    lang: Lang = "en",
) -> None:
    """Register the model that STUDY ended with as a candidate.

    Example: tandem bank models add bank/study.toml --as-of 2025-10-01 --parent v1
    """
    words = _WORDS[language_of(lang)]
    config = read(study, StudyConfig)
    registry = Registry(config.folder if home is None else home)
    name = version or f"v{len(registry.versions()) + 1}"
    contract, model = _trained(config)
    results = read_facts(config.at(config.out) / "result.json")
    if results.get("schema") != SCHEMA:
        raise InputError(f"{config.at(config.out) / 'result.json'} is of another version: run `tandem bank report {study}`")
    registry.add(Version(
        version=name, study=config.name, contract=contract.digest.hex(), contract_id=contract.id,
        model=os.path.relpath(model, registry.home), digest=digest_of(model), parent=parent, data=_window(results, as_of),
        metrics={metric: results[metric] for metric in METRICS}, told=_told(config, contract),
        words={one: list(disclosures(contract, one).rows) for one in LANGUAGES},
        history=(Event(at=now(), status="candidate", why=why),),
    ))
    Console(highlight=False).print(str(words["added"]).format(version=name), markup=False)


@app.command("list")
def list_command(home: Home = Path(), as_json: Json = False, lang: Lang = "en") -> None:  # noqa: FBT002 - a switch
    """List the versions, and say of each whether its model file is still the one that was registered.

    Example: tandem bank models list --home bank
    """
    words, registry = _WORDS[language_of(lang)], Registry(home)
    versions = registry.versions()
    if as_json:
        typer.echo(json.dumps([_plain(registry, one) for one in versions], ensure_ascii=False, indent=1))
        return
    console = Console(width=WIDTH, highlight=False)
    if not versions:
        console.print(words["none"])
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for at, head in enumerate(words["heads"]):
        table.add_column(head, overflow="fold", justify="right" if at in {4, 5} else "left")
    for one in versions:
        area = one.metrics["auc"]["joint_card"]
        shown = "-" if area is None else f"{area[0]:.4f} ({area[1]:.3f}-{area[2]:.3f})"
        gain = f"{one.metrics['auc_gain'][0]:+.4f} {words.get(one.metrics['verdict'], one.metrics['verdict'])}"
        table.add_row(escape(one.version), one.status, shown, gain, f"{one.data.matched:,}", str(one.bits), escape(one.parent) or "-")
    console.print(table)
    _alarm(console, registry, versions)


@app.command("show")
def show_command(version: Name, home: Home = Path(), as_json: Json = False, lang: Lang = "en") -> None:  # noqa: FBT002 - a switch
    """Show one version whole: contract, data, metrics, what each party learnt, history.

    Example: tandem bank models show v2 --home bank
    """
    language, registry = language_of(lang), Registry(home)
    words, one = _WORDS[language], registry.version(version)
    if as_json:
        typer.echo(json.dumps(_plain(registry, one), ensure_ascii=False, indent=1))
        return
    console = Console(width=WIDTH, highlight=False)
    values = (
        one.status, f"{one.contract_id} ({one.contract[:16]})", one.model, one.digest[:16], one.parent, one.data.as_of, one.data.asked,
        one.data.matched, one.data.train_rows, one.data.holdout_rows,
    )
    table = Table.grid(padding=(0, 2))
    for label, value in zip(words["fields"], values, strict=True):
        table.add_row(label, escape(str(value)) or "-")
    for name, value in _shown(one.metrics):
        table.add_row(name, escape(value))
    console.print(table)
    for who, text in one.words[language]:
        console.print(f"{who}: {text}" if who else text, markup=False)
    console.print(words["told"], style="bold")
    for told in one.told:
        bits = f", {str(words['bits']).format(bits=told.bits)}" if told.bits else ""
        sessions = str(words["sessions"]).format(told.sessions)
        console.print(f"  {told.to}: {sentence(told.what, language)} ({sessions}{bits})", markup=False)
    console.print(words["history"], style="bold")
    for event in one.history:
        console.print(f"  {event.at}  {event.status}  {event.why}", markup=False)
    _alarm(console, registry, [one])


@app.command("promote")
def promote_command(version: Name, home: Home = Path(), why: Why = "", lang: Lang = "en") -> None:
    """Make VERSION the champion; the one before retires. A version whose model file was changed is refused.

    Example: tandem bank models promote v2 --why "better on the June campaign"
    """
    words = _WORDS[language_of(lang)]
    old = Registry(home).promote(version, now(), why)
    told = str(words["promoted"]).format(version=version) + (str(words["retires"]).format(old=old) if old else "")
    Console(highlight=False).print(told, markup=False)


def _trained(config: StudyConfig) -> tuple[Contract, Path]:
    """Return the study's contract, live or not, and its model file. Raises ContractError if the model is of another contract."""
    place, path = config.at(config.contract), config.at(config.out) / "model.json"
    contract = loads(disk.read_text(place), str(place))
    if models.load(path).contract != contract.digest.hex():
        raise ContractError(f"{path} was trained under another contract than {place}: name the contract that it comes from in the study")
    return contract, path


def _window(results: Mapping[str, Any], as_of: str) -> Window:
    """Return what it was trained on. Raises InputError for a day that is none."""
    try:
        day = date.fromisoformat(as_of).isoformat() if as_of else ""
    except ValueError:
        raise InputError(f"--as-of {as_of!r} is no day: write it as 2025-10-01") from None
    sizes = {name: results[name] for name in ("asked", "matched", "train_rows", "holdout_rows")}
    return Window(as_of=day, **sizes)


def _told(config: StudyConfig, contract: Contract) -> list[Told]:
    """Return what the bank's own ledger knows to have been told under the contract."""
    tally = Tally()
    with Ledger(config.ledger_place, read_only=True) as ledger:
        for entry in ledger.entries(contract.digest.hex()):
            tally.add(entry)
    found = tally.told().items()
    return [Told(to=to, what=what, sessions=len(sessions), bits=sum(sessions.values())) for (_, to, what), sessions in found]


def _shown(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of metrics, one a line; an interval stands behind its value, and what was not measured is "-"."""
    for name in METRICS:
        by_model = metrics[name] if isinstance(metrics[name], dict) else {"": metrics[name]}
        for model, value in by_model.items():
            yield f"{name} {model}".rstrip(), _figure(value)


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[0]:.4f} ({value[1]:.4f} - {value[2]:.4f})"
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(registry: Registry, one: Version) -> dict[str, Any]:
    return {**one.model_dump(), "status": one.status, "intact": registry.intact(one)}


def _alarm(console: Console, registry: Registry, versions: list[Version]) -> None:
    """Say loudly which versions' model files are not the registered ones."""
    for one in versions:
        if not registry.intact(one):
            console.print(f"WARNING: version {one.version}: {changed(one)}", style="bold red", markup=False, soft_wrap=True)
