"""The configuration that `tandem init` writes: every field there is, those with a default commented out, each with a word on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from tandem.contract import BANK, COORDINATOR, TELCO, Role

PORTS = {TELCO: 7443, COORDINATOR: 7444}
"""Where telco and coordinator listen unless told otherwise."""
FILL_IN = "FILL IN: "
"""Before what this party has to say itself."""
_COMMENTS = 42
"""Column where comments begin, unless a value is longer."""
_WIDTH = 80
"""Columns of a comment that lists names."""


@dataclass(frozen=True)
class Source:
    """A party's table as far as it is known at the start: its path, the names in its header, identifier and label."""

    file: Path | None = None
    columns: Sequence[str] = ()
    id: str = "phone"
    label: str = "label"

    @property
    def rest(self) -> int:
        """How many columns stand beside identifier and label."""
        return len([name for name in self.columns if name not in {self.id, self.label}])


@dataclass(frozen=True)
class Places:
    """Addresses, host:port: where telco and coordinator are called, and where this party itself listens."""

    telco: str
    coordinator: str
    listen: str = ""


def config_name(role: Role) -> str:
    """Return the name of the configuration file of `role`."""
    return "study.toml" if role == BANK else "node.toml"


def config(role: Role, source: Source, places: Places) -> str:
    """Return the configuration of `role`, valid as it stands once the table's path and columns are right."""
    parts = {BANK: _study, TELCO: _telco, COORDINATOR: _coordinator}[role](source, places)
    head = f"# Configuration of the {role}. Relative paths start at this file; an unknown field is an error.\n"
    head += f"# A line that begins with # shows a default. Look at everything with `tandem doctor {config_name(role)}`.\n"
    return "\n".join([head, *parts])


def _study(source: Source, places: Places) -> list[str]:
    blank = "" if source.label in source.columns else FILL_IN
    return [
        _row('name = "study"', "heads the report"),
        _row('# contract = "contract.toml"', "the signed contract"),
        _row(f"telco = {_quoted(places.telco)}", "where the telco listens"),
        _row(f"coordinator = {_quoted(places.coordinator)}", "where the coordinator listens"),
        _row(f"label = {_quoted(source.label)}", f"{blank}column with two values; not needed to score"),
        _row('# positive = "yes"', "the value that counts as 1, where the file does not use 0/1, no/yes or the like"),
        _row('# coding = "woe"', '"woe", or "numeric" for standardised numbers'),
        _row('# out = "out"', "folder of the results"),
        _row('# model = "out/model.json"', "to score: the model of the training"),
        _row('# results = "results.csv"', "to measure: what came of a campaign"),
        _row("# groups = []", "to measure: names of its groups, in the order to show them in"),
        _row('# earlier = "v1/model.json"', "to train: the version whose coding and choice are carried over"),
        _row("# reconnect = 600.0", "seconds to go on calling a lost peer"),
        _row('# lang = "en"', '"en" or "zh"'),
        _row("# synthetic = false", "the data were made by a program; the report says so"),
        _row('# data_note = ""', "what else the report says of the data"),
        *_NODE,
        *_table(source),
        "",
        _row("# [choice]", "which of the telco's variables stay; the coordinator applies it"),
        _row("# keep = []", "aliases, such as t03; empty for all"),
        _row("# min_iv = 0.0", "0 is no bound, here and below"),
        _row("# max_correlation = 0.0", "keeps the one of higher IV"),
        _row("# max_vif = 0.0", "variance inflation"),
        _row("# monotone = false", "merge bins of ordered variables until the bad rate runs one way"),
        "",
    ]


def _telco(source: Source, places: Places) -> list[str]:
    coordinator = _row(f"coordinator = {_quoted(places.coordinator)}", "where the coordinator listens")
    witness = _row('# witness = "ledger.witness"', "counter of the ledger: on another volume, in no backup of it")
    return [_listen(places), coordinator, _CONTRACTS, *_NODE, witness, *_table(source), *_TABLES, *_BUDGET, ""]


