from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from pathlib import Path

import pytest
from attacked.audits import CARD
from attacked.catalogue import NAMED, NOT_LANDED
from contracts import fields, signed
from three_parties import make_site, serving
from typer.testing import CliRunner

from tandem.audit import standing_page, trying
from tandem.audit.standing import ABSENT, names, standings
from tandem.audit_commands import GotThrough, app
from tandem.contract import BANK, COORDINATOR, TELCO, Contract
from tandem.errors import InputError
from tandem.node.config import NodeConfig
from tandem.pages import Words

SCORING = {"kind": "scoring", "card": "ab" * 32, "training": "cd" * 32}
ASKED = {"groups": 2, "segments": [{"name": "benefit", "levels": ["eat", "play"]}]}


def alone(**layout):
    made = fields(layout={"solver": "bank", **layout})
    del made["coordinator"]
    return Contract.read(made)


CONTRACTS = {
    "training": signed(), "scoring": signed(**SCORING), "alone": alone(), "open": signed(layout={"weights": "open"}),
    "cover": signed(layout={"cover": 4}), "audited": signed().amended({"auditor": CARD}),
    "measurement": Contract.read({**fields(kind="measurement", telco={"variables": 1}), "measurement": ASKED}),
}


def outcomes(name):
    return {one.id: one.outcome for one in standings(CONTRACTS[name], {}, "en")}


def test_every_attack_of_the_list_has_its_line_in_order():
    assert names() == tuple(name for name in NAMED if name not in NOT_LANDED)


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_is_filled_in_both_languages(name, language):
    words = Words(standing_page.WORDS, language)
    for one in standings(CONTRACTS[name], {"bits": 7}, language):
        assert one.title
        assert words(one.outcome)
        assert not re.search(r"[{}]", one.says)
        assert bool(re.search(r"[\u4e00-\u9fff]", one.title)) == (language == "zh")


@pytest.mark.parametrize(("name", "attack", "usual", "here"), [
    ("alone", "S1", "blocked", "printed"), ("alone", "S2", "blocked", "printed"), ("alone", "S7", "blocked", "bounded"),
    ("alone", "T2", "printed", "blocked"), ("open", "T3", "blocked", "printed"), ("open", "T1", "blocked", "printed"),
    ("open", "T7", "blocked", "printed"), ("cover", "A9", "printed", "blocked"), ("audited", "S8", "printed", "bounded"),
    ("scoring", "S1", "blocked", "blocked"), ("scoring", "S8", "printed", ABSENT), ("measurement", "S5", "bounded", ABSENT),
])
def test_settings_move_lines(name, attack, usual, here):
    assert outcomes("training")[attack] == usual
    assert outcomes(name)[attack] == here


def test_what_was_used_up_is_said():
    said = {one.id: one.says for one in standings(CONTRACTS["training"], {"identifiers": 4321, "bits": 16, "jobs": 1}, "en")}
    assert "4,321 were asked" in said["A2"]
    assert "16 are used up" in said["S6"]
    assert "1 of them begun" in said["S3"]


def test_what_is_planted_is_refused_by_the_code_installed_here():
    tried = {one.id: one for one in trying.on_the_code()}
    assert {name: (one.held, one.tries) for name, one in tried.items()} == {
        "A6": (10, 10), "K1": (3, 3), "K4": (9, 9), "K7": (8, 8), "N1": (2001, 2001),
    }
    assert all(one.whole for one in tried.values())


@pytest.mark.parametrize(("name", "place", "attack"), [
    ("admit", trying, "K4"), ("admit_points", trying.group, "A6"), ("load", trying.PublicKey, "K7"), ("_read", trying, "N1"),
])
def test_a_defence_that_is_gone_is_told(monkeypatch, name, place, attack):
    monkeypatch.setattr(place, name, lambda *_: None)
    tried = {one.id: one for one in trying.on_the_code()}
    assert not tried[attack].whole
    assert tried[attack].fault == "try 0 was taken"


