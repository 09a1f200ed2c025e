"""The folders of a demo's parties: keys, certificates, configurations, and contracts that all have signed."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import tomli_w

from tandem.contract import BANK, COORDINATOR, TELCO, Contract, Role, dumps
from tandem.contract.fields import MOMENT
from tandem.contract.words import Language
from tandem.errors import InputError
from tandem.node import disk
from tandem.node.certificates import Party, make_parties
from tandem.node.chance import System
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource
from tandem.node.keys import alignment_key

MARKER = ".tandem-demo"
"""A folder with this file was made by a demo, and a demo may make it anew."""
RUNS = 3
"""Jobs that the contract of a demo's study allows: the demo itself, and two by hand in three terminals."""
FEWEST = 100
"""Matches below which a demo's study stops: made-up data may be few."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a study of the demo is asked for. `bank` and `telco`: the fields of a TableSource, paths absolute."""

    out: Path
    bank: Mapping[str, Any]
    telco: Mapping[str, Any]
    label: str
    positive: str | None = None
    identifier: str = "phone"
    passes: int
    key_bits: int
    grain: str = "1/4"
    card_step: int = 1
    solver: str = COORDINATOR
    weights: str = "blind"
    ridge: str = "1"
    se: str = "approximate"
    workers: int
    lang: Language = "en"
    synthetic: bool


def make_folder(out: Path, *, force: bool) -> None:
    """Make the demo's folder. Raises InputError for one that holds anything, unless an earlier demo made it and `force` is given."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            raise InputError(f"{out} is not empty and no earlier demo made it: choose another folder with --out")
        if not force:
            raise InputError(f"{out} holds an earlier demo: choose another folder with --out, or --force to make it anew")
        shutil.rmtree(out)
    disk.make_private_folder(out)
    disk.write(out / MARKER, b"")


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass(frozen=True)
class Site:
    """All parties of a demo, each in its folder: what three organisations would do one after the other is done here for all."""

    settings: Settings
    parties: Mapping[Role, Party] = field(repr=False)
    addresses: Mapping[Role, str]

    @classmethod
    def make(cls, settings: Settings) -> Self:
        """Make keys and certificates of all parties."""
        ports = {TELCO: free_port(), COORDINATOR: free_port()}
        addresses: dict[Role, str] = {role: f"127.0.0.1:{port}" for role, port in ports.items()}
        return cls(settings, make_parties(settings.out, chance=System()), addresses)

    def contract(
        self, description: str, caps: Mapping[str, int], layout: Mapping[str, Any], variables: int, jobs: int, **more: Any
    ) -> Contract:
        """Return a contract of `jobs` jobs that all have signed; `more`: fields such as kind. The telco's key and number are filled in."""
        settings, start = self.settings, datetime.now(UTC) - timedelta(minutes=5)
        signers: tuple[Role, ...] = (BANK, TELCO) if settings.solver == BANK else (BANK, TELCO, COORDINATOR)
        named: dict[str, Any] = {role: self.parties[role].card.party for role in signers}
        fields: dict[str, Any] = {
            "format": 1, "id": System().draw(16).hex(), "kind": "training", "purpose": "marketing", "description": description,
            "identifier": settings.identifier, "start": start.strftime(MOMENT), "expiry": (start + timedelta(days=30)).strftime(MOMENT),
            **named, "caps": {"trainings": jobs, "disclosure_bits": 10_000, **caps},
            "layout": {"key_bits": settings.key_bits, "solver": settings.solver, "min_matched": FEWEST, **layout}, **more,
        }
        draft = Contract.read(fields, "the demo's contract")
        key = alignment_key(self.parties[TELCO].keys.seed, draft).public.hex()
        bits = {"disclosure_bits": max(1, jobs * draft.job_bits)}
        contract = draft.amended({"telco": {"oprf_key": key, "variables": variables}, "caps": bits})
        for role in contract.roles:
            contract = contract.signed(self.parties[role].keys.signing)
        return contract

    def hand_out(self, contract: Contract, bank: str, others: str) -> None:
        """Put the contract into the bank's folder, and under another name into the folders of approved contracts."""
        text, out = dumps(contract).encode(), self.settings.out
        disk.write(out / BANK / bank, text)
        for role in contract.roles:
            if role != BANK:
                disk.make_private_folder(out / role / "contracts")
                disk.write(out / role / "contracts" / others, text)

    def write_study(self, name: str, contract: str, table: Mapping[str, Any], **more: Any) -> Path:
        """Write a configuration of the bank into its folder, and return its path."""
        settings = self.settings
        study = {
            "name": "demo", "contract": contract, "telco": self.addresses[TELCO], "coordinator": self.addresses[COORDINATOR],
            "lang": settings.lang, "synthetic": settings.synthetic, "workers": settings.workers, "table": dict(table), **more,
        }
        path = settings.out / BANK / name
        disk.write(path, tomli_w.dumps(study).encode())
        return path

    def write_nodes(self, telco: Mapping[str, Any]) -> None:
        """Write the configurations of the nodes; `telco`: its tables."""
        settings = self.settings
        node = {
            "listen": self.addresses[TELCO], "coordinator": self.addresses[COORDINATOR], "workers": settings.workers, **telco,
        }
        disk.write(settings.out / TELCO / "node.toml", tomli_w.dumps(node).encode())
        if settings.solver == COORDINATOR:
            disk.write(settings.out / COORDINATOR / "node.toml", tomli_w.dumps({"listen": self.addresses[COORDINATOR]}).encode())


def prepare(settings: Settings, runs: int = RUNS) -> tuple[Site, Contract]:
    """Make all that a study needs: the parties, a training contract of `runs` jobs signed by all, and each party's folder."""
    site = Site.make(settings)
    own = read_table(TableSource(**settings.bank), label=settings.label)
    theirs = read_table(TableSource(**settings.telco))
    caps = {"identifiers": runs * own.rows, "table": theirs.rows, "roster": min(own.rows, theirs.rows)}
    layout = {
        "bank_columns": len(own.names) - 1, "passes": settings.passes, "grain": settings.grain, "card_step": settings.card_step,
        "weights": settings.weights, "ridge": settings.ridge, "se": settings.se,
    }
    contract = site.contract("Demo on one machine: align, train, score", caps, layout, len(theirs.names), runs)
    site.hand_out(contract, "contract.toml", "study.toml")
    wanted: dict[str, Any] = {"label": settings.label} | ({} if settings.positive is None else {"positive": settings.positive})
    site.write_study("study.toml", "contract.toml", settings.bank, **wanted)
    site.write_nodes({"table": dict(settings.telco)})
    return site, contract