def _coordinator(_: Source, places: Places) -> list[str]:
    return [_listen(places), _CONTRACTS, *_NODE, ""]


def _table(source: Source) -> list[str]:
    file, column = ("" if source.file else FILL_IN), ("" if source.id in source.columns else FILL_IN)
    return [
        "",
        "[table]",
        _row(f"source = {_quoted(str(source.file or 'table.csv'))}", f"{file}CSV, Parquet, DuckDB or postgresql:// URL; a row a person"),
        _row('# query = ""', "DuckDB and PostgreSQL: the SELECT that gives the table"),
        _row('# name = ""', "DuckDB and PostgreSQL, in place of a query: table or view"),
        _row('# encoding = "utf-8"', 'CSV: "utf-8" or "gb18030"'),
        _row(f"id = {_quoted(source.id)}", f"{column}column of the identifier"),
        *(["# The header names:", *_listed(source.columns)] if source.columns else []),
        _row("# columns = {}", "name = kind of the columns to read, and no others: id, label, number, text, date"),
        _row("# numeric = []", "columns that are numbers although they may not look it"),
        _row("# text = []", "columns that look like numbers but are codes"),
        _row("# drop = []", "columns to leave out"),
        _row('# keep = "error"', 'a repeated identifier: "error", or the "first" or "last" row stays'),
        _row("# drop_bad = false", "leave out rows with an empty or malformed identifier"),
    ]


def _listen(places: Places) -> str:
    return _row(f"listen = {_quoted(places.listen)}", "this machine's address and port")


def _listed(names: Sequence[str]) -> list[str]:
    lines = ["#  "]
    for name in names:
        word = f" {_quoted(name)},"
        if len(lines[-1] + word) > _WIDTH:
            lines.append("#  ")
        lines[-1] += word
    lines[-1] = lines[-1].removesuffix(",")
    return lines


def _quoted(text: str) -> str:
    """Return a TOML string on one line, whatever the text holds."""
    return tomli_w.dumps({"x": text}).removeprefix("x = ").strip()


def _row(setting: str, comment: str) -> str:
    return f"{setting:<{_COMMENTS}} # {comment}"


_TABLES = (
    "",
    _row("# [tables.later]", "a further table, for the contracts that it names; fields as above"),
    _row('# source = "later.csv"', "each table is kept in memory of its own"),
    _row('# id = "phone"', "column of the identifier"),
    _row('# contracts = ["00112233"]', "their ids, or the first 8 or more digits"),
)
_BUDGET = (
    "",
    _row("# [budget]", "what one bank may have in a year, over all its contracts"),
    _row("# identifiers = 10000000", "that alignments may ask"),
    _row("# bits = 120", "of scores and told levels, of any one person"),
    _row("# trainings = 12", "measurements count by their label slots alone"),
    _row("# labels = 600", "label slots: one a training, one an outcome of each group of a measurement"),
    _row("# tables = 52", "tables of other people than before"),
    _row("# rosters = 52", "different rosters of which anything is told"),
    _row("# min_bin = 0", "persons by which two rosters must differ, if at all; the contract's where that is larger"),
    _row("# pool = false", "true: all banks count as one"),
    _row("# same = []", 'names of banks that count as one: [["North Bank", "North Cards"]]'),
)
_CONTRACTS = _row('# contracts = "contracts"', "folder of the signed contracts that this node honours, *.toml")
_NODE = (
    _row('# keys = "keys"', "folder of secrets, 0700"),
    _row('# peers = "peers"', "certificates of those we dial, <role>.pem"),
    _row('# state = "state"', "what the node keeps: tags, keys, models"),
    _row('# ledger = "ledger.sqlite"', "the record of every frame and what it disclosed"),
    _row("# workers = 4", "worker processes; the number of cores if not given"),
    _row("# patience = 900.0", "seconds to wait for a peer that says nothing"),
    _row('# log = "text"', 'on stderr: "text", sentences, or "json", events with an allow-list of fields'),
    _row('# metrics = ""', "host:port where Prometheus asks, such as 127.0.0.1:9464; empty for nowhere"),
)
