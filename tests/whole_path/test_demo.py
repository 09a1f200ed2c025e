"""The whole path in real processes: demo, report, ledgers, the same again by hand, a look, new customers under a scoring contract."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
import tomli_w

from bank_party.reports.model import iv_band
from tandem import cli
from tandem.align.identifiers import normalise
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, loads
from tandem.demo.processes import node
from tandem.ledger.disclosure import declared
from tandem.node.ledger_store import Ledger

ROOT = Path(__file__).parents[2]
PEOPLE = 2500


def tandem(*command, expect=0):
    done = subprocess.run([sys.executable, "-m", "tandem.cli", *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def quietly(*command):
    """Run a command in this process."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(part) for part in command])
    assert not ended.value.code


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A demo's folder; `told` in it is what the demo printed."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    told = tandem("demo", "--study", "--out", folder, "--people", PEOPLE, "--key-bits", 2048, "--passes", 1, "--workers", 1)
    (folder / "told").write_text(told)
    return folder


@pytest.fixture(scope="module")
def nodes(out):
    """Both nodes of the demo's folder, started again by hand."""
    with ExitStack() as stack:
        for role in (COORDINATOR, TELCO):
            (out / role / "node.log").rename(out / role / "demo.log")
            stack.enter_context(node(out / role, role))
        yield out


@cache
def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_the_demo_leaves_reports_figures_models_and_ledgers(out):
    told = (out / "told").read_text()
    assert "customers matched" in told
    assert "pooled (rehearsal)" in told
    result = json.loads((out / "result.json").read_text())
    schema = re.findall(r"^\| (`.*?`) \|", (ROOT / "docs" / "result-schema.md").read_text(), re.MULTILINE)
    assert set(result) == {name for cell in schema for name in re.findall(r"`(\w+)`", cell)}
    for measure in ("auc", "ks"):
        assert set(result[measure]) == {"bank_only", "joint", "joint_card", "pooled"}
        for value, low, high in result[measure].values():
            assert 0 <= low <= value <= high <= 1
    assert result["synthetic"] is True
    assert (result["key_bits"], result["passes"], result["asked"]) == (2048, 1, len(rows(out / "city" / "bank.csv")))
    assert result["matched"] == sum(row["matched"] == "1" for row in rows(out / "bank" / "out" / "scores.csv"))
    assert result["coefficients_max_se_difference"] > 0
    low, high = result["se_ratios"]
    assert 0.5 < low <= high < 2.0
    assert f"standard errors are {low:.3f} to {high:.3f} of the pooled fit's" in told
    assert set(result["seconds"]) == {"align", "start", "pass_1", "score", "rehearsal"}
    assert set(result["peak_memory"]) == {"bank", "bank worker 1", "telco", "telco worker 1", "coordinator"}
    assert {"bank to telco", "telco to coordinator", "coordinator to bank"} <= set(result["bytes"])
    page = (out / "report.html").read_text()
    assert "<svg" in page or "data:image/png" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_ledgers_hold_and_agree(out):
    frames = {}
    for role in ROLES:
        with Ledger(out / role / "ledger.sqlite", read_only=True) as ledger:
            assert ledger.verify() is None
            for entry in ledger.entries():
                way = (role, entry.peer) if entry.direction == "sent" else (entry.peer, role)
                frames.setdefault((*way, entry.direction), []).append(entry.frame)
        quietly("ledger", "verify", out / role / "ledger.sqlite")
    assert len(frames) == 12
    for (sender, receiver, direction), digests in frames.items():
        if direction == "sent":
            assert sorted(digests) == sorted(frames[sender, receiver, "received"])
    quietly("ledger", "compare", *(out / role / "ledger.sqlite" for role in ROLES))


def test_the_telcos_ledger_lists_nothing_label_derived_in_clear(out):
    with Ledger(out / TELCO / "ledger.sqlite", read_only=True) as ledger:
        received = {entry.message for entry in ledger.entries() if entry.direction == "received"}
        told = {(one.what, one.bits) for entry in ledger.entries() for one in entry.disclosed if one.to == TELCO}
        assert {counter for _, counter, _ in ledger.usage()} == {"identifiers", "bits", "jobs"}
    assert {"Sealed", "Table", "Query", "Roster"} <= received
    assert not [message for message in received if declared(message).label_in_clear]
    assert {what for what, _ in told} == {"sizes", "digests", "asked", "roster", "modulus", "ran"}
    assert {bits for _, bits in told} == {0}


