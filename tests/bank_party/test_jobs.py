"""A job at the bank: begun once, gone on with, or begun afresh; who is waited for, and for how long."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pytest
from contracts import unsigned

from bank_party import jobs
from bank_party.jobs import Job, Kept, fingerprint
from tandem.align.identifiers import normalise
from tandem.errors import InputError, PeerLost, PeerRefused
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.checkpoints import Checkpoints
from tandem.node.ledger_store import Ledger
from tandem.tables import Table

CONTRACT = unsigned()


@dataclass(frozen=True)
class Result:
    value: float


@pytest.fixture
def bank(tmp_path):
    """Return a function that opens the job, as a new process does."""
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        def opened(purpose="train", inputs=b"inputs", reconnect=0.0, tell=lambda _: None, **how):
            store = Checkpoints(Kept, ledger, bytes(32), System())
            return Job.open(store, CONTRACT, purpose, inputs, System(), reconnect, tell, **how)

        yield opened


def step(job, name, *outcomes):
    """Play a step whose attempts go as told: errors, then a result. Return the result and the attempt numbers."""
    attempts, due = [], list(outcomes)

    async def play(attempt):
        attempts.append(attempt)
        outcome = due.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return asyncio.run(job.step(name, Result, play)), attempts


def test_a_step_is_played_once_and_then_known(bank):
    job = bank()
    assert step(job, "align", Result(0.1)) == (Result(0.1), [1])
    assert step(job, "align") == (Result(0.1), [])
    again = bank()
    assert (again.id, again.resumed) == (job.id, ("align",))
    assert step(again, "align") == (Result(0.1), [])
    assert set(again.seconds) == {"align"}
    assert step(again, "pass_1", Result(0.2)) == (Result(0.2), [2])  # no attempt number is used twice


def test_the_blinds_are_the_jobs_and_no_others(bank):
    job = bank()
    assert job.blinds.draw(32) == bank().blinds.draw(32)
    assert bank(afresh=True).blinds.draw(32) != job.blinds.draw(32)


def test_afresh_another_purpose_and_an_end_begin_a_new_job(bank):
    ids = []
    for how in ({}, {"afresh": True}, {"purpose": "describe"}):
        job = bank(**how)
        assert job.resumed == ()
        ids.append(job.id)
        step(job, "align", Result(1.0))
    job.end()
    ids.append(bank(purpose="describe").id)
    assert len(set(ids)) == 4


def test_other_inputs_are_refused_once_a_step_is_done(bank):
    first = bank(inputs=b"one")
    second = bank(inputs=b"two")  # nothing was done: nothing is lost
    assert second.id != first.id
    step(second, "align", Result(1.0))
    with pytest.raises(InputError, match="--afresh"):
        bank(inputs=b"one")
    assert bank(inputs=b"two").id == second.id


def test_lost_peers_are_called_again_ever_more_slowly_and_told_of_once(bank, monkeypatch):
    pauses, told, now = [], [], [0.0]

    async def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(jobs.asyncio, "sleep", sleep)
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    lost = PeerLost("the telco cannot be reached")
    job = bank(reconnect=600.0, tell=told.append)
    assert step(job, "align", *[lost] * 8, Result(1.0)) == (Result(1.0), list(range(1, 10)))
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert len(told) == 1
    assert told[0].startswith("the telco cannot be reached (calling again until ")
    now[0] = 0.0
    pauses.clear()
    with pytest.raises(PeerLost, match=r"cannot be reached \(what is done is kept: run the same command again"):
        step(bank(reconnect=600.0), "pass_1", *[lost] * 100)
    assert sum(pauses) == now[0] == 600.0


def test_ten_minutes_count_from_the_loss_of_the_line_not_from_the_first_loss_of_all(bank, monkeypatch):
    now = [0.0]

    async def sleep(seconds):
        now[0] += seconds
        if now[0] > 60:
            job.heard(type("Seen", (), {"sent": False}))

    monkeypatch.setattr(jobs.asyncio, "sleep", sleep)
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    job = bank(reconnect=100.0)
    assert step(job, "align", *[PeerLost("gone")] * 200, Result(1.0))[0] == Result(1.0)
    assert now[0] > 150


def test_a_refusal_ends_the_study_at_once(bank):
    job = bank(reconnect=600.0)
    with pytest.raises(PeerRefused):
        step(job, "align", PeerRefused("the telco refused"), Result(1.0))
    assert bank().id == job.id


def table(ids=("a", "b"), n=(1.0, 2.0), t=("x", None)):
    return Table(list(ids), {"n": np.array(n), "t": np.array(t, dtype=object)})


def test_every_cell_counts_in_a_fingerprint():
    def of(made, *others):
        return fingerprint(normalise(made.ids, "text"), made, *others)

    labels = np.array([0, 1], dtype=np.uint8)
    prints = [
        of(table(), labels), of(table(ids=("a", "c")), labels), of(table(n=(1.0, 2.5)), labels), of(table(t=("x", "y")), labels),
        of(table(t=("x", "")), labels), of(table(), 1 - labels), of(table(), labels, "choice"),
    ]
    assert len(set(prints)) == len(prints)
    assert of(table(), labels) == prints[0]


def test_two_commands_of_one_bank_do_not_work_under_one_contract_at_once(tmp_path):
    path = tmp_path / "lock"
    other = f"from pathlib import Path; from tandem.node import disk\nwith disk.alone(Path({str(path)!r})): print('in')"
    with disk.alone(path):
        assert path.stat().st_mode & 0o077 == 0
        with pytest.raises(InputError, match="another command is at work on the same contract"), disk.alone(path):
            pytest.fail("the lock was given twice")
        done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False, env=dict(os.environ))
        assert "InputError" in done.stderr
    with disk.alone(path):
        pass
