"""What must not be in a coordinator's view: identifiers and column names of a study that two nodes and a bank play over TLS."""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attacks import c01_rows
from three_parties import make_site, run_study, serving, tables

from attacked.label_trials import SMALL_KEY
from attacked.results import Result, Size, rate
from attacked.trainings import COORDINATOR, Training, made
from attacked.views import Recorder, View
from tandem.tables import CodedTable
from tandem.train import summer


def _planted() -> list[str]:
    """Return every identifier and every name of a column, of both parties."""
    both = [list(csv.reader(io.StringIO(text))) for text in tables()]
    names = {name for table in both for name in table[0] if len(name) > 3}
    return [*sorted(names), *sorted({row[0] for table in both for row in table[1:]})]


def _forms(text: str) -> list[bytes]:
    """Return the string as it is, in hex and base64, and hashed without a key."""
    data = text.encode()
    digests = [hashlib.sha256(data).digest(), hashlib.md5(data, usedforsecurity=False).digest()]
    return [data, data.hex().encode(), base64.b64encode(data).rstrip(b"="), *digests, *(one.hex().encode() for one in digests)]


@cache
def _coordinators_view() -> View:
    async def played(root: Path) -> View:
        site = make_site(root)
        site.keep_key()
        recorder = Recorder()
        tap = recorder.tap(COORDINATOR)
        async with serving(site) as nodes:
            async with nodes.bank() as conductor:
                await run_study(site, conductor)
            for party, seen in nodes.frames:
                if party == "coordinator":
                    tap(seen)
        return recorder.view(COORDINATOR)

    with TemporaryDirectory() as folder:
        return asyncio.run(played(Path(folder)))


def in_a_real_study(_: Size) -> Result:
    """C1: planted strings in all that a coordinator's node heard and said."""
    view, planted = _coordinators_view(), _planted()
    if not any(view.frames("Opened", sent=False)):
        raise RuntimeError("the coordinator saw no pass: there was nothing to search")
    return rate("planted strings found", c01_rows.found_in(view, [_forms(text) for text in planted]), len(planted))


def with_names(_: Size) -> Result:
    """C1 where variables go by their columns' names: the search must find each."""
    names = [name for name in _planted() if not name.startswith("p0")][:3]
    study: Training = made(400, SMALL_KEY, 112, passes=1)
    outlines = tuple(replace(one, alias=name) for one, name in zip(study.coded.outlines, names, strict=True))
    table = CodedTable(study.coded.table.codes, study.coded.table.bins, tuple(names))
    study.coded = summer.Coded(table, outlines, study.coded.pairs)
    study.train()
    return rate("planted strings found", c01_rows.found_in(study.coordinator, [_forms(name) for name in names]), len(names))
