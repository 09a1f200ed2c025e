from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from attacked.audits import CARD, CONTRACT, Honest
from contracts import NOW, signed
from three_parties import paillier_key

from bank_party.sealings import KeptRows, Sealings, remove_ended
from tandem.arguments import Seeded
from tandem.errors import InputError
from tandem.node.plain import restore, unpack

ROWS = np.arange(12, dtype=np.int64).reshape(4, 3)
KEPT = KeptRows(bytes(32), bytes(16), "train", 1, 7, 0, b"seed" * 8, ROWS)


def drawn(kept):
    return kept.chance.draw(16)


@pytest.mark.parametrize("change", [
    {"rows": ROWS + 1}, {"rows": ROWS.T}, {"rows": ROWS[:3]}, {"attempt": 8}, {"part": 1}, {"stage": 2}, {"script": "errors"},
    {"job": bytes(15) + b"\1"}, {"contract": bytes(31) + b"\1"}, {"seed": b"deed" * 8},
], ids=str)
def test_one_seed_never_gives_two_contents_the_same_randomness(change):
    assert drawn(KEPT) == drawn(replace(KEPT))
    assert drawn(replace(KEPT, **change)) != drawn(KEPT)


def kept_in(folder, **now):
    return Sealings(folder / "sealed", CONTRACT, Seeded(b"chance"), clock=lambda: now.get("now", NOW))


def test_rows_and_seed_are_private_and_on_the_disk_before_anything_is_sealed(tmp_path):
    kept = kept_in(tmp_path)
    keep = kept.keep(bytes(16), "train", 1, 1)
    chance = keep(Seeded(b"the system's"), ROWS)
    (path,) = kept.folder.glob("*.rows")
    found = restore(KeptRows, unpack(path.read_bytes()))
    assert found.chance.draw(16) == chance.draw(16)
    assert chance.draw(16) != Seeded(b"the system's").draw(16)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    assert repr(found).count("seed") == 0


def test_every_attempt_and_piece_has_a_seed_of_its_own(tmp_path):
    kept = kept_in(tmp_path)
    for attempt in (1, 2):
        keep = kept.keep(bytes(16), "errors", 2, attempt)
        for _ in range(2):
            keep(Seeded(b""), ROWS)
    seeds = [restore(KeptRows, unpack(path.read_bytes())).seed for path in kept.folder.glob("*.rows")]
    assert len(set(seeds)) == len(seeds) == 4
    with pytest.raises(InputError, match="exists already"):  # an attempt that was begun is never begun again under its number
        kept.keep(bytes(16), "errors", 2, 1)(Seeded(b""), ROWS)


def test_what_is_kept_goes_with_the_contracts_end(tmp_path):
    kept = kept_in(tmp_path)
    kept.keep(bytes(16), "train", 1, 1)(Seeded(b""), ROWS)
    end = datetime(2027, 4, 1, tzinfo=UTC)
    remove_ended(tmp_path / "sealed", end - timedelta(seconds=1))
    assert kept.folder.exists()
    remove_ended(tmp_path / "sealed", end)
    assert not kept.folder.exists()
    remove_ended(tmp_path / "nothing", end)
    kept_in(tmp_path).keep(bytes(16), "train", 1, 1)(Seeded(b""), ROWS)
    assert not list(kept_in(tmp_path, now=end).folder.iterdir())


def test_a_cap_holds_over_requests_and_the_same_request_costs_nothing(tmp_path):
    kept = kept_in(tmp_path)
    kept.grant("aa", 60, 100)
    kept.grant("aa", 60, 100)
    with pytest.raises(InputError, match=r"41 persons are asked for, of 60 they were opened, and auditor\.rows is 100"):
        kept_in(tmp_path).grant("bb", 41, 100)
    kept.grant("bb", 40, 100)


def test_a_line_that_was_cut_off_belongs_to_a_frame_that_never_left(tmp_path):
    bank = Honest(tmp_path, paillier_key(), 12)
    (path,) = bank.kept.folder.glob("*.frames")
    assert bank.passes(b"", 5)
    with path.open("ab") as file:
        file.write(b'{"session":"0001')
    assert bank.passes(b"", 5)
    with pytest.raises(InputError, match="nothing is kept of session ffff"):
        bank.kept.find("ffff", 0)


def test_damaged_rows_are_said_to_be(tmp_path):
    bank = Honest(tmp_path, paillier_key(), 12)
    bank.rows_file.write_bytes(bank.rows_file.read_bytes()[:-8])
    with pytest.raises(InputError, match="is damaged: these rows cannot be opened"):
        bank.kept.find(bank.received[0].session, 0)


def test_a_contract_without_an_auditor_has_the_bytes_it_had():
    assert b"auditor" not in signed().canonical
    assert signed().amended({"auditor": CARD}).digest != signed().digest
