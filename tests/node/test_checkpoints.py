"""What a job stands at survives the process, and nothing but the newest state is ever gone on from."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from contracts import unsigned
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tandem.arguments import Seeded
from tandem.errors import InputError, OtherContent, OutOfTurn, ScoreBudgetSpent
from tandem.node.casting import VERSION
from tandem.node.chance import System
from tandem.node.checkpoints import Checkpoints
from tandem.node.ledger_store import Ledger
from tandem.node.plain import pack, restore, unpack
from tandem.wire.messages import Opening

CONTRACT = unsigned()
JOB, OTHER = bytes(range(16)), bytes(16)
OPENING = Opening(VERSION, "train", 1, ("rows",), (3,), bytes(32), JOB, 1)


@dataclass(frozen=True)
class Inner:
    word: str
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class State:
    count: int
    secret: bytes = b""
    theta: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    inner: Inner | None = None
    by_name: dict[str, bytes] = field(default_factory=dict)


class Store:
    """A ledger's file and the states in it."""

    def __init__(self, path, seed=b"s" * 32, clock=lambda: datetime(2000, 1, 1, tzinfo=UTC)):
        self.ledger = Ledger(path)
        self.states = Checkpoints(State, self.ledger, seed, System(), clock)

    def close(self):
        self.ledger.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def opened(path, **how):
    return closing(Store(path, **how))


def rows(path, sql, *values):
    with closing(sqlite3.connect(path)) as database, database:
        return database.execute(sql, values).fetchall()


def written(path, *states):
    with opened(path) as store:
        store.states.begin(CONTRACT, JOB, states[0])
        for state in states[1:]:
            store.states.save(CONTRACT, JOB, state)


floats = st.floats(width=64)


@given(
    st.builds(
        State, st.integers(-(2**70), 2**70), st.binary(max_size=40), st.lists(floats, max_size=9).map(lambda a: np.array(a, dtype=float)),
        st.none() | st.builds(Inner, st.text(max_size=9), st.lists(floats, max_size=5).map(tuple)),
        st.dictionaries(st.text(max_size=5), st.binary(max_size=5), max_size=3),
    )
)
def test_every_state_comes_back_bit_by_bit(state):
    back = restore(State, unpack(pack(state)))
    assert pack(back) == pack(state)
    assert back.theta.tobytes() == state.theta.tobytes()
    assert (back.count, back.secret, back.by_name, type(back.inner)) == (state.count, state.secret, state.by_name, type(state.inner))


@pytest.mark.parametrize("array", [np.arange(6, dtype=">i8").reshape(2, 3), np.array([True, False]), np.float32([1.5]), np.arange(9)[::2]])
def test_arrays_come_back_in_shape_and_kind(array):
    back = unpack(pack(array))
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.flags.writeable
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True), (float, 1), (str, b"a"), (tuple[int, ...], ["a"]), (NDArray[np.float64], np.arange(3)), (Inner, {"word": "a"}),
        (Inner, {"word": "a", "numbers": [], "more": 1}), (State | None, 5), (dict[str, bytes], {"a": "b"}),
    ],
)
def test_what_does_not_fit_its_kind_is_refused(kind, value):
    with pytest.raises(ValueError, match="stands where"):
        restore(kind, value)


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, np.array(["text"]), np.array([object()])])
def test_only_plain_values_are_packed(value):
    with pytest.raises(TypeError, match="no plain value"):
        pack(value)


def test_the_newest_state_is_found_after_a_restart(path):
    written(path, State(1), State(2, b"x", np.array([0.1]), Inner("a", (0.2,))))
    with opened(path) as store:
        assert store.states.job(CONTRACT) == JOB
        found = store.states.load(CONTRACT, JOB)
        assert (found.count, found.secret, found.theta.tolist(), found.inner) == (2, b"x", [0.1], Inner("a", (0.2,)))
        assert store.states.load(CONTRACT, OTHER) is None
        assert store.ledger.verify() is None


def test_nothing_of_a_state_can_be_read_on_the_disk_and_no_two_saves_are_alike(path):
    secret = b"a secret that stands nowhere else"
    written(path, State(1, secret))
    (before,) = rows(path, "SELECT sealed FROM jobs")[0]
    with opened(path) as store:
        store.states.save(CONTRACT, JOB, State(1, secret))
    (after,) = rows(path, "SELECT sealed FROM jobs")[0]
    assert before != after
    assert before[:12] != after[:12]
    assert not [file for file in path.parent.iterdir() if secret in file.read_bytes()]


def refused(path, **how):
    with opened(path, **how) as store:
        with pytest.raises(InputError, match="was altered, comes from an older copy, or belongs to other keys") as told:
            store.states.load(CONTRACT, JOB)
        assert "--afresh" in str(told.value)


@pytest.mark.parametrize("at", [0, 12, 40, -1])
def test_an_altered_state_is_refused(path, at):
    written(path, State(1, b"x" * 100))
    (sealed,) = rows(path, "SELECT sealed FROM jobs")[0]
    bad = bytearray(sealed)
    bad[at] ^= 1
    rows(path, "UPDATE jobs SET sealed = ?", bytes(bad))
    refused(path)


