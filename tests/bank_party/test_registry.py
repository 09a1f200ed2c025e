"""The registry: at most one champion whatever happens, histories that only grow, and a model file that changed is found out."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
import tomli_w
from contracts import signed
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from ledgers import conversation, honest, stored
from typer.testing import CliRunner

from bank_party.main import app
from bank_party.models import Model
from bank_party.registry import MOVES, Event, Registry, Version, Window, digest_of
from tandem.contract import BANK, dumps
from tandem.contract.words import disclosures
from tandem.errors import ContractError, InputError
from tandem.node import disk

CONTRACT = signed()
RESULT = {
    "schema": 1, "asked": 900, "matched": 700, "train_rows": 500, "holdout_rows": 200, "holdout_positives": 40,
    "auc": {"bank_only": [0.6, 0.5, 0.7], "joint": [0.7, 0.6, 0.8], "joint_card": [0.7123, 0.61, 0.81], "pooled": None},
    "ks": {"bank_only": [0.2, 0.1, 0.3], "joint": [0.3, 0.2, 0.4], "joint_card": [0.3, 0.2, 0.4], "pooled": None},
    "auc_gain": [0.1, 0.02, 0.18], "auc_gain_p": 0.01, "verdict": "gain", "brier": 0.15, "threshold": 0.2,
}


def model(number=1, contract=CONTRACT):
    return Model(contract.digest.hex(), "ab" * 32, 1, (), (), (), (0.5,), (0.1,), (number,), (0.4,), 1.0)


def home(folder, contract=CONTRACT):
    """Make a bank's folder after a study: contract, model, result, ledger."""
    disk.make_private_folder(folder)
    disk.write(folder / "contract.toml", dumps(contract).encode())
    disk.make_private_folder(folder / "out")
    model().save(folder / "out" / "model.json")
    disk.write(folder / "out" / "result.json", json.dumps(RESULT).encode())
    rows = honest(conversation(passes=2, contract=contract.digest.hex()))[BANK]
    stored(folder / "ledger.sqlite", rows + honest(conversation(passes=1, contract="cd" * 32))[BANK])
    study(folder, "study", "out")
    return folder


def study(folder, name, out):
    disk.write(folder / f"{name}.toml", tomli_w.dumps({"out": out, "table": {"source": "bank.csv", "id": "phone"}}).encode())
    return folder / f"{name}.toml"


def another(folder, number=2):
    """Give the bank a second study with a model of its own."""
    out = folder / f"out{number}"
    disk.make_private_folder(out)
    model(number).save(out / "model.json")
    disk.write(out / "result.json", json.dumps(RESULT).encode())
    return study(folder, f"study{number}", out.name)


def asked(*words):
    done = CliRunner().invoke(app, ["models", *map(str, words)], catch_exceptions=False)
    return " ".join(done.stdout.split())


def told(folder, *words):
    return json.loads(CliRunner().invoke(app, ["models", *words, "--home", str(folder), "--json"], catch_exceptions=False).stdout)


def test_a_study_becomes_a_candidate_with_all_that_was_known(tmp_path):
    folder = home(tmp_path / "bank")
    assert "version v1 added as a candidate" in asked("add", folder / "study.toml", "--as-of", "2025-10-01", "--why", "first")
    (one,) = told(folder, "list")
    assert (one["version"], one["status"], one["intact"], one["parent"], one["model"]) == ("v1", "candidate", True, "", "out/model.json")
    assert (one["contract"], one["contract_id"]) == (CONTRACT.digest.hex(), CONTRACT.id)
    assert one["digest"] == digest_of(folder / "out" / "model.json")
    assert one["data"] == {"as_of": "2025-10-01", "asked": 900, "matched": 700, "train_rows": 500, "holdout_rows": 200}
    assert one["metrics"] == {name: RESULT[name] for name in one["metrics"]}
    assert {"auc", "ks", "auc_gain", "verdict", "brier"} <= set(one["metrics"])
    assert one["words"] == {language: [list(row) for row in disclosures(CONTRACT, language).rows] for language in ("en", "zh")}
    scores = [each for each in one["told"] if each["to"] == BANK and each["bits"]]
    assert sum(each["bits"] for each in scores) == 2 * 7  # two passes under this contract; the other contract's is not counted
    assert [(event["status"], event["why"]) for event in one["history"]] == [("candidate", "first")]
    assert (folder / "registry" / "v1.json").stat().st_mode & 0o077 == 0


