from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tandem.arguments import Seeded
from tandem.crypto.opening import SealRows, SecretKey
from tandem.crypto.paillier import Foreign, MakeUnits, admit
from tandem.crypto.slots import Layout, Slot
from tandem.engine.pool import Pool
from tandem.engine.serial import Serial
from tandem.errors import SlotOverflow, TandemError


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as made:
        yield made


def jobs():
    secret = SecretKey.generate(256, Seeded(b"engine"))
    task = SealRows(secret, Layout((Slot("x", -100, 100),), 100, 256), Seeded(b"rows"))
    return secret, task, [(chunk, np.full((5, 1), chunk - 6)) for chunk in range(13)]


@pytest.mark.parametrize("verb", ["map", "begin"])
def test_pool_gives_the_bytes_of_the_loop(pool, verb):
    secret, task, items = jobs()
    alone, together = ([sealed.encode() for sealed in getattr(engine, verb)(task, items)] for engine in (Serial(), pool))
    assert alone == together
    assert len(admit(secret.public, Foreign(b"".join(together)), set())) == 65  # K2: no c mod n twice, over both workers


def test_same_units_on_any_engine(pool):
    secret, _, _ = jobs()
    task = MakeUnits(secret.public, Seeded(b"units"))
    items = [(number, 3) for number in range(4)]
    assert list(pool.map(task, items)) == list(Serial().map(task, items))


def test_order_is_kept_when_items_take_different_times(pool):
    assert list(pool.map(len, ["x" * n for n in (5, 0, 3)])) == [5, 0, 3]
    assert list(pool.map(time.sleep, [0.2, 0, 0, 0.1, 0])) == [None] * 5


@pytest.mark.parametrize("engine", ["serial", "pool"])
def test_map_reads_only_a_window_ahead(pool, engine):
    read = []

    def items():
        for number in range(50):
            read.append(number)
            yield "x" * number

    results = (pool if engine == "pool" else Serial()).map(len, items())
    for number in range(50):
        assert next(results) == number
        assert len(read) <= number + 5


def test_begin_takes_all_items_at_once_and_yields_to_other_work(pool):
    read = []

    def items():
        for _ in range(40):
            read.append(1)
            yield 0.05

    started = time.monotonic()
    begun = pool.begin(time.sleep, items())
    assert len(read) == 40
    assert list(pool.map(len, ["ab"])) == [2]
    assert time.monotonic() - started < 0.6  # 40 items of 50 ms on two lanes would take a second
    assert list(begun) == [None] * 40


def test_abandoned_begin_is_dropped():
    with Pool(1) as own:
        begun = own.begin(time.sleep, [0.01] + [0.2] * 100)
        assert next(begun) is None
        started = time.monotonic()
        begun.close()
        assert list(own.map(len, ["ab"])) == [2]
    assert time.monotonic() - started < 5


def test_exception_arrives_with_its_class():
    with Pool(1) as own:
        _, task, _ = jobs()
        for verb in (own.map, own.begin):
            with pytest.raises(SlotOverflow, match="row 1 of this chunk"):
                list(verb(task, [(0, np.array([[0], [101]]))]))
        assert list(own.map(len, ["abc"])) == [3]


def test_dead_worker_is_reported():
    with Pool(1) as own:
        begun = own.begin(os._exit, [3, 3, 3, 3])
        for _ in range(4):
            with pytest.raises((TandemError, StopIteration), match=r"fewer workers|^$"):
                next(begun)
        with pytest.raises(TandemError, match="fewer workers"):
            list(own.map(len, ["a"]))


def test_a_closed_pool_leaves_neither_thread_nor_process():
    """The interpreter, as it ends, wakes an executor that still closes, by a pipe that may just be gone: a traceback at a clean stop."""
    before = set(threading.enumerate())
    own = Pool(2)
    assert list(own.map(len, ["a", "b", "c"])) == [1, 1, 1]
    workers = [worker for lane in own._lanes for worker in lane.executor._processes]
    begun = own.begin(time.sleep, [0.3] * 20)
    own.close()
    assert set(threading.enumerate()) <= before
    assert len(workers) == 2
    assert not any(_alive(worker) for worker in workers)
    begun.close()


def test_peaks_are_bytes(tmp_path):
    with Pool(2) as own:
        peaks = own.peaks()
    assert len(peaks) == 2
    assert all(5e6 < peak < 1e9 for peak in peaks)


SCRIPT = """
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background had it ignored

import os, sys, time
from tandem.engine.pool import Pool
if __name__ == "__main__":
    with Pool(2) as pool:
        list(pool.map(len, ["a", "b", "c"]))
        print(*[next(iter(lane.executor._processes)) for lane in pool._lanes], flush=True)
        try:
            list(pool.map(time.sleep, [0.3] * 8))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_workers_leave_with_the_parent(tmp_path, kill):
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True, start_new_session=True
    )
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert len(workers) == 2
    time.sleep(0.1)
    if kill == signal.SIGINT:
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to all of the group
    else:
        os.kill(parent.pid, signal.SIGKILL)
    out, err = parent.communicate(timeout=20)
    for _ in range(100):
        if not any(_alive(worker) for worker in workers):
            break
        time.sleep(0.05)
    assert not any(_alive(worker) for worker in workers)
    if kill == signal.SIGINT:
        assert out.strip() == "interrupted"
        assert "Traceback" not in err


def _alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_many_short_items_of_all_kinds_do_not_lock_up(pool):
    """Items that end before their callback is set come back into the pool in the same thread."""
    begun = [pool.begin(len, ["x" * n for n in range(300)]) for _ in range(3)]
    assert list(pool.map(len, ["y" * n for n in range(300)])) == list(range(300))
    assert [list(results) for results in begun] == [list(range(300))] * 3
