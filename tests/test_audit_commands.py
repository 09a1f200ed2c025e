"""An audit whole: a study over TLS under a contract that names an auditor, then the files between auditor, bank and telco."""

from __future__ import annotations

import asyncio
import json
import tomllib
import zipfile
from types import SimpleNamespace

import pytest
from measured_site import make_measured, run_measurement
from three_parties import Cut, dies_at, make_site, paillier_key, run_study, serving
from typer.testing import CliRunner

from bank_party import studies
from bank_party.config import StudyConfig
from bank_party.main import app as bank_app
from bank_party.sealings import Sealings
from tandem.audit.export import write
from tandem.audit_commands import RowsFound, app
from tandem.contract import BANK, COORDINATOR, TELCO, dumps
from tandem.errors import ContractError, InputError
from tandem.ledger.disclosure import DECLARED
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.config import read
from tandem.node.ledger_store import Ledger

ROWS = 25


def run(app_, *words):
    return CliRunner().invoke(app_, [str(word) for word in words])


def done(app_, *words):
    result = run(app_, *words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


async def look_only(site, conductor):
    config = read(site.study, StudyConfig)
    prepared = studies.prepare(config, conductor.contract)
    await studies.look(config, conductor.contract, prepared, conductor, site.parties[BANK].keys.seed, paillier_key(), lambda *_: None)


async def study(site):
    """Train in two passes with exact errors; the first pass is cut off once, when its sums come back."""
    async with serving(site) as nodes:
        for afresh in (True, False):
            async with nodes.bank(afresh=afresh) as conductor:
                conductor.sealings = Sealings(site.folder(BANK) / "state" / "sealed", site.contract, System())
                if afresh:
                    dies_at(conductor, "train", 1, "Shares", sent=False)
                    with pytest.raises(Cut):
                        await run_study(site, conductor)
                else:
                    await run_study(site, conductor)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited")
    done(app, "key", folder / "auditor", "--name", "Auditors", "--rows", 2 * ROWS)
    card = tomllib.loads((folder / "auditor" / "auditor.toml").read_text())
    site = make_site(folder, auditor=card, layout={"passes": 2, "se": "exact"})
    site.keep_key()
    asyncio.run(study(site))
    return site


@pytest.fixture(scope="module")
def files(site):
    return files_of(site, site.root / "auditor")


def files_of(site, key):
    """Return what an honest audit leaves."""
    root = site.root
    found = SimpleNamespace(
        contract=site.folder(BANK) / "contract.toml", ledger=root / "telco.json", request=root / "request.json", answer=root / "answer.zip",
        key=key,
    )
    with Ledger(site.folder(TELCO) / "ledger.sqlite", read_only=True) as ledger:
        write(ledger, found.ledger, site.parties[TELCO].keys.signing, site.contract.digest.hex())
    found.asked = done(app, "ask", found.contract, found.ledger, "--key", found.key, "--rows", ROWS, "--out", found.request)
    found.answered = done(bank_app, "answer", found.request, site.study, "--out", found.answer)
    return found


def checked(files, **other):
    with_ = SimpleNamespace(**{**vars(files), **other})
    return done(app, "open", with_.contract, with_.ledger, with_.request, with_.answer)


def test_honest_rows_of_every_attempt_are_opened_and_nothing_is_found(files, tmp_path):
    facts = tmp_path / "found.json"
    said = done(app, "open", files.contract, files.ledger, files.request, files.answer, "--json", facts, "--lang", "zh")
    assert "抽查的 125 行均与运营商收到的一致" in said.replace("\n", "")
    found = json.loads(facts.read_text())
    assert found["clean"]
    names = [one["name"].replace(one["name"].split()[1], "-") for one in found["sealings"]]
    assert names == ["train -", "train -", "train -", "errors -", "errors - weights"]
    assert {(one["rows"], one["opened"]) for one in found["sealings"]} == {(320, ROWS)}
    assert "125 rows of 5 sealings opened, for Auditors alone" in " ".join(files.answered.split())


def test_the_answer_opens_the_drawn_rows_alone(files):
    with zipfile.ZipFile(files.answer) as archive:
        listed = json.loads(archive.read("answer.json"))
        assert {len(one["rows"]) for one in listed["sealings"]} == {ROWS}
        first = [row[0] for row in listed["sealings"][0]["rows"]]
        assert all([row[0] for row in one["rows"]] == first for one in listed["sealings"])  # the same persons in every pass
        assert set(listed) == {"contract", "format", "kind", "request", "sealings", "signature"}
        assert {name for one in listed["sealings"] for name in one} == {"frames", "key", "part", "rows", "session"}


def test_the_same_request_is_answered_again_and_a_further_one_within_the_cap(site, files, tmp_path):
    done(bank_app, "answer", files.request, site.study, "--out", tmp_path / "again.zip")
    with zipfile.ZipFile(tmp_path / "again.zip") as one, zipfile.ZipFile(files.answer) as other:
        assert one.read("answer.json") == other.read("answer.json")
    second, third = tmp_path / "second.json", tmp_path / "third.json"
    done(app, "ask", files.contract, files.ledger, "--key", files.key, "--rows", ROWS, "--out", second)
    done(bank_app, "answer", second, site.study, "--out", tmp_path / "second.zip")
    done(app, "ask", files.contract, files.ledger, "--key", files.key, "--rows", 1, "--out", third)
    with pytest.raises(InputError, match=r"of 50 they were opened, and auditor\.rows is 50: nothing is opened"):
        done(bank_app, "answer", third, site.study, "--out", tmp_path / "third.zip")
    assert not (tmp_path / "third.zip").exists()
    with pytest.raises(InputError, match="answers another request"):
        checked(files, request=second)
    with pytest.raises(ContractError, match=r"51 rows in every session are 51 persons, .*; auditor\.rows is 50"):
        done(app, "ask", files.contract, files.ledger, "--key", files.key, "--rows", 51, "--out", tmp_path / "more.json")


def test_a_request_that_the_auditor_did_not_sign_is_refused(site, files, tmp_path):
    done(app, "key", tmp_path / "stranger", "--name", "Stranger")
    with pytest.raises(ContractError, match=r"its auditor is Auditors, and .* holds another key"):
        done(app, "ask", files.contract, files.ledger, "--key", tmp_path / "stranger", "--out", tmp_path / "theirs.json")
    altered = json.loads(files.request.read_text())
    altered["seed"] = "00" * 32
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(altered, sort_keys=True, separators=(",", ":")) + "\n")
    with pytest.raises(InputError, match="not signed with the key that the contract names"):
        done(bank_app, "answer", changed, site.study, "--out", tmp_path / "answer.zip")
    for text in ("", "{}", "[]", files.request.read_text()[:-5]):
        changed.write_text(text)
        with pytest.raises(InputError, match="is no tandem-audit-request"):
            done(bank_app, "answer", changed, site.study, "--out", tmp_path / "answer.zip")
    assert not (tmp_path / "answer.zip").exists()