def test_the_table_and_the_whole_are_shown(tmp_path):
    folder = home(tmp_path / "bank")
    assert asked("list", "--home", folder) == "no version is registered here"
    asked("add", folder / "study.toml")
    asked("add", another(folder), "--parent", "v1", "--version", "june", "--home", folder)
    line = asked("list", "--home", folder)
    assert "v1 candidate 0.7123 (0.610-0.810) +0.1000 gain 700 14 -" in line
    assert line.endswith("gain 700 14 v1")
    assert "当前版本" in asked("promote", "june", "--home", folder, "--lang", "zh")
    whole = asked("show", "june", "--home", folder)
    assert "champion" in whole
    assert f"{CONTRACT.id} ({CONTRACT.digest.hex()[:16]})" in whole
    assert "sessions: 2, 14 bits a person" in whole
    assert "auc joint_card 0.7123 (0.6100 - 0.8100) auc pooled -" in whole
    assert " ".join(disclosures(CONTRACT, "en").rows[0][1].split())[:30] in whole


def test_promoting_retires_the_champion_and_either_may_come_back(tmp_path):
    folder = home(tmp_path / "bank")
    asked("add", folder / "study.toml")
    asked("add", another(folder), "--parent", "v1")
    assert asked("promote", "v1", "--home", folder) == "version v1 is the champion"
    assert asked("promote", "v2", "--home", folder, "--why", "better in June") == "version v2 is the champion; v1 retires"
    assert asked("promote", "v1", "--home", folder) == "version v1 is the champion; v2 retires"
    first, second = told(folder, "list")
    assert [event["status"] for event in first["history"]] == ["candidate", "champion", "retired", "champion"]
    assert [(event["status"], event["why"]) for event in second["history"]][1:] == [
        ("champion", "better in June"), ("retired", "v1 was promoted"),
    ]
    with pytest.raises(InputError, match="v1 is the champion already"):
        asked("promote", "v1", "--home", folder)


def test_a_model_that_was_trained_over_is_said_loudly_and_not_promoted(tmp_path):
    folder = home(tmp_path / "bank")
    asked("add", folder / "study.toml")
    model(7).save(folder / "out" / "model.json")
    for line in (asked("list", "--home", folder), asked("show", "v1", "--home", folder)):
        assert "WARNING: version v1: out/model.json is gone or is NOT the file that was registered" in line
    assert told(folder, "show", "v1")["intact"] is False
    with pytest.raises(InputError, match="is NOT the file that was registered"):
        asked("promote", "v1", "--home", folder)
    (folder / "out" / "model.json").unlink()
    assert told(folder, "list")[0]["intact"] is False


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--version", "../x"], "take letters, digits"), (["--version", "v1"], "exists already|is version v1 already"),
        (["--parent", "v9"], "parent 'v9' is no version here"), (["--as-of", "October"], "is no day"),
    ],
)
def test_what_cannot_be_added_is_refused(tmp_path, words, text):
    folder = home(tmp_path / "bank")
    asked("add", folder / "study.toml")
    with pytest.raises(InputError, match=text):
        asked("add", another(folder), *words)
    assert len(told(folder, "list")) == 1


def test_a_name_that_is_taken_a_model_that_is_here_and_a_model_of_another_contract(tmp_path):
    folder = home(tmp_path / "bank")
    asked("add", folder / "study.toml")
    with pytest.raises(InputError, match=r"this model\.json is version v1 already"):
        asked("add", folder / "study.toml")
    with pytest.raises(InputError, match="it exists already"):
        asked("add", another(folder), "--version", "v1")
    disk.write(folder / "contract.toml", dumps(signed(description="another")).encode())
    with pytest.raises(ContractError, match="trained under another contract"):
        asked("add", folder / "study.toml")


