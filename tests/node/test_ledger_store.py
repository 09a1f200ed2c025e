from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.errors import ContractError, Enumeration, InputError, ScoreBudgetSpent
from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import Disclosed
from tandem.node.ledger_store import Ledger

ROOT = Path(__file__).parents[2]


def entry(size=100, message="Scores"):
    said = (Disclosed("bank", "scores", 7),)
    return Entry("2027-02-01T00:00:00Z", "ab" * 32, "cd" * 16, "sent", "bank", "train", message, size, "ef" * 32, said)


def filled(path, count=5):
    with Ledger(path) as ledger:
        for size in range(count):
            ledger.append(entry(size))
    return path


def tamper(path, *statements):
    with closing(sqlite3.connect(path)) as database:
        for name in ("no_change", "no_removal"):
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_entries_come_back_as_they_were_and_the_chain_goes_on(tmp_path):
    path = filled(tmp_path / "ledger.sqlite", 3)
    with Ledger(path) as ledger:
        written = ledger.append(entry(99))
        back = list(ledger.entries())
        assert (written.number, len(ledger), [each.size for each in back]) == (4, 4, [0, 1, 2, 99])
        assert back[-1] == written
        assert ledger.verify() is None


def test_the_files_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        with Ledger(tmp_path / "ledger.sqlite") as ledger:
            ledger.append(entry())
            rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert rights == dict.fromkeys(("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"), 0o600)


def test_a_ledger_open_to_others_is_refused(tmp_path):
    path = filled(tmp_path / "ledger.sqlite")
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        Ledger(path)


def test_entries_can_neither_be_changed_nor_removed(tmp_path):
    path = filled(tmp_path / "ledger.sqlite")
    with closing(sqlite3.connect(path)) as database:
        for statement in ("UPDATE entries SET size = 1", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)


@pytest.mark.parametrize(("statement", "number"), [
    ("UPDATE entries SET size = 7 WHERE number = 3", 3),
    ("UPDATE entries SET disclosed = '[]' WHERE number = 2", 2),
    ("UPDATE entries SET disclosed = 'x' WHERE number = 2", 2),
    ("UPDATE entries SET time = x'00' WHERE number = 4", 4),
    ("DELETE FROM entries WHERE number = 1", 1),
    ("DELETE FROM entries WHERE number = 5", 5),
    ("UPDATE head SET number = 9", 6),
])
def test_tampering_is_found_where_it_was_done(tmp_path, statement, number):
    path = filled(tmp_path / "ledger.sqlite")
    tamper(path, statement)
    with Ledger(path, read_only=True) as ledger:
        assert ledger.verify().number == number


@pytest.mark.parametrize("column", [
    "number", "time", "contract", "session", "direction", "peer", "script", "message", "size", "frame", "disclosed", "previous", "hash",
])
@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("disclosing", [True, False])
def test_one_byte_changed_in_any_column_of_any_row_is_found(tmp_path, column, number, disclosing):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        for size in range(100, 105):
            ledger.append(entry(size) if disclosing else replace(entry(size), disclosed=()))
    with closing(sqlite3.connect(path)) as database:
        (value,) = database.execute(f"SELECT {column} FROM entries WHERE number = ?", (number,)).fetchone()  # noqa: S608 - of the test's own making
    whole = isinstance(value, int)
    data = value.to_bytes(2, "big") if whole else value.encode()
    tamper(path)
    for at in {0, len(data) // 2, len(data) - 1}:
        for bit in (0, 7):  # the higher makes it no UTF-8
            flipped = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]
            changed = int.from_bytes(flipped, "big")
            if column == "number" and 1 <= changed <= 5:
                continue  # another entry's number, which SQLite refuses
            with closing(sqlite3.connect(path)) as database:
                written = str(changed) if whole else f"CAST(x'{flipped.hex()}' AS TEXT)"
                database.execute(f"UPDATE entries SET {column} = {written} WHERE number = {number}")  # noqa: S608 - of the test's own making
                database.commit()
            with Ledger(path, read_only=True) as ledger:
                found = ledger.verify()
            assert found is not None, (at, bit)
            assert found.number == number or (column == "number" and found.number <= number)
            with closing(sqlite3.connect(path)) as database:
                now_at = changed if column == "number" else number
                database.execute(f"UPDATE entries SET {column} = ? WHERE number = {now_at}", (value,))  # noqa: S608 - of the test's own making
                database.commit()
    with Ledger(path, read_only=True) as ledger:
        assert ledger.verify() is None, "what was put back"


@pytest.mark.parametrize("text", ["", "[ ]", "{}", "null", '[["bank","scores"]]', '[[["bank"],"scores",7]]', "[" * 5000])
def test_a_disclosure_that_we_did_not_write_is_found(tmp_path, text):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.append(replace(entry(), disclosed=()))
    tamper(path, f"UPDATE entries SET disclosed = '{text}'")  # noqa: S608 - of the test's own making
    with Ledger(path, read_only=True) as ledger:
        assert ledger.verify().number == 1
        assert [len(each.disclosed) for each in ledger.entries()] == [1], "it is shown"


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 2**20), bit=st.integers(0, 7))
def test_a_byte_changed_anywhere_in_the_file_is_found_or_changes_no_entry(place, bit, pristine):
    path, content, entries, head = pristine
    flipped = bytearray(content)
    flipped[place % len(content)] ^= 1 << bit
    path.write_bytes(flipped)
    try:
        with Ledger(path, read_only=True) as ledger:
            if ledger.verify() is None:
                assert (list(ledger.entries()), ledger.head) == (entries, head)
    except InputError:
        pass


