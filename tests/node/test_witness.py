"""A ledger older than its witness is refused; a crash between the two locks nobody out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import count

import pytest
from postgres_server import SCHEMA, url

from tandem.errors import Enumeration, InputError, RolledBack
from tandem.ledger.chain import Entry
from tandem.node import disk
from tandem.node.ledger_database import place_of
from tandem.node.ledger_store import Ledger
from tandem.node.postgres import Connection, Server
from tandem.node.witness import Witness

NUMBERS = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request, tmp_path):
    """Give a place for a ledger, in either kind of database."""
    if request.param == "sqlite":
        yield tmp_path / "ledger.sqlite"
        return
    schema = f"{SCHEMA}_witness_{next(NUMBERS)}"
    yield place_of(url(schema=schema))
    with Connection(Server.parse(url())) as session:
        session.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def entry():
    return Entry("2027-02-01T00:00:00Z", "ab" * 32, "cd" * 16, "sent", "bank", "train", "Scores", 100, "ef" * 32, ())


def spend(place, witness, amount=1):
    with Ledger(place, witness=witness) as ledger:
        return ledger.use("aa", "identifiers", amount, 100)


def copy(place, aside):
    with Ledger(place) as ledger, ledger.snapshot() as database:
        database.execute("SELECT 1")
    shutil.copy(place, aside)


def put_back(aside, place):
    for old in place.parent.glob(f"{place.name}-*"):
        old.unlink()
    shutil.copy(aside, place)


@pytest.fixture
def witness(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return Witness(tmp_path / "elsewhere" / "witness")


def test_every_step_is_counted_and_reading_and_frames_are_none(anywhere, witness):
    with Ledger(anywhere, witness=witness) as ledger:
        ledger.use("aa", "identifiers", 1, 100)
        seen = witness.seen
        for _ in range(3):
            ledger.append(entry())
            ledger.used("aa", "identifiers")
            with ledger.together() as database:
                database.execute("SELECT * FROM used").fetchall()
        assert witness.seen == seen
        with ledger.together():
            ledger.use("aa", "bits", 1, 100)
            ledger.use("aa", "jobs", 1, 100)
        assert witness.seen == seen + 1
        with pytest.raises(Enumeration):
            ledger.use("aa", "identifiers", 100, 100)
        assert witness.seen == seen + 1
    assert spend(anywhere, witness) == 2


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_an_older_copy_is_refused_at_the_start_by_however_few_steps(tmp_path, witness, steps):
    place, aside = tmp_path / "ledger.sqlite", tmp_path / "backup"
    spend(place, witness)
    copy(place, aside)
    for _ in range(steps):
        spend(place, witness)
    put_back(aside, place)
    with pytest.raises(RolledBack, match=r"is an older copy: it stands at step 2, .*budget recover"):
        Ledger(place, witness=witness)
    with Ledger(place) as unseen:
        assert unseen.used("aa", "identifiers") == 1, "without its witness nobody would notice"


def test_what_is_rolled_back_under_a_running_node_is_refused_at_the_next_use(anywhere, witness):
    with Ledger(anywhere, witness=witness) as ledger:
        ledger.use("aa", "identifiers", 60, 100)
        ledger.use("aa", "identifiers", 30, 100)
        with Ledger(anywhere) as restored, restored.together() as database:
            database.execute("UPDATE used SET amount = 60")
            database.execute("UPDATE witnessed SET number = number - 1")
        with pytest.raises(RolledBack, match="older copy"):
            ledger.use("aa", "identifiers", 30, 100)
        with pytest.raises(RolledBack), ledger.together():
            raise AssertionError("nothing is begun over an older ledger")


@pytest.mark.parametrize("fault", ["another ledger", "no ledger", "no witness", "damaged", "a copy from before there was a witness"])
def test_ledger_and_witness_that_do_not_belong_together_are_refused(tmp_path, witness, fault):
    place = tmp_path / "ledger.sqlite"
    spend(place, witness)
    if fault == "another ledger":
        other = tmp_path / "other.sqlite"
        spend(other, Witness(tmp_path / "other.witness"))
        shutil.copy(other, place)
    elif fault == "no ledger":
        place.unlink()
    elif fault == "no witness":
        witness.path.unlink()
    elif fault == "damaged":
        disk.write(witness.path, b"tandem-witness-1 00\n")
    else:
        place.unlink()
        Ledger(place).close()
    with pytest.raises(RolledBack):
        Ledger(place, witness=witness)


def test_a_witness_that_others_may_change_is_none(tmp_path, witness):
    spend(tmp_path / "ledger.sqlite", witness)
    witness.path.chmod(0o666)
    with pytest.raises(InputError, match="can be read or changed by others"):
        Ledger(tmp_path / "ledger.sqlite", witness=witness)


DIES = """
import os, sys
from pathlib import Path
from tandem.node.ledger_store import Ledger
from tandem.node.witness import Witness
place, path, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
die = lambda *_: os._exit(9)
witness = Witness(path)
if where == "first":
    begin = Witness.begin
    Witness.begin = lambda self, mark: (begin(self, mark), die())