def test_a_result_of_another_version_is_not_read(tmp_path):
    folder = home(tmp_path / "bank")
    disk.write(folder / "out" / "result.json", json.dumps({**RESULT, "schema": 2}).encode())
    with pytest.raises(InputError, match="of another version: run `tandem bank report"):
        asked("add", folder / "study.toml")


def test_nothing_is_there_to_show_or_promote(tmp_path):
    for command in ("show", "promote"):
        with pytest.raises(InputError, match="has no version 'v1'"):
            asked(command, "v1", "--home", tmp_path)


def change(folder, alter):
    path = folder / "registry" / "v1.json"
    data = json.loads(path.read_text())
    alter(data)
    disk.write(path, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("alter", "text"),
    [
        (lambda data: data["history"].clear(), "history"), (lambda data: data["history"].pop(0), "changed by hand"),
        (lambda data: data["history"].append(data["history"][-1]), "changed by hand"),
        (lambda data: data.update(version="v2"), "changed by hand"), (lambda data: data.pop("digest"), "digest"),
        (lambda data: data.update(more=1), "more"),
    ],
)
def test_a_file_changed_by_hand_is_refused(tmp_path, alter, text):
    folder = home(tmp_path / "bank")
    asked("add", folder / "study.toml")
    asked("promote", "v1", "--home", folder)
    change(folder, alter)
    with pytest.raises(InputError, match=text):
        asked("list", "--home", folder)


class Life(RuleBasedStateMachine):
    """Any order of additions, promotions, broken model files and crashes between the two writes of a promotion."""

    versions = Bundle("versions")

    def __init__(self):
        super().__init__()
        self.room = tempfile.TemporaryDirectory()
        self.home = Path(self.room.name)
        self.registry = Registry(self.home)
        self.known = {}
        self.clock = 0

    def teardown(self):
        self.room.cleanup()

    def now(self):
        self.clock += 1
        return f"2027-01-01T00:00:{self.clock:06}"

    @rule(target=versions)
    def add(self):
        name = f"v{self.clock}"
        path = self.home / f"{name}.model"
        disk.write(path, name.encode())
        self.registry.add(Version(
            version=name, study="s", contract="c", contract_id="i", model=path.name, digest=digest_of(path),
            data=Window(asked=1, matched=1, train_rows=1, holdout_rows=0), metrics={}, words={}, told=[],
            history=(Event(at=self.now(), status="candidate"),),
        ))
        return name

    @rule(name=versions)
    def promote(self, name):
        before = self.registry.version(name)
        if before.status == "champion" or not self.registry.intact(before):
            with pytest.raises(InputError):
                self.registry.promote(name, self.now())
        else:
            self.registry.promote(name, self.now())
            assert self.registry.version(name).status == "champion"

    @rule(name=versions)
    def crash(self, name):
        """The second write of a promotion never comes."""
        written = []

        class Dies(Registry):
            def _move(self, version, event):
                if written:
                    raise KeyboardInterrupt
                written.append(version)
                super()._move(version, event)

        with suppress(InputError, KeyboardInterrupt):
            Dies(self.home).promote(name, self.now())

    @rule(name=consumes(versions), lost=st.booleans())
    def tamper(self, name, lost):
        path = self.home / f"{name}.model"
        if lost:
            path.unlink()
        else:
            disk.write(path, b"another")
        assert not self.registry.intact(self.registry.version(name))

    @invariant()
    def at_most_one_champion(self):
        assert [one.status for one in self.registry.versions()].count("champion") <= 1

    @invariant()
    def what_was_written_stays(self):
        for one in self.registry.versions():
            old = self.known.get(one.version, ())
            assert one.history[: len(old)] == old
            assert all(after.status in MOVES[before.status] for before, after in pairwise(one.history))
            self.known[one.version] = one.history
        assert len(self.known) == len(self.registry.versions())


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)


def test_a_version_begins_as_a_candidate(tmp_path):
    folder = home(tmp_path / "bank")
    asked("add", folder / "study.toml")
    one = Registry(folder).version("v1")
    with pytest.raises(InputError, match="begins as a candidate"):
        Registry(folder).add(one.model_copy(update={"version": "v2", "history": (Event(at="2027", status="champion"),)}))
