"""A node that dies, is stopped or falls silent amid a pass; Ctrl-C at the bank. Real processes, real TLS."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from three_parties import CUSTOMERS, make_site

from tandem.audit.findings import audit
from tandem.audit.sources import opened
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import TandemError
from tandem.node.ledger_store import Ledger

START = 30.0
"""Seconds in which a node must listen, and the bank reach a pass."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(site, role, *command):
    log = (site.folder(role) / "log.txt").open("w")
    with log:
        return subprocess.Popen(
            [sys.executable, "-m", "tandem.cli", *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )


def log(site, role):
    return (site.folder(role) / "log.txt").read_text()


def wait(condition, what, seconds=START):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def children(process):
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def gone(pids):
    for pid in pids:
        with suppress(ProcessLookupError, FileNotFoundError):
            if "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
                return False
    return True


def messages(site, role):
    with suppress(TandemError, OSError), Ledger(site.folder(role) / "ledger.sqlite", read_only=True) as ledger:
        return [(entry.script, entry.message) for entry in ledger.entries()]
    return []


class Parties:
    """Both nodes, started when they are not running, and the bank's study."""

    def __init__(self, site):
        self.site, self.running = site, {}

    def amid_a_pass(self):
        """Return the processes once the study is in its first pass."""
        for role in (COORDINATOR, TELCO):
            if role not in self.running or self.running[role].poll() is not None:
                self.running[role] = start(self.site, role, role, "serve", "--config", str(self.site.folder(role) / "node.toml"))
        for role in (COORDINATOR, TELCO):
            wait(lambda: "listens at" in log(self.site, role), f"{role} did not start")  # noqa: B023 - called before the next turn
        before = messages(self.site, BANK)
        bank = self.running[BANK] = start(self.site, BANK, "bank", "train", str(self.site.study))
        wait(lambda: ("train", "Sealed") in messages(self.site, BANK)[len(before):] or bank.poll() is not None, "no pass began")
        assert bank.poll() is None, log(self.site, BANK)
        return self.running

    def end(self):
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    telco, coordinator = free_port(), free_port()
    made = make_site(
        tmp_path_factory.mktemp("site"), telco_address=f"127.0.0.1:{telco}", coordinator_address=f"127.0.0.1:{coordinator}",
        layout={"passes": 4}, caps={"identifiers": 20 * CUSTOMERS, "trainings": 20, "disclosure_bits": 20 * 37},
    )
    made.keep_key()
    return made


@pytest.fixture(scope="module")
def parties(site):
    made = Parties(site)
    yield made
    made.end()


def nothing_half_written(site):
    """No result, no temporary file, and a ledger that holds."""
    assert not (site.folder(BANK) / "out").exists()
    for role in (BANK, TELCO, COORDINATOR):
        assert [path.name for path in site.folder(role).rglob(".*") if path.is_file()] == []
        with Ledger(site.folder(role) / "ledger.sqlite", read_only=True) as ledger:
            assert ledger.verify() is None
            assert len(ledger) > 0
    with ExitStack() as stack:
        sources = [stack.enter_context(opened(site.folder(role) / "ledger.sqlite")) for role in (BANK, TELCO, COORDINATOR)]
        assert [each.findings for each in audit(sources).comparisons] == [(), (), ()], "an interruption is no difference"
    assert not (site.folder(TELCO) / "state" / "models").exists()


def quiet(text):
    assert "Traceback" not in text
    assert "Error: " not in text.replace("PeerLost: ", "")
    assert "fork" not in text


def test_ctrl_c_at_the_bank(site, parties):
    processes = parties.amid_a_pass()
    workers = children(processes[BANK])
    assert len(workers) >= 1
    os.killpg(processes[BANK].pid, signal.SIGINT)  # as a terminal does: to the workers too
    assert processes[BANK].wait(10) == 130
    assert log(site, BANK).strip().splitlines()[-1].startswith("stopped; nothing was lost: ")
    quiet(log(site, BANK))
    wait(lambda: gone(workers), "workers were left behind", 10)
    for role in (TELCO, COORDINATOR):
        wait(lambda: "PeerLost: " in log(site, role), f"the {role} noticed nothing", 10)  # noqa: B023 - called before the next turn
        assert processes[role].poll() is None
    nothing_half_written(site)


def test_a_node_that_is_frozen_amid_a_pass_is_given_up_after_the_patience(site, parties):
    text = site.study.read_text()
    site.study.write_text(text.replace("patience = 30.0", "patience = 2.0"))
    processes = parties.amid_a_pass()
    processes[TELCO].send_signal(signal.SIGSTOP)
    try:
        assert processes[BANK].wait(15) == 2
    finally:
        processes[TELCO].send_signal(signal.SIGCONT)
        site.study.write_text(text)
    assert "said nothing for 2 s: the job was stopped" in log(site, BANK).replace("\n", " ")
    quiet(log(site, BANK))
    nothing_half_written(site)


@pytest.mark.parametrize("dies", [TELCO, COORDINATOR])
def test_when_a_node_is_killed_amid_a_pass_the_study_says_so_and_leaves_nothing(site, parties, dies):
    processes = parties.amid_a_pass()
    workers = children(processes[dies])
    survivor = {TELCO: COORDINATOR, COORDINATOR: TELCO}[dies]
    before = log(site, survivor).count("PeerLost: ")
    processes[dies].kill()
    began = time.monotonic()
    assert processes[BANK].wait(20) == 2
    assert time.monotonic() - began < 10
    last = log(site, BANK).strip().splitlines()[-1]
    # the survivor may notice it first, and say so
    told = f"the {dies} cannot be reached, died", f"the {survivor} lost its connection", "refused or failed", "ended the conversation early"
    assert any(one in last for one in told), last
    quiet(log(site, BANK))
    wait(lambda: gone(workers), "workers were left behind", 10)
    wait(lambda: log(site, survivor).count("PeerLost: ") > before, "the other node noticed nothing", 10)
    assert processes[survivor].poll() is None
    quiet(log(site, survivor))
    nothing_half_written(site)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_that_is_stopped_amid_a_pass_ends_at_once_and_well(site, parties, number):
    processes = parties.amid_a_pass()
    workers = children(processes[TELCO])
    began = time.monotonic()
    os.killpg(processes[TELCO].pid, number)
    assert processes[TELCO].wait(10) == 0
    assert time.monotonic() - began < 6
    assert log(site, TELCO).strip().splitlines()[-1].endswith("telco stopped")
    wait(lambda: gone(workers), "workers were left behind", 10)
    assert processes[BANK].wait(10) == 2
    os.killpg(processes[COORDINATOR].pid, number)
    assert processes[COORDINATOR].wait(10) == 0
    assert log(site, COORDINATOR).strip().splitlines()[-1].endswith("coordinator stopped")
    for role in processes:
        quiet(log(site, role))
    nothing_half_written(site)


def test_the_same_folders_still_train_after_an_interruption(site, parties):
    interrupted = parties.amid_a_pass()[BANK]
    os.killpg(interrupted.pid, signal.SIGINT)
    assert interrupted.wait(10) == 130
    processes = parties.amid_a_pass()
    assert processes[BANK].wait(120) == 0, log(site, BANK)
    assert re.search(r"resuming job [0-9a-f]{8} at: pass \d of 4; --afresh begins a new one", log(site, BANK))
    names = {path.name for path in (site.folder(BANK) / "out").iterdir()}
    assert names == {"model.json", "scores.csv", "study.json", "report.html", "result.json"}


def alive(folder):
    """Return the ids of our commands that were given a path in `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in line and re.search(r"-m tandem\.(cli|following) ", line):
                found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_demo_that_is_stopped_leaves_no_process_behind(tmp_path, number, code):
    out, told = tmp_path / "demo", tmp_path / "told"
    terms = ["--people", "2000", "--key-bits", "2048", "--workers", "1"]
    command = [sys.executable, "-m", "tandem.cli", "demo", "--study", "--out", str(out), *terms]
    with told.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait(lambda: (out / BANK / "ledger.sqlite").exists() or process.poll() is not None, "the study did not begin", 60)
        assert len(alive(out)) >= 4
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # a terminal tells the whole group
        else:
            process.send_signal(number)
        assert process.wait(20) == code, told.read_text()
        wait(lambda: not alive(out), "a process was left behind", 10)
        for role in (TELCO, COORDINATOR):  # told to stop, or left alone: each ended by itself
            assert (out / role / "node.log").read_text().strip().endswith(f"{role} stopped")
    finally:
        for pid in alive(out):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    quiet(told.read_text())