ledger = Ledger(place, witness=witness)
if where == "before the witness":
    Witness.begin = die
if where == "before the commit":
    begin = Witness.begin
    Witness.begin = lambda self, mark: (begin(self, mark), die())
if where == "after the commit":
    Witness.end = die
ledger.use("aa", "identifiers", 10, 100)
"""


@pytest.mark.parametrize(("where", "used"), [("first", 0), ("before the witness", 0), ("before the commit", 0), ("after the commit", 10)])
def test_a_node_killed_between_witness_and_ledger_goes_on(tmp_path, witness, where, used):
    place = tmp_path / "ledger.sqlite"
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", DIES, place, witness.path, where], env=os.environ, check=False)
        assert run.returncode == 9
    assert spend(place, witness, 1) == 2 * used + 1
    assert spend(place, witness, 1) == 2 * used + 2


def test_after_a_kill_and_a_new_step_the_copy_from_before_is_still_refused(tmp_path, witness):
    place, aside = tmp_path / "ledger.sqlite", tmp_path / "backup"
    spend(place, witness)
    copy(place, aside)
    subprocess.run([sys.executable, "-c", DIES, place, witness.path, "after the commit"], env=os.environ, check=False)
    spend(place, witness)
    put_back(aside, place)
    with pytest.raises(RolledBack):
        Ledger(place, witness=witness)


def test_two_nodes_on_one_ledger_have_a_witness_each(anywhere, tmp_path, witness):
    with Ledger(anywhere, witness=witness) as one:
        one.use("aa", "identifiers", 1, 100)
        other = Witness(tmp_path / "second")
        shutil.copy(witness.path, other.path)
        with Ledger(anywhere, witness=other) as two:
            for _ in range(3):
                one.use("aa", "identifiers", 1, 100)
                two.use("aa", "identifiers", 1, 100)
            assert two.used("aa", "identifiers") == 7
    assert (witness.seen, other.seen) == (7, 8)


def test_a_lost_ledger_goes_on_under_another_name_and_the_old_copies_are_refused_then(tmp_path, witness):
    place, aside = tmp_path / "ledger.sqlite", tmp_path / "backup"
    spend(place, witness)
    copy(place, aside)
    spend(place, witness)
    put_back(aside, place)
    with Ledger(place) as ledger:
        ledger.adopt(witness)
    assert spend(place, witness) == 2
    put_back(aside, place)
    with pytest.raises(RolledBack, match="is another than"):
        Ledger(place, witness=witness)


def test_a_disk_that_cannot_hold_the_witness_commits_nothing(tmp_path, witness, monkeypatch):
    place = tmp_path / "ledger.sqlite"
    with Ledger(place, witness=witness) as ledger:
        def full(self, mark):
            raise InputError("the disk is full")

        monkeypatch.setattr(Witness, "begin", full)
        with pytest.raises(InputError, match="full"):
            ledger.use("aa", "identifiers", 1, 100)
        monkeypatch.undo()
        assert ledger.used("aa", "identifiers") == 0
        assert ledger.use("aa", "identifiers", 1, 100) == 1
