"""The line that scripts/two_machines plays: its rate, delay, queue and losses are those asked for. The script itself needs root."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "scripts" / "two_machines"


@pytest.fixture(scope="module")
def script():
    loader = SourceFileLoader("two_machines", str(PATH))
    spec = importlib.util.spec_from_loader("two_machines", loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["two_machines"] = module  # dataclasses look their module up
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def line(script, rate=100e6, trip=0.02, loss=0.0):
    return script.Line(rate, trip, loss, random.Random(1))


def test_a_packet_takes_its_own_length_and_half_the_round_trip(script):
    one = line(script)
    assert one.due(0, 1250, 5.0) == pytest.approx(5.0 + 0.0001 + 0.01)
    assert one.due(0, 1250, 5.0) == pytest.approx(5.0 + 0.0002 + 0.01)  # after the first
    assert one.due(1, 1250, 5.0) == pytest.approx(5.0 + 0.0001 + 0.01)  # the other way is free
    assert one.carried == [2500, 1250]


def test_what_does_not_fit_the_queue_is_dropped_and_the_rate_is_kept(script):
    one = line(script)
    arrived = [at for at in (one.due(0, 1500, 0.0) for _ in range(1000)) if at is not None]
    assert one.overflowed == 1000 - len(arrived) > 0
    assert len(arrived) * 1500 == pytest.approx(script.QUEUE, abs=3000)
    assert (len(arrived) - 1) * 1500 * 8 / (arrived[-1] - arrived[0]) == pytest.approx(100e6)


def test_one_percent_is_lost(script):
    one = line(script, rate=1e12, loss=0.01)
    lost = sum(one.due(0, 1500, float(now)) is None for now in range(20_000))
    assert lost == one.lost
    assert 150 < lost < 250
    assert line(script).due(0, 1500, 0.0) is not None


def test_what_is_missing_is_said(script, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="run it with sudo"):
        script.needs()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="install iproute2"):
        script.needs()


def test_a_congestion_control_that_namespaces_may_not_use_is_said(script, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: "here")
    monkeypatch.setattr(script, "TUN_DEVICE", tmp_path)
    monkeypatch.setattr(script, "ALLOWED", tmp_path / "allowed")
    (tmp_path / "allowed").write_text("reno bbr\n")
    script.needs("reno")
    with pytest.raises(SystemExit, match="may use reno, bbr: to use cubic"):
        script.needs("cubic")
    monkeypatch.setattr(script, "TUN_DEVICE", tmp_path / "none")
    with pytest.raises(SystemExit, match="module tun"):
        script.needs()
