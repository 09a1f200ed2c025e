"""Attacks on whoever opens, tried (K11)."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import grimp
from attacks.k11_decryption_oracle import answers, rows_as_sums
from loopback_study import Wire, make_study

from attacked.results import Result, Size, rate
from attacked.sealed_sums import key, made
from attacked.views import Seen, View
from attacked.weak import key_at_the_coordinator
from tandem.arguments import Seeded, below
from tandem.errors import TandemError
from tandem.wire.codec import Frame
from tandem.wire.messages import Crossed, Opened

TARGETS = 20
PARTIES = ("telco_party", "coordinator")


def _masks(n: int) -> list[int]:
    chance = Seeded(b"telco's own")
    return [below(chance, n) for _ in range(TARGETS)]


def oracle_weak(_: Size) -> Result:
    """K11: 20 labels of an arbiter who holds the key."""
    world = made(key(512), 60, (4,) * 6, 11, slots=1)
    masks = _masks(world.n)
    view = key_at_the_coordinator.play(world, lambda role: rows_as_sums(role, world.n, range(TARGETS), 1, masks))
    found = answers(view, world.n, masks)
    return rate("labels read", sum(one == other for one, other in zip(found, world.rows[:, 0].tolist(), strict=False)), TARGETS)


def oracle(_: Size) -> Result:
    """K11: the same telco in a whole study: describing, then an honest study's passes and card; nothing that was opened comes to it."""
    hits, sessions = 0, 0
    for cheats in (True, False):
        study, wire = make_study(600, passes=2), Wire()
        n, masks = int(study.secret.public.n), _masks(int(study.secret.public.n))
        study.alter = wire
        if cheats:
            study.corrupt = partial(_cheating, n, masks)
        try:
            study.describe()
            _, known = study.train()
            study.card(known)
        except TandemError:
            if not cheats:
                raise
        view = _view("summer", wire)
        hits += len(answers(view, n, masks))
        width = study.secret.public.plain_width
        opened = [value for kind in (Opened, Crossed) for said in wire.messages(kind) for value in _numbers(said.values, width)]
        heard = b"".join(one.frame for one in view.frames(sent=False))
        hits += sum(value in heard for value in opened)
        sessions += len(opened)
    return rate("opened numbers that come back to the telco", hits, sessions)


def _cheating(n: int, masks: list[int], name: str, _here: object, role: Any) -> Any:
    return rows_as_sums(role, n, range(TARGETS), 1, masks) if name == "summer" else role


def _numbers(data: bytes, width: int) -> list[bytes]:
    return [data[at : at + width] for at in range(0, len(data), width)]


def _view(role: str, wire: Wire) -> View:
    seen = []
    for speaker, listener, data in wire.frames:
        frame = Frame.from_bytes(data)
        if role in (speaker, listener):
            seen.append(Seen(speaker == role, listener if speaker == role else speaker, "", 0, frame.kind, frame.number, data))
    return View(role, tuple(seen))


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph(*PARTIES, "tandem", cache_dir=None)


def importing(_: Size, *, weak: bool = False) -> Result:
    """K11: parties from which a chain of imports leads to the code that opens."""
    graph = _imports()
    if weak:
        for party in PARTIES:
            graph.add_import(importer=f"{party}.main", imported="tandem.crypto.opening")
    try:
        hits = sum(graph.chain_exists(party, "tandem.crypto.opening", as_packages=True) for party in PARTIES)
    finally:
        if weak:
            for party in PARTIES:
                graph.remove_import(importer=f"{party}.main", imported="tandem.crypto.opening")
    return rate("parties that could open", hits, len(PARTIES))


def importing_weak(size: Size) -> Result:
    return importing(size, weak=True)