def test_rows_that_were_changed_on_the_banks_disk_are_not_opened(site, files, tmp_path):
    path = min((site.folder(BANK) / "state" / "sealed").rglob("*.rows"))
    before = path.read_bytes()
    for place, bits in ((-1, 1), (-8, 1)):  # the last number leaves its range, or is another of honest form
        altered = bytearray(before)
        altered[place] ^= bits
        disk.write(path, bytes(altered))
        with pytest.raises(InputError, match="does not come out as it was sent"):
            done(bank_app, "answer", files.request, site.study, "--out", tmp_path / "answer.zip")
        assert not (tmp_path / "answer.zip").exists()
    disk.write(path, before)


def test_a_ledger_that_the_telco_did_not_sign_is_no_commitment(site, files, tmp_path):
    path = tmp_path / "theirs.json"
    for signer, role in ((None, TELCO), (site.parties[BANK].keys.signing, TELCO), (site.parties[COORDINATOR].keys.signing, COORDINATOR)):
        with Ledger(site.folder(role) / "ledger.sqlite", read_only=True) as ledger:
            write(ledger, path, signer, site.contract.digest.hex())
        with pytest.raises(InputError, match="is not signed by the telco of contract"):
            checked(files, ledger=path)


def repacked(files, path, change):
    """Write the answer with files changed by `change(name, data)`; None leaves one out."""
    with zipfile.ZipFile(files.answer) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path


def test_an_answer_that_was_changed_or_cut_is_found(files, tmp_path):
    path = tmp_path / "answer.zip"
    repacked(files, path, lambda name, data: data if name == "answer.json" else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RowsFound, match="5 findings"):
        checked(files, answer=path)
    repacked(files, path, lambda name, data: data if name == "answer.json" or len(data) < 50_000 else None)
    said = run(app, "open", files.contract, files.ledger, files.request, path)
    assert "not what the telco received" in " ".join(said.output.split())
    assert isinstance(said.exception, RowsFound)
    repacked(files, path, lambda name, data: data.replace(b'"part":0', b'"part":1') if name == "answer.json" else data)
    with pytest.raises(InputError, match="not signed with the key"):
        checked(files, answer=path)
    for data in (b"", files.answer.read_bytes()[:-100], b"PK"):
        path.write_bytes(data)
        with pytest.raises(InputError, match="is no answer to an audit"):
            checked(files, answer=path)


def test_without_an_auditor_nothing_is_asked_or_kept(site, files, tmp_path):
    bare = site.contract.amended({"auditor": None})
    path = tmp_path / "contract.toml"
    path.write_text(dumps(bare))
    with pytest.raises(ContractError, match="names no auditor"):
        done(app, "ask", path, files.ledger, "--key", files.key, "--out", tmp_path / "request.json")


def test_a_look_and_a_measurement_are_audited_too(files, tmp_path):
    card = tomllib.loads((files.key / "auditor.toml").read_text())
    look, measured = make_site(tmp_path / "look", auditor=card), make_measured(tmp_path / "measured", auditor=card)

    async def play(site, run_):
        site.keep_key()
        async with serving(site) as nodes, nodes.bank() as conductor:
            conductor.sealings = Sealings(site.folder(BANK) / "state" / "sealed", site.contract, System())
            await run_(site, conductor)

    asyncio.run(play(look, look_only))
    asyncio.run(play(measured, run_measurement))
    for site, script in ((look, "describe"), (measured, "measure")):
        own = files_of(site, files.key)
        assert f"{script} " in checked(own)
        assert "All 25 rows are what the telco received" in " ".join(checked(own).split())


def test_nothing_of_an_audit_crosses_the_wire():
    assert not [name for name in DECLARED if "audit" in name.lower()]