def test_a_damaged_schema_is_a_damaged_file(pristine):
    """SQLite quotes the schema in its error; a byte of it that is no UTF-8 must not become an error of Python's."""
    path, content, entries, head = pristine
    first, last = content.index(b"CREATE TABLE"), content.rindex(b"CREATE TABLE") + 200
    refused = 0
    for at in range(first, last, 3):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :])
        try:
            with Ledger(path, read_only=True) as ledger:
                if ledger.verify() is None:
                    assert (list(ledger.entries()), ledger.head) == (entries, head)
        except InputError as error:
            refused += "the file is damaged" in str(error)
    assert refused > 10


class Pristine(NamedTuple):
    """A ledger's file as it was written; its repr is short, for whoever reads of a failed example."""

    path: Path
    content: bytes
    entries: list
    head: tuple

    def __repr__(self):
        return f"Pristine({len(self.content)} bytes)"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    path = tmp_path_factory.mktemp("pristine") / "ledger.sqlite"
    filled(path, 20)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = DELETE")  # all in one file
    with Ledger(path, read_only=True) as ledger:
        return Pristine(path, path.read_bytes(), list(ledger.entries()), ledger.head)


def test_a_ledger_without_its_head_is_refused(tmp_path):
    path = filled(tmp_path / "ledger.sqlite")
    tamper(path, "DELETE FROM head")
    with Ledger(path, read_only=True) as ledger, pytest.raises(InputError, match="its head is missing"):
        ledger.verify()


def test_counters_stop_at_the_cap_and_survive(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        assert ledger.use("aa", "identifiers", 60, 100) == 60
        with pytest.raises(Enumeration, match="101 identifiers"):
            ledger.use("aa", "identifiers", 41, 100)
        assert ledger.use("bb", "identifiers", 100, 100) == 100, "another contract counts for itself"
        assert ledger.use("aa", "bits", 30, 30) == 30
    with Ledger(path) as ledger:
        assert ledger.used("aa", "identifiers") == 60, "what was refused was not counted"
        with pytest.raises(ScoreBudgetSpent, match="nothing was sent"):
            ledger.use("aa", "bits", 1, 30)
        ledger.use("aa", "jobs", 1, 1)
        with pytest.raises(ContractError, match="draft a new contract"):
            ledger.use("aa", "jobs", 1, 1)
        with pytest.raises(ValueError, match="backwards"):
            ledger.use("aa", "jobs", -1, 1)
        assert ledger.usage() == [("aa", "bits", 30), ("aa", "identifiers", 60), ("aa", "jobs", 1), ("bb", "identifiers", 100)]


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger._database.execute("PRAGMA max_page_count = 12")
        with pytest.raises(InputError, match="the disk is full: nothing was recorded"):
            list(map(ledger.append, [entry()] * 1000))
        count = len(ledger)
        assert ledger.verify() is None
        ledger._database.execute("PRAGMA max_page_count = 1000")
        assert ledger.append(entry()).number == count + 1
        assert ledger.verify() is None


def test_threads_and_processes_share_one_chain(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as one, Ledger(path) as other:
        threads = [
            threading.Thread(target=lambda ledger=ledger: [ledger.append(entry(size)) for size in range(50)])
            for ledger in (one, one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one) == len(other) == 150
        assert one.verify() is None


WRITER = """
import sys; from pathlib import Path; from tandem.node.ledger_store import Ledger; from tandem.ledger.chain import Entry
with Ledger(Path(sys.argv[1])) as ledger:
    while True:
        bound = ledger.append(Entry("t", "c", "s", "sent", "bank", "train", "Scores", 1, "f"))
        print(bound.number, flush=True)
"""


def test_what_was_appended_survives_kill_9(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as writer:
        while int(writer.stdout.readline()) < 20:
            pass
        writer.send_signal(signal.SIGKILL)
        written = [20, *(int(line) for line in writer.stdout if line.endswith("\n"))]
    with Ledger(path) as ledger:
        assert len(ledger) >= written[-1]
        assert ledger.verify() is None


def test_ten_thousand_entries_a_minute_are_cheap(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        begun = time.process_time()
        for _ in range(1000):
            ledger.append(entry())
        assert time.process_time() - begun < 3, "a thousand entries may use half of six seconds of one core"


def test_what_is_no_ledger_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Ledger(tmp_path / "none", read_only=True)
    disk_file = tmp_path / "text"
    disk_file.write_text("not a database, but longer than any header could be" * 10)
    disk_file.chmod(0o600)
    with pytest.raises(InputError, match="it is no ledger"):
        Ledger(disk_file)
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE x (y)")
    other.chmod(0o600)
    with pytest.raises(InputError, match="no ledger of this version"):
        Ledger(other)


def test_a_reader_cannot_write(tmp_path):
    with Ledger(filled(tmp_path / "ledger.sqlite"), read_only=True) as ledger, pytest.raises(InputError, match="cannot be written"):
        ledger.append(entry())
