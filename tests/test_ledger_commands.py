from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest
from contracts import KEYS, signed
from ledgers import conversation, honest, stored
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from tandem.audit.export import LedgerBroken
from tandem.audit.waiting import waiting
from tandem.cli import main
from tandem.contract import ROLES, TELCO, dumps
from tandem.errors import InputError
from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import Disclosed, declared
from tandem.ledger_commands import LedgersDiffer, app
from tandem.node.certificates import issue, make_authority
from tandem.node.keys import Keys, save
from tandem.node.ledger_store import Ledger


def run(*arguments):
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def path(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for message, direction, count in (("Tags", "sent", 3), ("Query", "received", 4), ("Roster", "received", 1), ("Scores", "sent", 2)):
            for _ in range(count):
                to = "bank" if direction == "sent" else "telco"
                said = declared(message).to(to, 7)
                ledger.append(
                    Entry("2027-02-01T09:30:00Z", "ab" * 32, "cd" * 16, direction, "bank", "align", message, 1000, "ef" * 32, said)
                )
        ledger.use("ab" * 32, "bits", 30, 30)
    return tmp_path / "ledger.sqlite"


def test_show_sums_by_class_and_says_what_was_disclosed(path):
    shown = run("show", path).output
    words = " ".join(shown.split())
    assert words.count("-> bank") == 2
    assert words.count("<- bank") == 2
    assert "3,000" in words
    assert "telco: how many" in words
    assert "bits a person" in words
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


def test_bits_add_up_over_sessions_but_not_over_frames(path):
    with Ledger(path) as ledger:
        for session in ("01", "01", "02", "02"):
            said = declared("Scores").to("bank", 9)
            ledger.append(Entry("2027-02-01T09:30:00.125+00:00", "ab" * 32, session, "sent", "bank", "card", "Scores", 10, "ef" * 32, said))
    words = " ".join(run("show", path).output.split())
    assert "(7 bits a person)" in words
    assert "(18 bits a person)" in words


def test_show_frame_by_frame(path):
    assert run("show", path, "--frames").output.count("1,000") == 10


def test_show_in_chinese(path):
    shown = run("show", path, "--lang", "zh").output
    assert "运营商" in shown
    assert "每人披露比特" in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


def test_verify_says_where_the_chain_breaks(path):
    assert "10 entries, the chain holds" in run("verify", path).output
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER no_change")
        database.execute("UPDATE entries SET size = 5 WHERE number = 4")
        database.commit()
    with pytest.raises(LedgerBroken, match="breaks at entry 4: entry 4 was changed"):
        run("verify", path)


# -- compare, export, page ---------------------------------------------------------------------------------------------------------------

TERMS = signed()
DIGEST = TERMS.digest.hex()
CERTIFICATE = issue(make_authority(), TELCO)[1]


@pytest.fixture
def three(tmp_path):
    """Return the folder of three honest ledgers, each party's keys, and the contract."""
    for role, rows in honest(conversation(contract=DIGEST)).items():
        stored(tmp_path / f"{role}.sqlite", rows, [(DIGEST, "bits", 14)] if role == TELCO else ())
        save(tmp_path / f"{role}.keys", Keys(b"-", CERTIFICATE, b"-", KEYS[role], bytes(32)))
    (tmp_path / "contract.toml").write_text(dumps(TERMS))
    return tmp_path


def rewritten(folder, role, change, name="rewritten.sqlite"):
    """Return a ledger in which `change` was done to the rows, and the chain made anew with our own functions."""
    rows = honest(conversation(contract=DIGEST))[role]
    change(rows)
    path = stored(folder / name, rows)
    run("verify", path)
    return path


def export(folder, role, *more, ledger=None, name=None):
    out = folder / (name or f"{role}.json")
    run("export", ledger or folder / f"{role}.sqlite", "--out", out, *more)
    return out


def test_ledgers_that_agree(three):
    said = run("compare", *(three / f"{role}.sqlite" for role in ROLES)).output
    assert said.count("no row differs") == 3
    between = sum({frame[3], frame[4]} == {"bank", TELCO} for frame in conversation())
    assert f"{between} frames of 3 sessions under 1 contract were held against each other" in " ".join(said.split())
    assert said.endswith("The ledgers agree.\n")
    assert "一致" in run("compare", three / "bank.sqlite", three / "telco.sqlite", "--lang", "zh").output


def test_a_row_dropped_and_chained_anew_is_named(three, capsys):
    path = rewritten(three, TELCO, lambda rows: rows.pop(5))
    with pytest.raises(LedgersDiffer, match="differ in one row"):
        run("compare", three / "bank.sqlite", path)
    with pytest.raises(SystemExit) as stopped:
        main(["ledger", "compare", str(three / "bank.sqlite"), str(path)])
    assert stopped.value.code == 2
    said = capsys.readouterr()
    lines = [line for line in said.out.splitlines() if "Query" in line]
    assert [line.split() for line in lines] == [["missing", "at", "telco,", "or", "6", "-", "2027-02-01", "align", "Query"]]
    assert max(map(cell_len, said.out.splitlines())) <= 80
    assert "differ in one row" in said.err


@pytest.mark.parametrize(("change", "text"), [
    (lambda rows: rows.insert(6, replace(rows[5], frame="00" * 32)), "extra"),
    (lambda rows: rows.insert(5, rows.pop(6)), "out of order"),
    (lambda rows: rows.append(replace(rows.pop(), disclosed=(Disclosed("telco", "scores", 99),))), "changed: disclosed"),
])
def test_extra_swapped_and_edited_rows_are_named(three, capsys, change, text):
    path = rewritten(three, TELCO, change)
    with pytest.raises(SystemExit) as stopped:
        main(["ledger", "compare", *(str(three / f"{role}.sqlite") for role in ROLES if role != TELCO), str(path)])
    assert stopped.value.code == 2
    assert text in capsys.readouterr().out


def test_a_session_that_was_cut_off_is_no_difference(tmp_path):
    rows = honest(conversation(1)[:15 + 7])
    rows[TELCO].pop()
    said = " ".join(run("compare", *(stored(tmp_path / f"{role}.sqlite", rows[role]) for role in ("bank", TELCO))).output.split())
    assert "Session 0000000000000000 (train) did not close: the frame that the bank sent last was never received (row 21 of" in said
    assert said.endswith("The ledgers agree.")


def test_only_so_many_differences_fill_the_screen(three, capsys):
    path = rewritten(three, TELCO, lambda rows: rows.extend(replace(rows[5], frame=f"{at:064x}") for at in range(60)))
    with pytest.raises(SystemExit):
        main(["ledger", "compare", str(three / "bank.sqlite"), str(path)])
    said = capsys.readouterr().out
    assert said.count("Query") == 50
    assert "and 10 more" in said


def test_one_ledger_cannot_be_compared(three):
    with pytest.raises(InputError, match="name a second"):
        run("compare", three / "bank.sqlite")


def test_a_signed_export_travels_and_is_checked(three):
    out = export(three, TELCO, "--keys", three / "telco.keys")
    assert "signature holds, by the key in the contract" in run("verify", out, "--contract-file", three / "contract.toml").output
    assert f"by key {KEYS[TELCO].public_key().public_bytes_raw().hex()}" in run("verify", out).output
    assert "The ledgers agree" in run("compare", three / "bank.sqlite", out, "--contract-file", three / "contract.toml").output


def test_an_export_with_a_bad_signature_is_refused_by_verify_compare_and_page(three):
    out = export(three, TELCO, "--keys", three / "telco.keys")
    out.write_text(out.read_text().replace('["' + DIGEST + '","bits",14]', '["' + DIGEST + '","bits",13]'))
    for command in (("verify", out), ("compare", three / "bank.sqlite", out), ("page", out, "--out", three / "page.html")):
        with pytest.raises(LedgerBroken, match="changed after it was signed"):
            run(*command)
    assert "changed after it was signed" in (three / "page.html").read_text()


def test_an_export_signed_by_another_is_refused(three):
    out = export(three, TELCO, "--keys", three / "bank.keys")
    with pytest.raises(LedgerBroken, match="by a key that the contract does not name"):
        run("verify", out, "--contract-file", three / "contract.toml")


def test_verify_prints_the_head_and_holds_the_ledger_against_an_earlier_export(three):
    path = three / "telco.sqlite"
    with Ledger(path) as ledger:
        number, last = ledger.head
    assert f"Head: {number} {last}" in " ".join(run("verify", path).output.split())
    earlier = export(three, TELCO)
    assert f"all {number} entries exported at" in run("verify", path, "--against", earlier).output
    short = rewritten(three, TELCO, lambda rows: rows.pop())
    with pytest.raises(LedgerBroken, match=f"entry {number}, exported at .* is gone"):
        run("verify", short, "--against", earlier)
    with pytest.raises(InputError, match="is no export"):
        run("verify", path, "--against", short)


def test_an_export_of_one_contract(three):
    out = export(three, TELCO, "--contract", DIGEST)
    assert "no row differs" in run("compare", three / "bank.sqlite", out).output
    with pytest.raises(InputError, match="no digest of 64 hex digits"):
        export(three, TELCO, "--contract", DIGEST[:16])
    with pytest.raises(InputError, match="too few entries of that contract"):
        export(three, TELCO, "--contract", "00" * 32, name="none.json")


@pytest.mark.parametrize(("lang", "agree", "differ"), [
    ("en", "The ledgers agree.", "differ in one row"), ("zh", "各方账本一致。", "有 1 行不一致"),
])
def test_the_page_in_both_languages(three, lang, agree, differ):
    out = three / "page.html"
    run("page", *(three / f"{role}.sqlite" for role in ROLES), "--out", out, "--lang", lang, "--contract-file", three / "contract.toml")
    assert agree in out.read_text()
    with pytest.raises(LedgersDiffer):
        run("page", three / "bank.sqlite", rewritten(three, TELCO, lambda rows: rows.pop(5)), "--out", out, "--lang", lang)
    assert differ in out.read_text()
    assert out.stat().st_mode & 0o077 == 0


def test_a_progress_bar_appears_only_after_a_while_and_on_a_terminal(monkeypatch):
    clock = iter([0.0, 1.0, 5.0, 0.0, 9.0])
    monkeypatch.setattr("tandem.audit.waiting.time", SimpleNamespace(monotonic=lambda: next(clock)))
    screen = Console(force_terminal=True, file=StringIO(), width=80)
    with waiting("reading", 3000, screen) as tick:
        for _ in range(1000):
            tick(1)
        assert "reading" not in screen.file.getvalue()
        for _ in range(1000):
            tick(1)
        assert "reading" in screen.file.getvalue()
    quiet = Console(force_terminal=False, file=StringIO())
    with waiting("reading", 1000, quiet) as tick:
        tick(1000)
    assert quiet.file.getvalue() == ""
