"""Audits of banks that cheat in one thing: what is found, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from attacked.audits import CONTRACT, Cheat, Link, honest_rows, small_terms, verdict
from attacks.s08_numbered_rows import facade, frank

from tandem.audit import opening
from tandem.audit.answer import Opened
from tandem.audit.received import layout_of
from tandem.crypto.paillier import Blinded, PublicKey
from tandem.errors import InputError
from tandem.wire.messages import Key

BITS, COUNT = 512, 40
TERMS = small_terms(BITS, COUNT)
LAYOUT = layout_of(TERMS, "train")
ROWS = honest_rows(TERMS, COUNT)
TRAINS = [row for row in range(COUNT) if ROWS[row, 0]]


def plain(row, **changes):
    """Return the plaintext of an honest row with these slots changed."""
    values = dict(zip((slot.name for slot in LAYOUT.slots), ROWS[row].tolist(), strict=True)) | changes
    return LAYOUT.place(list(values.values()), 0)


def bent(row, to, session=b"\1" * 16, script="train"):
    return Cheat.make(BITS, COUNT, lambda honest: [*honest[:row], to, *honest[row + 1 :]], Link(session=session, script=script))


def found(*banks, show=frank, drawn=COUNT):
    return [(one.row, one.what) for one in verdict(list(banks), b"", drawn, show).findings]


def test_honest_sessions_of_one_job_have_no_findings():
    honest = Cheat.make(BITS, COUNT, list)
    assert found(honest, bent(0, honest.honest[0])) == []


@pytest.mark.parametrize(("to", "what"), [
    (1 << 3, "range"), (plain(TRAINS[0], m=0), "not_zero"), (plain(TRAINS[0], m=0, my=0), "not_zero"), (plain(TRAINS[0], w=5), "weight"),
    (plain(TRAINS[0], wx1=TERMS.largest), "column"), (plain(TRAINS[0]) + (1 << LAYOUT.width * len(LAYOUT.slots)), "undeclared"),
    (-1, "range"),
])
def test_a_crafted_row_is_named_by_what_is_wrong_with_it(to, what):
    assert (TRAINS[0], what) in found(bent(TRAINS[0], to))


def test_zeros_in_place_of_rows_that_train_are_found():
    assert found(Cheat.make(BITS, COUNT, lambda honest: [0] * len(honest))) == [(-1, "few_train")]


def test_an_honest_row_shown_in_place_of_the_one_that_was_sent_is_found():
    assert found(bent(TRAINS[0], 1 << 3), show=facade) == [(0, "digest")]


def test_a_crafted_row_that_is_not_drawn_is_not_found():
    bank = bent(TRAINS[0], 1 << 3)
    assert {len(found(bank, drawn=1)), len(found(bank, drawn=COUNT))} == {0, 1}


def test_another_label_in_another_pass_is_found():
    row = TRAINS[0]
    label = int(ROWS[row, 1])
    other = plain(row, my=1 - label, r=int(ROWS[row, 3]) + (2 * label - 1) * TERMS.largest)
    assert found(bent(row, other)) == []  # alone it has the form of an honest row
    assert (row, "label_differs") in found(Cheat.make(BITS, COUNT, list), bent(row, other))


def test_another_column_in_another_pass_is_found():
    row = max(TRAINS, key=lambda one: ROWS[one, 2])
    other = plain(row, wx1=-int(ROWS[row, 4]) + 500)
    assert found(bent(row, other)) == []
    assert found(Cheat.make(BITS, COUNT, list), bent(row, other)) == [(row, "column_differs")]


def test_passes_of_two_jobs_are_not_held_against_each_other():
    row = TRAINS[0]
    label = int(ROWS[row, 1])
    second = bent(row, plain(row, my=1 - label, r=int(ROWS[row, 3]) + (2 * label - 1) * TERMS.largest))
    align = Link(session=b"\2" * 16, script="align")
    align.heard("Opening")
    second.link.entries[:0] = align.entries
    assert found(Cheat.make(BITS, COUNT, list), second) == []


def test_weights_of_the_exact_errors_are_those_of_the_rows():
    for weight, what in ((int(ROWS[TRAINS[0], 2]), []), (7, [(TRAINS[0], "weight_differs")])):
        rows = Cheat.make(BITS, COUNT, list, Link(script="errors"))
        sent = [int(one) for one in ROWS[:, 2]]
        sent[TRAINS[0]] = weight
        weights = replace(rows, honest=sent, sent=sent, part=1)
        weights.send()
        assert found(rows, weights) == what


class Partial(Cheat):
    """A bank that leaves something out of its answer."""

    def opened(self, rows, show, answering):
        return self.leave_out(super().opened(rows, show, answering))


def leaves_out(change):
    bank = Cheat.make(BITS, COUNT, list)
    made = Partial(bank.terms, bank.secret, bank.honest, bank.sent, bank.link)
    made.leave_out = change
    return made


def test_what_is_left_out_is_found():
    def row(opened: Opened) -> Opened:
        del opened.roots[TRAINS[0]]
        return opened

    assert found(leaves_out(row)) == [(TRAINS[0], "missing")]
    assert found(leaves_out(lambda one: replace(one, session="00" * 16))) == [(-1, "missing")]
    assert found(leaves_out(lambda one: replace(one, key=one.frames[0]))) == [(-1, "key")]
    assert found(leaves_out(lambda one: replace(one, frames={}))) == [(0, "digest")]


def test_a_modulus_without_its_proof_is_found():
    bank = Cheat.make(BITS, COUNT, list)
    link = Link()
    link.carry(Key(bank.secret.public.to_bytes(), bank.secret.prove(bytes(32))), 1)  # a proof for another contract
    unproved = replace(bank, link=link)
    unproved.send()
    assert found(bank) == []
    assert found(unproved) == [(-1, "key")]


class Late(Cheat):
    """A bank whose chunk says that it begins elsewhere."""

    def chunks(self, plain):
        for first, sealed in super().chunks(plain):
            yield first + 1, sealed


def test_a_chunk_that_says_it_is_another_is_found():
    bank = Cheat.make(BITS, COUNT, list)
    late = Late(bank.terms, bank.secret, bank.honest, bank.sent, Link())
    late.link.carry(Key(bank.secret.public.to_bytes(), bank.secret.prove(CONTRACT.digest)), 1)
    late.send()
    assert found(late) == [(0, "digest")]


def test_randomness_of_another_row_opens_nothing():
    def swapped(opened: Opened) -> Opened:
        one, other = TRAINS[:2]
        opened.roots[one], opened.roots[other] = opened.roots[other], opened.roots[one]
        return opened

    assert found(leaves_out(swapped)) == [(TRAINS[0], "randomness"), (TRAINS[1], "randomness")]


class Naked(Cheat):
    """A bank one of whose rows was sealed without randomness: 1 opens it, and anybody reads it."""

    def chunks(self, plain):
        key, row = self.secret.public, TRAINS[0]
        for first, sealed in super().chunks(plain):
            yield first, Blinded.join([sealed.part(0, row), naked(key, int(plain[row])), sealed.part(row + 1, len(sealed))])


def naked(key: PublicKey, number: int) -> Blinded:
    made = object.__new__(Blinded)  # no call of ours makes one
    made.key, made._data = key, int((1 + number * key.n) % key.n2).to_bytes(key.width, "little")
    return made


def test_a_row_sealed_without_randomness_is_found():
    bank = Cheat.make(BITS, COUNT, list)
    bare = Naked(bank.terms, bank.secret, bank.honest, bank.sent, Link())
    bare.link.carry(Key(bank.secret.public.to_bytes(), bank.secret.prove(CONTRACT.digest)), 1)
    bare.send()
    assert found(bare) == [(TRAINS[0], "randomness")]


def test_a_ledger_that_grew_since_is_taken_and_another_is_not(monkeypatch):
    bank = Cheat.make(BITS, COUNT, list)
    kept = opening.audit

    def without(contract, terms, trains, received, *rest):
        return kept(contract, terms, trains, received[1:], *rest)

    assert found(bank) == []
    monkeypatch.setattr(opening, "audit", without)
    with pytest.raises(InputError, match="is not the one that was asked by"):
        found(bank)
    assert CONTRACT.auditor is not None