def test_a_file_that_others_may_read_is_named(tmp_path):
    site = make_site(tmp_path)
    config = NodeConfig(folder=site.folder(TELCO))
    assert [one.whole for one in trying.on_the_files(config)] == [True]
    folder = site.folder(TELCO) / "keys"
    folder.chmod(0o755)
    (folder / "seed").chmod(0o644)
    (found,) = trying.on_the_files(config)
    assert (found.tries - found.held, found.whole) == (2, False)
    assert "others may read it" in found.fault


def test_strangers_at_our_own_port_are_not_let_in(tmp_path):
    site = make_site(tmp_path)

    async def knock():
        async with serving(site) as nodes:
            return [await asyncio.to_thread(trying.on_the_port, role, f"0.0.0.0:{nodes.ports[role]}") for role in (TELCO, COORDINATOR)]

    assert [(one.held, one.tries, one.fault) for one in asyncio.run(knock())] == [(4, 4, "")] * 2


def test_a_port_that_answers_anybody_is_told_and_a_quiet_one_is_no_try():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            for _ in range(2):
                link, _ = listener.accept()
                with link:
                    link.recv(1)
                    link.sendall(b"welcome")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = trying.on_the_port(TELCO, f"127.0.0.1:{listener.getsockname()[1]}")
        port = listener.getsockname()[1]
    assert found.fault == "plain text"
    assert trying.on_the_port(TELCO, f"127.0.0.1:{port}") is None


def test_the_report_is_a_table_a_file_and_a_page(tmp_path):
    site = make_site(tmp_path)
    run = tmp_path / "attacks.json"
    lines = [{"id": name, "fixture": "no check", "weakened": {"shown": "read 3/3"}} for name in ("K4a", "K4b")]
    run.write_text(json.dumps({"attacks": lines}))
    files = {"--json": tmp_path / "report.json", "--html": tmp_path / "report.html", "--recorded": run}
    words = ["report", str(site.folder(TELCO) / "node.toml"), *(str(word) for pair in files.items() for word in pair)]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0, shown.output
    assert "Nothing that was tried here got through" in shown.output
    found = json.loads(files["--json"].read_text())
    by_id = {one["id"]: one for one in found["attacks"]}
    assert by_id["K4"]["recorded"] == "no check: read 3/3; no check: read 3/3"
    assert by_id["K4"]["here"] == "9 of 9 refused"
    assert max(map(len, shown.output.splitlines())) <= 80
    page = files["--html"].read_text()
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<tr>") == len(found["attacks"]) + 1
    (site.folder(TELCO) / "keys").chmod(0o755)
    (site.folder(TELCO) / "keys" / "seed").chmod(0o644)
    broken = CliRunner().invoke(app, words)
    assert isinstance(broken.exception, GotThrough)
    assert "Got through here: files" in broken.output


def test_the_releases_own_run_is_found_from_any_folder(tmp_path, monkeypatch):
    site = make_site(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["report", str(site.study), "--json", "report.json"]).exit_code == 0
    found = {one["id"]: one["recorded"] for one in json.loads(Path("report.json").read_text())["attacks"]}
    released = standing_page.recorded(Path(__file__).resolve().parents[2] / "docs" / "security" / "attacks.json")
    assert len(released) > 40
    assert {name: text for name, text in found.items() if text and name} == {name: released[name] for name in found if name in released}


def test_the_banks_report_needs_no_port_and_a_foreign_file_is_refused(tmp_path):
    site = make_site(tmp_path)
    shown = CliRunner().invoke(app, ["report", str(site.study), "--lang", "zh", "--recorded", str(tmp_path / "none.json")])
    assert shown.exit_code == 0, shown.output
    assert "无人监听" not in shown.output
    for text in ("{}", "[1]", "x"):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(InputError, match="is no recorded run"):
            standing_page.recorded(tmp_path / "other.json")
    assert site.folder(BANK).exists()
