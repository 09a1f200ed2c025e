from __future__ import annotations

import numpy as np
import pytest
from attacked.scorings import trait_codes
from attacked.signing import Draft
from typer.testing import CliRunner

from tandem.arguments import Seeded
from tandem.contract import loads
from tandem.contract_commands import app as contract_app
from tandem.errors import ContractError, InputError
from tandem.tables import Table
from telco_party import exposing
from telco_party.main import app


@pytest.fixture(scope="module")
def draft(tmp_path_factory):
    return Draft(tmp_path_factory.mktemp("signing"), trait_codes(2000, 3))


def exposed(draft, *options):
    found = CliRunner().invoke(app, ["exposure", str(draft.file), "--config", str(draft.file.parent / "telco" / "node.toml"), *options])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.output


def test_the_command_tells_the_share_in_both_languages(draft):
    draft.new("--max-exposure", "1/2")
    draft.signed()
    told = exposed(draft)
    assert "what it is told" in told
    assert "50.0%" in told
    assert "Tried on 1000 rows with made-up labels" in told
    assert "虚构" in exposed(draft, "--lang", "zh")


def test_the_telco_signs_at_the_limit_and_not_above_it_and_is_told_what_to_do(draft):
    draft.new("--max-exposure", "1/8")
    before = draft.file.read_bytes()
    refused = draft.signed()
    assert isinstance(refused.exception, ContractError)
    assert "a larger grain or card_step" in str(refused.exception)
    assert draft.file.read_bytes() == before
    draft.new("--max-exposure", "1/8", "--grain", "1/1", "--card-step", "20", "--passes", "1")
    signed = draft.signed()
    assert (signed.exit_code, draft.holds) == (0, True)
    assert "Predicted: from what it is told the bank will find" in signed.output
    assert loads(draft.file.read_text()).layout.max_exposure == "1/8"


def test_a_contract_without_limit_is_signed_without_a_table(draft):
    draft.new()
    config = draft.file.parent / "telco" / "node.toml"
    kept = config.read_text()
    config.unlink()
    try:
        assert draft.signed().exit_code == 0
        draft.new("--max-exposure", "1/2")
        refused = draft.signed()
    finally:
        config.write_text(kept)
    assert isinstance(refused.exception, InputError)
    assert "name your node.toml with --config" in str(refused.exception)


def test_the_bank_is_not_asked_for_a_table(draft):
    draft.new("--max-exposure", "1/2", "--grain", "1/1")
    draft.signed()
    keys = draft.file.parent / "bank" / "keys"
    assert CliRunner().invoke(contract_app, ["sign", str(draft.file), "--keys", str(keys), "--yes"]).exit_code == 0


def test_a_large_table_is_sampled(draft, monkeypatch, tmp_path):
    draft.new()
    draft.signed()
    monkeypatch.setattr(exposing.exposure, "TAUGHT", 500)
    monkeypatch.setattr(exposing.exposure, "ATTACKED", 300)
    codes = trait_codes(3000, 5)
    table = Table([str(i) for i in range(3000)], {f"v{j}": codes[:, j].astype(np.float64) for j in range(codes.shape[1])})
    found = exposing.predict(loads(draft.file.read_text()), table, tmp_path, Seeded(b"1"))
    assert found.rows == 300
