from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from contracts import KEYS
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import CONTRACT, chained, conversation, honest, stored

from tandem.audit.export import DOMAIN, Export, LedgerBroken, write
from tandem.contract import TELCO, public_hex, verifies
from tandem.errors import InputError, TandemError
from tandem.ledger.chain import first_break
from tandem.node.ledger_store import Ledger

OTHER = "cd" * 32


@pytest.fixture
def ledger(tmp_path):
    rows = honest(conversation(1))[TELCO] + honest(conversation(1, contract=OTHER))[TELCO]
    path = stored(tmp_path / "ledger.sqlite", rows, [(CONTRACT, "bits", 7), (OTHER, "jobs", 1)])
    with Ledger(path, read_only=True) as opened:
        yield opened


def exported(ledger, key=KEYS[TELCO], contract=""):
    path = Path(ledger.place).with_suffix(".json")
    write(ledger, path, key, contract, clock=lambda: "2027-03-01T00:00:00Z")
    return path


def test_an_export_gives_the_entries_back_and_says_whose_they_are(ledger):
    export = Export.open(exported(ledger))
    assert list(export.entries()) == list(ledger.entries())
    assert (export.party, export.rows, export.head, export.made) == (TELCO, len(ledger), ledger.head, "2027-03-01T00:00:00Z")
    assert (export.used, export.key, export.signature) == (ledger.usage(), public_hex(KEYS[TELCO]), "holds")


def test_any_program_can_read_it_and_check_hashes_and_signature(ledger):
    path = exported(ledger)
    content = json.loads(path.read_text())
    assert len(content["entries"]) == len(ledger)
    for row in content["entries"]:
        own = row.pop("hash")
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(b"tandem-ledger-entry-v1\0" + text.encode()).hexdigest() == own
    covered = path.read_bytes().rpartition(b'"signature"')[0]
    signature = bytes.fromhex(content["signature"])
    assert verifies(bytes.fromhex(content["key"]), signature, DOMAIN + hashlib.sha256(covered).digest())


def test_one_contracts_entries_keep_their_numbers_and_hashes(ledger):
    export = Export.open(exported(ledger, contract=OTHER))
    entries = list(export.entries())
    assert entries == [entry for entry in ledger.entries() if entry.contract == OTHER]
    assert (export.rows, export.used, export.head) == (len(entries), [(OTHER, "jobs", 1)], ledger.head)


def test_without_a_key_nothing_is_signed(ledger):
    export = Export.open(exported(ledger, key=None))
    list(export.entries())
    assert (export.key, export.signature) == ("", "none")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    with Ledger(stored(tmp_path_factory.mktemp("pristine") / "ledger.sqlite", honest(conversation(0))[TELCO]), read_only=True) as ledger:
        path = exported(ledger)
    return path, path.read_bytes()


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_one_byte_changed_anywhere_in_an_export_is_found(data, pristine):
    path, before = pristine
    content = bytearray(before)
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        export = Export.open(path)
        entries = list(export.entries())
    except TandemError:
        return
    assert export.signature == "fails" or first_break(entries, export.head) is not None


def test_an_export_that_was_rewritten_but_not_signed_anew_fails(ledger):
    path = exported(ledger)
    lines = path.read_text().splitlines(keepends=True)
    entries = chained(list(ledger.entries())[:-1])
    head = json.loads(lines[0].removesuffix(',"entries":[\n') + "}") | {"rows": len(entries), "head": [len(entries), entries[-1].hash]}
    with Ledger(stored(path.with_name("other.sqlite"), entries), read_only=True) as other:
        rewritten = exported(other, key=None).read_text().splitlines(keepends=True)
    first = json.dumps(head, sort_keys=True, separators=(",", ":")).removesuffix("}") + ',"entries":[\n'
    path.write_text("".join([first, *rewritten[1:-1], lines[-1]]))
    export = Export.open(path)
    assert first_break(export.entries(), export.head) is None
    assert export.signature == "fails"


@pytest.mark.parametrize("key", ["", "00" * 32, "zz"])
def test_a_key_taken_out_or_put_in_its_place_does_not_help(ledger, key):
    path = exported(ledger)
    path.write_text(re.sub('"key":"[0-9a-f]{64}"', f'"key":"{key}"', path.read_text()))
    export = Export.open(path)
    list(export.entries())
    assert export.signature == "fails"


@pytest.mark.parametrize("text", ["", "{}", "[]", "x" * 200, '{"kind":"tandem-ledger-export","entries":[\n', '{"entries":[\n', "9" * 5000])
def test_what_is_no_export_is_refused(tmp_path, text):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(InputError, match="neither a ledger nor an export"):
        Export.open(path)


def test_an_export_cut_short_is_refused(ledger):
    path = exported(ledger)
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in (1, 5, len(lines) - 2, len(lines) - 1):
        path.write_bytes(b"".join(lines[:kept]))
        with pytest.raises(TandemError, match="cut short"):
            list(Export.open(path).entries())


def test_rows_taken_out_of_an_unsigned_export_are_counted(ledger):
    path = exported(ledger, key=None, contract=OTHER)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(LedgerBroken, match="says that it holds 29 entries and holds 28"):
        list(Export.open(path).entries())


def test_a_broken_ledger_is_not_exported(ledger):
    with closing(sqlite3.connect(ledger.place)) as database:
        database.execute("DROP TRIGGER no_change")
        database.execute("UPDATE entries SET size = 5 WHERE number = 3")
        database.commit()
    with pytest.raises(LedgerBroken, match="entry 3 was changed"):
        exported(ledger)
    assert not Path(ledger.place).with_suffix(".json").exists()


def test_too_few_entries_to_tell_whose_they_are(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger, pytest.raises(InputError, match="too few entries to tell whose"):
        exported(ledger)
