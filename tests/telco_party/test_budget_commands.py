"""`tandem telco budget`: what is printed, and that a lost ledger is gone on from by spending, not by forgetting."""

from __future__ import annotations

import json
import shutil
import tomllib

import pytest
import tomli_w
from three_parties import make_site, make_telco
from typer.testing import CliRunner

from tandem.contract import TELCO
from tandem.errors import RolledBack
from tandem.node import disk
from tandem.node.ledger_store import Ledger
from tandem.node.witness import Witness
from telco_party.main import app


@pytest.fixture
def site(tmp_path):
    site = make_site(tmp_path)
    path = site.folder(TELCO) / "node.toml"
    disk.write(path, tomli_w.dumps({**tomllib.loads(path.read_text()), "budget": {}}).encode())  # what is so by default
    with Ledger(place(site), witness=witness(site)) as ledger:
        budgets = make_telco(site, ledger)._budgets
        budgets.begin(site.contract, 1000, b"table")
        people = budgets.persons([f"p{i:04}".encode() for i in range(300)], "text")
        budgets.tell(site.contract, bytes(16), people)
        budgets.score(site.contract, people, 50)
        budgets.score(site.contract, people[:12], 50)
    return site


def place(site):
    return site.folder(TELCO) / "ledger.sqlite"


def witness(site):
    return Witness(site.folder(TELCO) / "ledger.witness")


def run(site, *words):
    found = CliRunner().invoke(app, ["budget", *words, "--config", str(site.folder(TELCO) / "node.toml")])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.stdout


def test_show_prints_every_counter_in_80_columns_and_persons_as_numbers(site):
    text = run(site, "show")
    lines = [line.split() for line in text.splitlines()]
    assert max(map(len, text.splitlines())) <= 80
    assert any(line[:5] == ["identifiers", "asked", "1,000", "10,000,000", "9,999,000"] for line in lines)
    assert any(line[:8] == ["bits", "of", "score", "a", "person", "100", "120", "20"] for line in lines)
    assert ["25", "to", "50", "%", "288"] in lines
    assert ["75", "to", "100", "%", "12"] in lines
    assert "p00" not in text


def test_show_as_json_holds_the_same(site):
    (peer,) = json.loads(run(site, "show", "--json"))
    assert peer["persons_by_share_of_bits"] == [0, 288, 0, 12]
    used = {one["counter"]: (one["used"], one["left"]) for one in peer["counters"]}
    assert used["bits"] == (100, 20)
    assert used["trainings"] == (1, 11)
    assert all(one["frees"].endswith("Z") for one in peer["counters"])


def test_both_commands_show_an_example(site):
    for command in ("show", "recover"):
        assert f"Example: tandem telco budget {command}" in " ".join(CliRunner().invoke(app, ["budget", command, "--help"]).stdout.split())


def test_a_ledger_put_back_is_refused_and_recovering_spends_all_that_contracts_allowed(site, tmp_path):
    with Ledger(place(site)) as ledger, ledger.together():
        pass
    shutil.copy(place(site), tmp_path / "backup")
    with Ledger(place(site), witness=witness(site)) as ledger:
        ledger.use(site.contract.digest.hex(), "jobs", 1, 3)
    shutil.copy(tmp_path / "backup", place(site))
    with pytest.raises(RolledBack, match="tandem telco budget recover"):
        run(site, "show")
    assert "1 contracts are used up" in run(site, "recover", "--yes")
    (peer,) = json.loads(run(site, "show", "--json"))
    caps = site.contract.caps
    used = {one["counter"]: one["used"] for one in peer["counters"]}
    assert used["bits"] >= caps.disclosure_bits
    assert used["identifiers"] >= caps.identifiers
    with Ledger(place(site), witness=witness(site)) as ledger:
        name = site.contract.digest.hex()
        assert [ledger.used(name, one) for one in ("identifiers", "bits", "jobs")] == [caps.identifiers, 100, 3]
    shutil.copy(tmp_path / "backup", place(site))
    with pytest.raises(RolledBack):
        run(site, "show")


def test_recovering_asks_first(site):
    assert "Is the newest ledger lost for good?" in run(site, "recover")
    (peer,) = json.loads(run(site, "show", "--json"))
    assert {one["counter"]: one["used"] for one in peer["counters"]}["trainings"] == 1