def secrets(out):
    """Return bytes that nobody but their owner may hold: phones as written, cleaned, hashed and encoded."""
    found = set()
    for row in rows(out / "city" / "bank.csv")[::7] + rows(out / "city" / "telco.csv")[::7]:
        written = row["phone"]
        clean = normalise([written], "phone").values[0]
        plain = re.sub(rb"\D", b"", clean)
        for text in {written.encode(), clean, plain, plain[-11:]}:
            found |= {text, base64.b64encode(text).rstrip(b"="), text.hex().encode()}
            for name in ("sha256", "md5", "sha1"):
                digest = hashlib.new(name, text).digest()
                found |= {digest, digest.hex().encode(), base64.b64encode(digest)}
    assert len(found) > 5000
    return found


def files(*folders):
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


def test_no_identifier_stands_in_a_log_a_ledger_or_what_was_printed(out):
    planted = secrets(out)
    ledgers = [path for role in ROLES for path in (out / role).glob("ledger.sqlite*")]
    logs = [path for role in ROLES for path in (out / role).glob("*.log")]
    assert len(ledgers) >= 3
    assert len(logs) >= 2
    for path in [*ledgers, *logs, out / "told", *files(out / COORDINATOR), *files(out / TELCO / "state")]:
        data = path.read_bytes()
        hits = [secret for secret in planted if secret in data]
        assert not hits, f"{path.name} holds {len(hits)} identifiers"


def test_no_party_holds_what_is_the_others(out):
    names = {role: set(rows(out / "city" / f"{role}.csv")[0]) for role in (BANK, TELCO)}
    telling = {role: {name for name in names[role] if "_" in name or name == "activated"} for role in names}  # "play" may stand anywhere
    own, theirs = ([name.encode() for name in telling[one] - names[other]] for one, other in ((BANK, TELCO), (TELCO, BANK)))
    assert b"activated" in own
    assert len(theirs) >= 5
    for folder, names in ((TELCO, own), (COORDINATOR, own + theirs), (BANK, theirs)):
        for path in files(out / folder):
            data = path.read_bytes()
            assert not [name for name in names if re.search(rb"\b" + re.escape(name) + rb"\b", data)], path
        private = [path for path in files(out / folder) if b"-----BEGIN PRIVATE" in path.read_bytes()]
        assert {path.parent.name for path in private} == {"keys"}


def test_secrets_are_for_their_owner_alone(out):
    for path in files(out / BANK, out / TELCO, out / COORDINATOR):
        if path.parent.name in {"keys", "state", "models", "out"} or path.name.startswith("ledger"):
            assert path.stat().st_mode & 0o077 == 0 or path.name in {"report.html", "result.json"}, path


def test_english_and_chinese_reports(out):
    study = out / BANK / "study.toml"
    quietly("bank", "report", study, "--lang", "zh", "--rehearsal", out / BANK / "out" / "rehearsal.json")
    chinese = (out / BANK / "out" / "report.html").read_text()
    quietly("bank", "report", study, "--lang", "en", "--rehearsal", out / BANK / "out" / "rehearsal.json")
    english = (out / BANK / "out" / "report.html").read_text()
    assert "合并" in chinese
    assert "匹配" in chinese
    assert not re.search("[一-鿿]", re.sub(r'lang="zh[^"]*"', "", english).replace("无记录", ""))
    assert english == (out / "report.html").read_text()


def test_training_again_by_hand_gives_the_same_model(nodes):
    folder = nodes / BANK / "out"
    first = {name: (folder / name).read_bytes() for name in ("model.json", "scores.csv")}
    card = {path.name: path.read_bytes() for path in (nodes / TELCO / "state" / "models").iterdir()}
    told = tandem("bank", "train", nodes / BANK / "study.toml")
    assert "written to" in told
    assert {name: (folder / name).read_bytes() for name in first} == first
    assert {path.name: path.read_bytes() for path in (nodes / TELCO / "state" / "models").iterdir()} == card