@pytest.mark.parametrize("length", [0, 5, 12, 27, 60])
def test_a_cut_state_is_refused(path, length):
    written(path, State(1, b"x" * 100))
    rows(path, "UPDATE jobs SET sealed = substr(sealed, 1, ?)", length)
    refused(path)


def test_an_older_state_put_back_is_refused(path):
    written(path, State(1))
    (old,) = rows(path, "SELECT sealed FROM jobs")[0]
    with opened(path) as store:
        store.states.save(CONTRACT, JOB, State(2))
    rows(path, "UPDATE jobs SET sealed = ?", old)
    refused(path)


def test_a_job_that_ended_does_not_come_back(path):
    written(path, State(1))
    copy = rows(path, "SELECT * FROM jobs")[0]
    with opened(path) as store:
        store.states.forget(CONTRACT)
        assert store.states.job(CONTRACT) is None
        store.states.begin(CONTRACT, OTHER, State(5))
    rows(path, "DELETE FROM jobs")
    rows(path, f"INSERT INTO jobs VALUES ({', '.join('?' * len(copy))})", *copy)  # noqa: S608 - a constant
    refused(path)


def test_a_state_of_another_job_or_contract_or_node_is_refused(path):
    written(path, State(1))
    rows(path, "UPDATE jobs SET job = ?", OTHER.hex())
    with opened(path) as store, pytest.raises(InputError):
        store.states.load(CONTRACT, OTHER)
    rows(path, "UPDATE jobs SET job = ?", JOB.hex())
    refused(path, seed=b"t" * 32)
    other = CONTRACT.amended({"description": "another"})
    rows(path, "UPDATE jobs SET contract = ?", other.digest.hex())
    rows(path, "UPDATE saves SET contract = ?", other.digest.hex())
    with opened(path) as store, pytest.raises(InputError):
        store.states.load(other, JOB)


def test_jobs_of_contracts_that_ended_are_removed_at_the_start(path):
    written(path, State(1))
    end = datetime.fromisoformat(CONTRACT.expiry)
    with opened(path, clock=lambda: end - timedelta(seconds=1)) as store:
        assert store.states.job(CONTRACT) == JOB
    with opened(path, clock=lambda: end + timedelta(seconds=1)) as store:
        assert store.states.job(CONTRACT) is None


def test_a_state_and_what_it_cost_are_kept_together_or_neither(path):
    with opened(path) as store:
        def begin():
            with store.ledger.together():
                store.states.begin(CONTRACT, JOB, State(1))
                store.ledger.use(CONTRACT.digest.hex(), "jobs", 1, 3)
                store.ledger.use(CONTRACT.digest.hex(), "bits", 9, 8)

        with pytest.raises(ScoreBudgetSpent):
            begin()
        assert store.states.job(CONTRACT) is None
        assert store.ledger.usage() == []
        store.states.begin(CONTRACT, JOB, State(1))  # and the file is as usable as before
        assert store.states.load(CONTRACT, JOB).count == 1


def test_a_new_job_starts_its_counts_anew_and_an_old_session_cannot_speak_in_it(path):
    with opened(path) as store:
        states = store.states
        states.begin(CONTRACT, JOB, State(1))
        assert [states.attempt(CONTRACT, replace(OPENING, attempt=number)) for number in (1, 2, 5)] == [1, 2, 3]
        assert states.next_attempt(CONTRACT) == 6
        old = states.once(CONTRACT, replace(OPENING, attempt=6))
        old(b"this")
        states.begin(CONTRACT, OTHER, State(1))
        assert states.begun(CONTRACT, "train-1") == 0
        with pytest.raises(OutOfTurn, match="given up"):
            old(b"this")
        with pytest.raises(OutOfTurn, match="another job"):
            states.attempt(CONTRACT, OPENING)
        newest = replace(OPENING, job=OTHER)
        states.attempt(CONTRACT, newest)
        states.once(CONTRACT, newest)(b"that")


def test_what_is_answered_again_is_free_and_the_rest_has_its_limit(path):
    with opened(path) as store:
        store.states.begin(CONTRACT, JOB, State(1))
        store.states.attempt(CONTRACT, OPENING)
        once = store.states.once(CONTRACT, OPENING, limit=10)
        for _ in range(3):
            once(b"a", 6)
            once(b"b", 4)
        with pytest.raises(OtherContent, match="step train-1"):
            once(b"c", 1)


@pytest.mark.parametrize("width", [0, 15, 17])
def test_a_job_is_named_by_sixteen_bytes(path, width):
    with opened(path) as store, pytest.raises(OutOfTurn, match="16"):
        store.states.begin(CONTRACT, bytes(width), State(1))


def test_the_key_is_the_nodes_own_and_repeats(path):
    written(path, State(3))
    with closing(Ledger(path)) as ledger:
        assert Checkpoints(State, ledger, b"s" * 32, Seeded(b"any")).load(CONTRACT, JOB).count == 3
