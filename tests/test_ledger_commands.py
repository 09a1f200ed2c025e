from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import declared
from tandem.ledger_commands import LedgerBroken, app
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
