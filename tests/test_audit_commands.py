"""An audit whole: a study over TLS under a contract that names an auditor, then the files between auditor, bank and telco."""

from __future__ import annotations

import asyncio
import json
import tomllib

import pytest
from three_parties import Cut, dies_at, make_site, run_study, serving
from typer.testing import CliRunner

from bank_party.main import app as bank_app
from bank_party.sealings import Sealings
from tandem.audit.export import write
from tandem.audit_commands import app
from tandem.contract import BANK, TELCO
from tandem.node.chance import System
from tandem.node.ledger_store import Ledger


def run(app_, *words):
    return CliRunner().invoke(app_, [str(word) for word in words])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A study of two passes and exact errors; the first pass is cut off once, after its sums came back."""
    folder = tmp_path_factory.mktemp("audited")
    assert run(app, "key", folder / "auditor", "--name", "Auditors", "--rows", "60").exit_code == 0
    card = tomllib.loads((folder / "auditor" / "auditor.toml").read_text())
    site = make_site(folder, auditor=card, layout={"passes": 2, "se": "exact"})
    site.keep_key()

    async def study():
        async with serving(site) as nodes:
            async with nodes.bank() as conductor:
                conductor.sealings = Sealings(site.folder(BANK) / "state" / "sealed", site.contract, System())
                dies_at(conductor, "train", 1, "Shares", sent=False)
                with pytest.raises(Cut):
                    await run_study(site, conductor)
            async with nodes.bank(afresh=False) as conductor:
                conductor.sealings = Sealings(site.folder(BANK) / "state" / "sealed", site.contract, System())
                await run_study(site, conductor)

    asyncio.run(study())
    return site


@pytest.fixture(scope="module")
def export(site):
    path = site.root / "telco.json"
    with Ledger(site.folder(TELCO) / "ledger.sqlite", read_only=True) as ledger:
        write(ledger, path, site.parties[TELCO].keys.signing, site.contract.digest.hex())
    return path


def test_honest_rows_are_opened_and_nothing_is_found(site, export, tmp_path):
    contract = site.folder(BANK) / "contract.toml"
    asked = run(app, "ask", contract, export, "--key", site.root / "auditor", "--rows", 25, "--out", tmp_path / "request.json")
    assert asked.exit_code == 0, asked.output
    answered = run(bank_app, "answer", tmp_path / "request.json", site.study, "--out", tmp_path / "answer.zip")
    assert answered.exit_code == 0, (answered.output, answered.exception)
    found = run(app, "open", contract, export, tmp_path / "request.json", tmp_path / "answer.zip", "--json", tmp_path / "found.json")
    assert found.exit_code == 0, (found.output, found.exception)
    facts = json.loads((tmp_path / "found.json").read_text())
    assert facts["clean"]
