"""A whole study in one process: small key, seeded chance, three sessions a pass. What the tests of the protocols share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tandem.arguments import Engine, Once, Seeded, unkept
from tandem.crypto.opening import SecretKey
from tandem.engine.serial import Serial
from tandem.score.statement import Here, roster_digest
from tandem.session.loopback import Alter, converse
from tandem.session.script import Script
from tandem.session.session import Session
from tandem.session.tap import Tap, untapped
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Outline
from tandem.train import sealer, solver, summer
from tandem.train.pairs import pair_counts
from tandem.train.script import CARD, DESCRIBE, ERRORS, OPEN, TRAIN, order
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Opening

CONTRACT = bytes(range(32))
BITS = 512


def small_key(bits: int = BITS, seed: bytes = b"key") -> SecretKey:
    """Return a key far too small for anything but tests."""
    return SecretKey.generate(bits, Seeded(seed))


@dataclass
class Study:
    """Rows of both sides in one roster, and how to play the sessions."""

    rows: sealer.Rows
    coded: summer.Coded
    terms: Terms
    secret: SecretKey
    choice: sealer.Choice = field(default_factory=sealer.Choice)
    engine: Engine = field(default_factory=Serial)
    seed: bytes = b"study"
    tap: Tap = untapped
    alter: Alter | None = None
    corrupt: Callable[[str, Here, Any], Any] = lambda _name, _here, role: role
    """(role's name, place, role) -> role: a party that cheats in one thing and is the shipped code in all others."""
    once: Callable[[str], Once] = lambda _script_and_role: unkept
    """What a role asks before it answers, by "train solver" and the like."""
    sign: Callable[[bytes], bytes] = lambda statement: statement[-32:] + bytes(32)
    verify: Callable[[bytes, bytes], bool] = lambda signature, statement: signature == statement[-32:] + bytes(32)

    def chance(self, *label: str | int) -> Seeded:
        return Seeded(self.seed).fork(*label)

    def here(self, stage: int, script: str) -> Here:
        return Here(CONTRACT, self.chance("session", script, stage).draw(16), roster_digest(np.arange(self.rows.count)), stage)

    def play(self, script: Script, here: Here, roles: dict[str, Any]) -> dict[str, Any]:
        script = OPEN.get(script.name, script) if self.terms.open_weights else script
        opening = Opening("test", script.name, here.stage, ("rows",), (self.rows.count,), here.roster)
        sessions = {
            name: (Session(script, name, CONTRACT, here.session, opening, self.tap), self.corrupt(name, here, role))
            for name, role in roles.items()
        }
        return converse(sessions, self.alter)

    def describe(self) -> dict[str, Any]:
        here = self.here(0, "describe")
        return self.play(DESCRIBE, here, {
            "sealer": sealer.describe(self.secret, self.rows, self.choice, self.terms, self.engine, self.chance("sealer")),
            "summer": summer.describe(self.coded, self.terms, self.engine, self.chance("summer")),
            "solver": solver.describe(self.rows.count, self.terms, self.once("describe solver")),
        })

    def train(self, ridge: float = 1.0) -> tuple[sealer.Progress, solver.Known]:
        progress, known = sealer.begin(self.rows, ridge), solver.Known()
        for stage in range(1, self.terms.passes + 1):
            here = self.here(stage, "train")
            secrets = summer.Secrets(self.chance("summer", stage), self.chance("kept"))
            results = self.play(TRAIN, here, {
                "sealer": sealer.train(
                    self.secret, self.rows, progress, self.choice, self.terms, self.engine, self.chance("sealer", stage),
                    last=stage == self.terms.passes,
                ),
                "summer": summer.train(self.coded, here, self.terms, self.verify, self.engine, secrets, self.once("train summer")),
                "solver": solver.train(
                    known, here, self.rows.count, self.terms, self.sign, self.chance("solver"), self.once("train solver")
                ),
            })
            progress, known = results["sealer"], results["solver"]
        return progress, known

    def errors(self, progress: sealer.Progress, known: solver.Known) -> solver.Known:
        here = self.here(self.terms.passes + 1, "errors")
        results = self.play(ERRORS, here, {
            "sealer": sealer.errors(self.secret, self.rows, progress, self.terms, self.engine, self.chance("sealer", "errors")),
            "summer": summer.errors(self.coded, self.terms, self.engine, self.chance("summer", "errors")),
            "solver": solver.errors(known, self.rows.count, self.terms, self.chance("solver", "errors")),
        })
        return results["solver"]

    def card(self, known: solver.Known) -> dict[str, Any]:
        here = self.here(len(order(self.terms)), "card")
        secrets = summer.Secrets(self.chance("summer", "card"), self.chance("kept"))
        return self.play(CARD, here, {
            "sealer": sealer.card(self.secret, self.rows, self.terms, self.engine),
            "summer": summer.card(self.coded, here, self.terms, self.verify, self.engine, secrets, self.once("card summer")),
            "solver": solver.card(known, here, self.terms, self.sign, self.chance("solver")),
        })


def make_study(count: int = 4000, seed: int = 1, bits: int = BITS, **terms: Any) -> Study:
    """Return a study on made-up rows whose label depends on both sides."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(count, 3)).clip(-4, 4)
    bins = (5, 4, 3)
    codes = np.column_stack([rng.integers(0, b, size=count) for b in bins]).astype(np.uint8)
    effect = codes @ np.array([0.5, -0.4, 0.3])
    y = (rng.random(count) < 1 / (1 + np.exp(-(own @ np.array([0.6, -0.5, 0.1]) + effect - effect.mean() - 0.8)))).astype(np.int64)
    train = rng.random(count) < 0.7
    x = np.column_stack((np.ones(count), own))
    outlines = tuple(Outline(f"t{j + 1:02}", b, b, missing=False, rest=False) for j, b in enumerate(bins))
    table = CodedTable(codes, bins, tuple(o.alias for o in outlines))
    plan = Terms(CONTRACT, columns=3, variables=3, rows=1 << 13, key_bits=bits, **terms)
    coded = summer.Coded(table, outlines, summer.fit_to_tell(pair_counts(codes, bins), plan.min_bin))
    return Study(sealer.Rows(x, y, train), coded, plan, small_key(bits))


def tampered(role: Any, said: Callable[[Any], Any] = lambda m: m, heard: Callable[[Any], Any] = lambda m: m) -> Any:
    """Play `role` with every message that it says or hears changed on its way."""
    answer = None
    while True:
        try:
            wanted = role.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = yield wanted if isinstance(wanted, type) else said(wanted)
        answer = None if answer is None else heard(answer)


class Wire:
    """An Alter that changes nothing and keeps (speaker, listener, frame) of everything."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, str, bytes]] = []

    def __call__(self, speaker: str, listener: str, frame: bytes) -> bytes:
        self.frames.append((speaker, listener, frame))
        return frame

    def view(self, role: str) -> list[tuple[str, str, str, int]]:
        """Return (speaker, listener, kind, length) of every frame that `role` said or heard."""
        return [(a, b, Frame.from_bytes(data).kind, len(data)) for a, b, data in self.frames if role in (a, b)]

    def messages(self, kind: type[Any]) -> list[Any]:
        """Return the messages of one kind, in order."""
        read = (Frame.from_bytes(data) for _, _, data in self.frames)
        return [decode(kind, frame.payload) for frame in read if frame.kind == kind.__name__]


__all__ = ["BITS", "CONTRACT", "Study", "Wire", "make_study", "replace", "small_key", "tampered"]
