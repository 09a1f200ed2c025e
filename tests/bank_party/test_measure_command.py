"""`tandem bank measure` from study to measured.json; the peers play in this process."""

from __future__ import annotations

import json

import pytest
from both_drivers import LoopbackStage
from measured_site import configure, make_measured, outcomes, write_results
from three_parties import make_coordinator, make_telco
from typer.testing import CliRunner

from bank_party.conduct import Conductor
from bank_party.main import app
from bank_party.party import Party
from bank_party.side import side
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.engine.serial import Serial
from tandem.errors import InputError
from tandem.node.ledger_store import Ledger
from tandem.session.tap import untapped
from telco_party.side import side as telco_side


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = make_measured(tmp_path)
    site.keep_key()

    async def converse(_, run, job, _ledger, _pool, progress):
        with Ledger(tmp_path / "telco.sqlite") as telco, Ledger(tmp_path / "coordinator.sqlite") as coordinator:
            troupes = {TELCO: make_telco(site, telco), COORDINATOR: make_coordinator(site, coordinator)}
            stage = LoopbackStage(site.contract, troupes, lambda _: progress)
            return await run(Conductor(stage, site.contract, Serial(), Seeded(b"bank"), lambda _: untapped, job))

    monkeypatch.setattr(Party, "converse", converse)
    return site


def measure(site, *options):
    done = CliRunner().invoke(app, ["measure", str(site.study), *options], env={"COLUMNS": "80"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.mark.parametrize(("lang", "heading"), [("en", "activated"), ("zh", "激活")])
def test_a_study_ends_with_a_private_file_and_a_table(site, lang, heading):
    configure(site, lang=lang)
    shown = measure(site)
    path = site.folder(BANK) / "out" / "measured.json"
    assert path.stat().st_mode & 0o777 == 0o600
    found = json.loads(path.read_text())
    levels = found["segments"][0]["levels"]
    assert heading in shown
    assert max(map(len, shown.splitlines()[:-1])) <= 80
    for level in levels:
        assert level["level"].split()[0] in shown  # the rest may stand on the next line
        assert str(level["groups"][0]["activated"]) in shown
    assert "measured.json" in shown.splitlines()[-1]


def test_other_results_are_another_job(site, monkeypatch):
    async def cut(_, run, job, *_others):
        raise InputError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(Party, "converse", cut)
        with pytest.raises(InputError, match="cut"):
            measure(site)
    write_results(site, outcomes(seed=3))
    assert "customers matched" in measure(site, "--afresh")


def test_the_doctor_holds_both_tables_against_the_contract(site):
    for folder, file in ((side, site.study), (telco_side, site.folder(TELCO) / "node.toml")):
        (holding,) = folder(file).holdings
        holding.fit(site.contract, holding.read())
    text = (site.folder(TELCO) / "telco.csv").read_text()
    (site.folder(TELCO) / "telco.csv").write_text(text.replace("plan", "tariff", 1))
    (holding,) = telco_side(site.folder(TELCO) / "node.toml").holdings
    with pytest.raises(InputError, match="there is no column 'plan'"):
        holding.fit(site.contract, holding.read())
