"""Blind scoring: card points exact, training scores dithered without bias, and no table but the solver's."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tandem.arguments import Seeded
from tandem.contract import CARD_NOISE_BITS, PASS_NOISE_BITS, SLOT_BITS
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Foreign, PublicKey, admit
from tandem.crypto.slots import ScoreSlots
from tandem.engine.serial import Serial
from tandem.errors import CheckFailed, FactorPlanted, ForeignElement, NakedCiphertext, Oversized, TableForged
from tandem.score.sealer import read_scores
from tandem.score.solver import draw_table, say_table
from tandem.score.statement import POINT, Here, Scale, roster_digest, table_digest
from tandem.score.summer import restore_table, say_scores, take_table
from tandem.session.loopback import converse
from tandem.session.script import Script, many, one, say
from tandem.session.session import Session
from tandem.sums.summer import make_units
from tandem.tables import CodedTable
from tandem.train.summer import dither
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Opening, Scores, Signature, Table

SCORE = Script(
    "score",
    (("sealer", "summer"), ("sealer", "solver"), ("summer", "solver")),
    (
        many(say("solver", "summer", Table)),
        one(say("solver", "summer", Signature)),
        many(say("summer", "sealer", Scores)),
    ),
)
HERE = Here(bytes(range(32)), bytes(16), roster_digest(np.arange(100)), 2)
BINS = (5, 4, 3)
SOLVER = Ed25519PrivateKey.from_private_bytes(bytes(32))
MALLORY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1")
BITS = 512
SLOTS = (BITS - 3) // SLOT_BITS  # 15


def verify(signature, statement):
    try:
        SOLVER.public_key().verify(signature, statement)
    except InvalidSignature:
        return False
    return True


@cache
def secret():
    return SecretKey.generate(BITS, Seeded(b"key"))


def coded(count, bins=BINS, seed=0):
    codes = np.random.default_rng(seed).integers(0, bins, (count, len(bins))).astype(np.uint8)
    return CodedTable(codes, bins, tuple(f"t{j}" for j in range(len(bins))))


def telling(points, here=HERE, sign=SOLVER.sign, kept=b"kept"):
    key = secret().public
    yield from say_table(key, draw_table(key, points, here, Seeded(kept)), here, sign)


def scoring(table, scale, here=HERE, noise=b"noise"):
    key = secret().public
    taken = yield from take_table(key, table.bins, here, verify)
    packs = ScoreSlots(key.bits, 0, SLOT_BITS).packs(table.rows)
    ahead = make_units(key, packs, Serial(), Seeded(b"units" + noise))
    yield from say_scores(key, taken, table, scale, Serial(), ahead, dither(Seeded(noise), here, taken))


def reading(count, scale):
    return (yield from read_scores(secret(), count, scale, Serial()))


def play(points, table, scale, alter=None, **roles):
    opening = Opening("test", "score", HERE.stage, (), (), HERE.roster)
    cast = {"sealer": reading(table.rows, scale), "summer": scoring(table, scale), "solver": telling(points)} | roles
    return converse({name: (Session(SCORE, name, HERE.contract, HERE.session, opening), role) for name, role in cast.items()}, alter)


def sums(points, table):
    parts = np.split(points, np.cumsum(table.bins)[:-1])
    return sum(part[table.codes[:, j]] for j, part in enumerate(parts))


def by_bin(steps):
    """Return card points of every bin as a table in log-odds."""
    return np.array(steps, dtype=np.float64) * POINT


@pytest.mark.parametrize("count", [1, SLOTS - 1, SLOTS, SLOTS + 1, 4 * SLOTS, 4 * SLOTS + 7, 400])
def test_card_points_come_back_exact(count):
    table, scale = coded(count), Scale.card(1)
    steps = np.array([-80, 3, 0, 17, 60, -20, 40, 5, -5, 1, -1, 31])
    found = scale.points(play(scale.integers(by_bin(steps), BINS), table, scale)["sealer"])
    assert np.array_equal(found, sums(steps, table))


def test_points_come_back_exact_however_many_messages_carry_them(monkeypatch):
    monkeypatch.setattr("tandem.score.summer.chunk_length", lambda _: 3)
    count = 7 * SLOTS + 4  # eight packs: three messages, the last of two
    table, scale, heard = coded(count), Scale.card(1), []
    steps = np.array([-80, 3, 0, 17, 60, -20, 40, 5, -5, 1, -1, 31])

    def count_messages(_, listener, data):
        heard.append((listener, Frame.from_bytes(data).kind))
        return data

    found = scale.points(play(scale.integers(by_bin(steps), BINS), table, scale, count_messages)["sealer"])
    assert np.array_equal(found, sums(steps, table))
    assert heard.count(("sealer", "Scores")) == 3


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(1, 50), st.sampled_from([1, 4, 20]), st.integers(0, 999)
)
def test_card_points_come_back_exact_for_any_table(bins, count, step, seed):
    table, scale = coded(count, tuple(bins), seed), Scale.card(step)
    most = 250 // len(bins)
    steps = np.random.default_rng(seed).integers(-most, most + 1, sum(bins))
    points = scale.integers(by_bin(steps * step), table.bins)
    assert np.array_equal(scale.points(play(points, table, scale)["sealer"]), sums(steps, table))


def test_points_fill_the_slot_to_its_last_unit():
    """Largest sums with the largest noise stay in the slot; one more is refused when the table is made."""
    scale, bins = Scale.card(1), (2, 2)
    edge = (1 << (SLOT_BITS - 1 - CARD_NOISE_BITS)) - 1  # 255 steps and the noise fill 2^31
    table = coded(200, bins)
    steps = np.array([edge - 1 - 100, -(edge - 1 - 100), 100, -100])
    points = scale.integers(by_bin(steps), bins)
    assert np.array_equal(scale.points(play(points, table, scale)["sealer"]), sums(steps, table))
    with pytest.raises(CheckFailed, match="take a larger grain or card_step"):
        scale.integers(by_bin([edge - 100, 0, 100, -100]), bins)
    with pytest.raises(CheckFailed):
        Scale.training(0.25).integers(np.array([math.nan, 0.0, 0.0, 0.0]), bins)
    assert len(Scale.card(2).integers(by_bin([edge, 0, 100, -100]), bins)) == 4


def test_training_scores_are_dithered_without_bias():
    grain = 0.25
    table, scale = coded(3000), Scale.training(grain)
    odds = np.random.default_rng(1).normal(size=12)
    found = scale.log_odds(play(scale.integers(odds, BINS), table, scale)["sealer"])
    error = found - sums(odds, table)
    assert np.abs(error).max() <= grain / 2 * 1.0001
    assert abs(error.mean()) < 4 * grain / math.sqrt(12 * 3000)
    assert stats.kstest(error / grain + 0.5, "uniform").pvalue > 0.001
    # The dither hangs on nothing that is in the row.
    assert abs(np.corrcoef(error, sums(odds, table))[0, 1]) < 4 / math.sqrt(3000)


def test_the_noise_is_as_wide_as_declared():
    """R2.1: after 7 (training) or 9 (card) bits everything in a slot is uniform."""
    assert SLOT_BITS - PASS_NOISE_BITS == 7
    assert SLOT_BITS - CARD_NOISE_BITS == 9
    for scale in (Scale.training(0.25), Scale.card(1)):
        found = play(np.zeros(12, dtype=np.int64), coded(3000), scale)["sealer"]
        assert found.min() >= 0
        assert found.max() < 1 << scale.noise_bits
        assert len(set(found.tolist())) > 2990
        assert stats.kstest(found / (1 << scale.noise_bits), "uniform").pvalue > 0.001


def test_the_same_table_meets_the_same_noise_and_another_table_another():
    table, scale = coded(300), Scale.training(0.25)
    points = np.arange(12) * 1000
    once, again = (play(points, table, scale)["sealer"] for _ in range(2))
    assert np.array_equal(once, again)
    nudged = points.copy()
    nudged[0] += 1
    other = play(nudged, table, scale)["sealer"]
    moved = other - once - (table.codes[:, 0] == 0)
    assert (moved != 0).mean() > 0.99


@pytest.mark.parametrize("change", [{"stage": 3}, {"roster": bytes(32)}, {"contract": bytes(32)}])
def test_another_pass_roster_or_contract_meets_other_noise(change):
    key, points = secret().public, np.zeros(12, dtype=np.int64)
    tables = [draw_table(key, points, here, Seeded(b"kept")) for here in (HERE, replace(HERE, **change))]
    assert tables[0].digest != tables[1].digest
    taken = restore_table(key, BINS, tables[0].sealed.encode())
    draws = {dither(Seeded(b"n"), here, taken).fork("pack", 0).draw(16) for here in (HERE, replace(HERE, **change))}
    assert len(draws) == 2


def test_another_session_of_the_same_pass_discloses_nothing_new():
    """A pass that is done again after a crash gets the same table and the same noise."""
    key, points = secret().public, np.arange(12)
    other = replace(HERE, session=b"another session!")
    one_table, same = (draw_table(key, points, here, Seeded(b"kept")) for here in (HERE, other))
    assert one_table.digest == same.digest
    taken = restore_table(key, BINS, same.sealed.encode())
    assert dither(Seeded(b"n"), HERE, taken).draw(16) == dither(Seeded(b"n"), other, taken).draw(16)
    assert HERE.statement(same.digest) != other.statement(same.digest)  # and yet is signed anew


def test_empty_slots_hold_noise():
    """S7: what no row fills is uniform, or a table could write there and be read without noise."""
    table, scale = coded(1), Scale.card(1)
    plain = []

    def note(_speaker, _listener, data):
        frame = Frame.from_bytes(data)
        if frame.kind == "Scores":
            plain.extend(secret().open(admit(secret().public, Foreign(decode(Scores, frame.payload).packs.data))))
        return data

    for seed in range(150):
        noise = b"%d" % seed
        play(np.zeros(12, dtype=np.int64), table, scale, note, summer=scoring(table, scale, noise=noise))
    above = np.array([value >> SLOT_BITS for value in plain], dtype=object)
    assert all(above > 0)
    for shift in (0, 27, 32, 59, 200, 400):  # 27 and 59: above the noise of a slot that a row fills
        byte = [(value >> shift) & 15 for value in above]
        assert stats.chisquare(np.bincount(byte, minlength=16)).pvalue > 0.001, shift
    assert max(plain) < secret().public.n // 2


def test_full_slots_of_a_partial_pack_are_not_touched_by_it():
    table, scale = coded(SLOTS + 1), Scale.card(1)
    steps = np.array([-200, 100, 0, 17, 60, -20, 40, 5, -5, 1, -1, 3])
    assert np.array_equal(scale.points(play(scale.integers(by_bin(steps), BINS), table, scale)["sealer"]), sums(steps, table))


# No table but the solver's (S7)


def forged(**changes):
    points = np.arange(12)
    return telling(points, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"sign": MALLORY.sign},
        {"sign": lambda _: bytes(64)},
        {"sign": lambda _: b""},
        {"sign": lambda statement: SOLVER.sign(statement[:-1])},
        {"here": replace(HERE, contract=bytes(32))},
        {"here": replace(HERE, session=b"another session!")},
        {"here": replace(HERE, roster=bytes(32))},
        {"here": replace(HERE, stage=1)},
    ],
)
def test_unsigned_signed_by_another_or_for_another_place(changes):
    with pytest.raises(TableForged):
        play(np.arange(12), coded(20), Scale.card(1), solver=forged(**changes))


def test_a_table_that_was_altered_after_it_was_signed():
    key = secret().public
    drawn, other = (draw_table(key, np.arange(12) + off, HERE, Seeded(b"kept")) for off in (0, 1))

    def swapping(sealed):
        yield Table(sealed)
        yield Signature(SOLVER.sign(HERE.statement(drawn.digest)))

    table, scale = coded(20), Scale.card(1)
    two_swapped = type(drawn.sealed).join([drawn.sealed.part(1, 2), drawn.sealed.part(0, 1), drawn.sealed.part(2, 12)])
    one_replaced = type(drawn.sealed).join([other.sealed.part(0, 1), drawn.sealed.part(1, 12)])
    for sealed in (two_swapped, one_replaced, other.sealed):
        with pytest.raises(TableForged):
            play(np.arange(12), table, scale, solver=swapping(sealed))
    assert play(np.arange(12), table, scale, solver=swapping(drawn.sealed))["sealer"].shape == (20,)


@pytest.mark.parametrize("size", [11, 13, 40])
def test_a_table_of_another_length(size):
    with pytest.raises(Oversized, match="sealed points"):
        play(None, coded(20), Scale.card(1), solver=telling(np.arange(size)))


def test_a_table_without_end_is_refused_as_soon_as_it_is_too_long():
    key = secret().public
    sealed = draw_table(key, np.arange(12), HERE, Seeded(b"kept")).sealed.encode()
    taking = take_table(key, BINS, HERE, verify)
    assert next(taking) is Table
    assert taking.send(Table(Foreign(sealed))) is Table
    with pytest.raises(Oversized, match="more sealed points"):
        taking.send(Table(Foreign(sealed[: key.width])))


def test_packs_without_end_are_refused_as_soon_as_they_are_too_many():
    sealed = secret().seal([1 << 400] * 2, Seeded(b"packs")).encode()
    taking = read_scores(secret(), SLOTS, Scale.card(1), Serial())
    assert next(taking) is Scores
    with pytest.raises(Oversized, match="more than the 1 packs"):
        taking.send(Scores(Foreign(sealed)))


def test_two_tables_never_share_randomness():
    """K2: under one randomness the ratio of two ciphertexts is the difference of the points, for the summer to read."""
    key, drawn = secret().public, {}
    for points in (np.zeros(12, dtype=np.int64), np.arange(12), np.arange(12) * 2):
        for here in (HERE, replace(HERE, stage=3)):
            for c in admit(key, Foreign(draw_table(key, points, here, Seeded(b"kept")).sealed.encode())).values:
                drawn[c % key.n] = True
    assert len(drawn) == 3 * 2 * 12


def test_no_table_at_all():
    def silent():
        yield Signature(SOLVER.sign(HERE.statement(bytes(32))))

    with pytest.raises(Oversized):
        play(None, coded(20), Scale.card(1), solver=silent())


def test_a_kept_table_is_checked_again_when_it_is_used():
    key = secret().public
    data = draw_table(key, np.arange(12), HERE, Seeded(b"kept")).sealed.encode()
    assert restore_table(key, BINS, data).digest == table_digest(key, data)
    assert table_digest(PublicKey(key.n + 2), data) != table_digest(key, data)  # the name binds the key too
    width = key.width
    for wrong, error in (
        (bytes(width) + data[width:], FactorPlanted),
        (int(3 * secret()._q).to_bytes(width, "little") + data[width:], FactorPlanted),
        ((1 + int(key.n)).to_bytes(width, "little") + data[width:], NakedCiphertext),
        (data[:-1], ForeignElement),
        (data[width:], Oversized),
    ):
        with pytest.raises(error):
            restore_table(key, BINS, wrong)


@pytest.mark.parametrize("off", [-SLOTS, SLOTS])
def test_packs_for_another_number_of_rows(off):
    scale = Scale.card(1)
    with pytest.raises(Oversized, match="packs"):
        play(np.arange(12), coded(4 * SLOTS), scale, sealer=reading(4 * SLOTS + off, scale))


def test_packs_are_blinded_by_units_that_serve_once():
    def short(table, scale):
        key = secret().public
        taken = yield from take_table(key, table.bins, HERE, verify)
        yield from say_scores(key, taken, table, scale, Serial(), iter([]), Seeded(b"n"))

    with pytest.raises(RuntimeError, match="StopIteration"):
        play(np.arange(12), coded(40), Scale.card(1), summer=short(coded(40), Scale.card(1)))


def test_statements_of_different_tables_never_share_their_bytes():
    places = [HERE, *(replace(HERE, **c) for c in ({"stage": 3}, {"session": b"x" * 16}, {"roster": bytes(32)}, {"contract": bytes(32)}))]
    assert len({place.statement(bytes(32)) for place in places}) == len(places)
    assert len({len(place.statement(bytes(32))) for place in places}) == 1
    assert HERE.statement(bytes(32)) != HERE.statement(bytes(31) + b"\1")


def test_roster_digest_hangs_on_every_position_and_their_order():
    assert roster_digest(np.array([1, 2, 3])) != roster_digest(np.array([1, 3, 2]))
    assert roster_digest(np.array([1, 2, 3])) != roster_digest(np.array([1, 2]))
    assert roster_digest(np.array([1, 2, 3], dtype=np.int32)) == roster_digest(np.array([1, 2, 3]))