def test_a_look_before_training_prints_the_telcos_variables(nodes):
    told = tandem("bank", "describe", nodes / BANK / "study.toml")
    model = json.loads((nodes / BANK / "out" / "model.json").read_text())
    for one in model["described"]:
        assert re.search(rf"^ *{one['alias']} .* {one['iv']:.4f} +{iv_band(one['iv'])} ", told, re.MULTILINE)
    assert "customers matched" in told


def test_new_customers_are_scored_under_a_scoring_contract(nodes):
    bank, model = nodes / BANK, json.loads((nodes / BANK / "out" / "model.json").read_text())
    training = loads((bank / "contract.toml").read_text())
    known, strangers = rows(nodes / "city" / "bank.csv")[:250], rows(nodes / "city" / "telco.csv")
    there = {normalise([row["phone"]], "phone").values[0] for row in rows(nodes / "city" / "bank.csv")}
    new = [row["phone"] for row in strangers if normalise([row["phone"]], "phone").values[0] not in there][:80]
    columns = [name for name in known[0] if name != "activated"]
    with (bank / "new.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(known)
        writer.writerows({**known[at], "phone": phone} for at, phone in enumerate(new))
    path = bank / "scoring.toml"
    cards = [part for role in ROLES for part in (f"--{role}", nodes / role / f"{role}.toml")]
    quietly(
        "contract", "new", path, *cards, "--description", "Score new customers", "--identifiers", 400, "--table", training.caps.table,
        "--bank-columns", training.layout.bank_columns, "--kind", "scoring", "--card", model["card"], "--training", model["contract"],
        "--min-matched", 100, "--key-bits", 2048,
    )
    for role in (TELCO, BANK, COORDINATOR):
        more = ("--variables", training.telco.variables) if role == TELCO else ()
        quietly("contract", "sign", path, "--keys", nodes / role / "keys", "--yes", *more)
    quietly("contract", "verify", path)
    for role in (TELCO, COORDINATOR):
        (nodes / role / "contracts" / "scoring.toml").write_bytes(path.read_bytes())
    study = tomllib.loads((bank / "study.toml").read_text())
    study |= {"contract": "scoring.toml", "model": "out/model.json", "out": "scored", "table": {"file": "new.csv", "id": "phone"}}
    (bank / "score.toml").write_text(tomli_w.dumps(study))

    told = tandem("bank", "score", bank / "score.toml")
    scored = rows(bank / "scored" / "scored.csv")
    before = {row["id"]: row for row in rows(bank / "out" / "scores.csv")}
    assert len(scored) == len(known) + len(new)
    matched = sum(row["matched"] == "1" for row in scored)
    assert f"{matched} of {len(scored)} customers scored with the card" in told.replace("\n", " ")
    for row in scored[: len(known)]:
        earlier = before[row["id"]]
        assert (row["matched"], row["bank_probability"]) == (earlier["matched"], earlier["bank_only"])
        if row["matched"] == "1":
            assert (row["probability"], row["telco_points"]) == (earlier["joint_card"], earlier["points"])
        else:
            assert (row["probability"], row["telco_points"]) == (earlier["bank_only"], "")
    assert all(row["matched"] == "1" for row in scored[len(known) :])
    assert len({row["telco_points"] for row in scored}) > 20

    digest = loads(path.read_text()).digest.hex()
    with Ledger(nodes / TELCO / "ledger.sqlite", read_only=True) as ledger:
        assert ledger.used(digest, "bits") == 9
        assert ledger.used(digest, "jobs") == 1
    again = tandem("bank", "score", bank / "score.toml", expect=2)  # one job was agreed on
    assert "the telco refused or failed" in again.replace("\n", " ")
    assert "2 jobs would have been begun" in (nodes / TELCO / "node.log").read_text()


def test_a_second_demo_does_not_overwrite_the_first_nor_a_foreign_folder(out, tmp_path):
    assert "holds an earlier demo" in tandem("demo", "--out", out, expect=2).replace("\n", " ")
    (tmp_path / "mine.txt").write_text("mine")
    assert "no earlier demo made it" in tandem("demo", "--out", tmp_path, "--force", expect=2).replace("\n", " ")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_nodes_told_their_operators_no_fault(nodes):
    for role in (TELCO, COORDINATOR):
        for name in ("demo.log", "node.log"):
            text = (nodes / role / name).read_text()
            assert "Traceback" not in text
            assert "fault of our own" not in text
            assert "CHECK FAILED" not in text
