"""A ledger in PostgreSQL is the ledger of the SQLite file: same entries, same hashes, same counters, one writer at a time."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count

import pytest
from postgres_server import SCHEMA, url
from typer.testing import CliRunner

from tandem.errors import ContractError, Enumeration, InputError, ScoreBudgetSpent
from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import Disclosed, declared
from tandem.ledger_commands import LedgerBroken, app
from tandem.node import ledger_database
from tandem.node.config import NodeConfig
from tandem.node.ledger_database import place_of
from tandem.node.ledger_store import Ledger
from tandem.node.postgres import Connection, Server

NUMBERS = count()


def entry(size=100):
    said = (Disclosed("bank", "得分", 7),)
    return Entry("2027-02-01T00:00:00Z", "ab" * 32, "cd" * 16, "sent", "bank", "train", "Scores", size, "ef" * 32, said)


@pytest.fixture
def address():
    """Return the URL of a schema that is not there yet; drop it afterwards."""
    schema = f"{SCHEMA}_{next(NUMBERS)}"
    yield url(schema=schema)
    with Connection(Server.parse(url())) as session:
        session.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request, tmp_path):
    """Return a place for a ledger, in either kind of database."""
    return tmp_path / "ledger.sqlite" if request.param == "sqlite" else place_of(request.getfixturevalue("address"))


def meddle(address, *statements):
    with Connection(Server.parse(url())) as session:
        session.run(f"SET search_path = {Server.parse(address).schema}")
        for statement in statements:
            session.run(statement)


def test_the_chain_is_the_same_as_in_a_file(address, tmp_path):
    for place in (place_of(address), tmp_path / "ledger.sqlite"):
        with Ledger(place) as ledger:
            for size in range(3):
                ledger.append(entry(size))
    with Ledger(place_of(address)) as ledger, Ledger(tmp_path / "ledger.sqlite") as file:
        assert list(ledger.entries()) == list(file.entries())
        assert ledger.append(entry(99)) == file.append(entry(99))
        assert (len(ledger), ledger.verify()) == (4, None)


def test_entries_can_neither_be_changed_nor_removed(address):
    with Ledger(place_of(address)) as ledger:
        ledger.append(entry())
    for statement in ("UPDATE entries SET size = 1", "DELETE FROM entries", "TRUNCATE entries"):
        with pytest.raises(InputError, match="P0001"):
            meddle(address, statement)
    with Ledger(place_of(address), read_only=True) as ledger:
        assert [each.size for each in ledger.entries()] == [100]


@pytest.mark.parametrize(("statement", "number"), [
    ("UPDATE entries SET size = 7 WHERE number = 3", 3),
    ("UPDATE entries SET disclosed = '[]' WHERE number = 2", 2),
    ("DELETE FROM entries WHERE number = 5", 5),
    ("UPDATE head SET number = 9", 6),
])
def test_tampering_is_found_where_it_was_done(address, statement, number):
    with Ledger(place_of(address)) as ledger:
        for size in range(5):
            ledger.append(entry(size))
    meddle(address, "ALTER TABLE entries DISABLE TRIGGER ALL", statement)
    with Ledger(place_of(address), read_only=True) as ledger:
        assert ledger.verify().number == number
    with pytest.raises(LedgerBroken, match=f"breaks at entry {number}"):
        run("verify", address)


def test_counters_stop_at_the_cap_and_survive(address):
    with Ledger(place_of(address)) as ledger:
        assert ledger.use("aa", "identifiers", 3 * 10**9, 4 * 10**9) == 3 * 10**9, "more than 32 bits"
        with pytest.raises(Enumeration):
            ledger.use("aa", "identifiers", 10**9 + 1, 4 * 10**9)
        assert ledger.use("aa", "bits", 30, 30) == 30
    with Ledger(place_of(address)) as ledger:
        with pytest.raises(ScoreBudgetSpent):
            ledger.use("aa", "bits", 1, 30)
        with pytest.raises(ContractError):
            ledger.use("aa", "jobs", 2, 1)
        assert ledger.usage() == [("aa", "bits", 30), ("aa", "identifiers", 3 * 10**9)]


def test_of_two_nodes_that_race_for_the_last_unit_one_gets_it(anywhere):
    rounds, gate, won = 25, threading.Barrier(2, timeout=60), []
    with Ledger(anywhere) as one, Ledger(anywhere) as other:
        def race(ledger):
            for cap in range(1, rounds + 1):
                gate.wait()
                try:
                    won.append(ledger.use("aa", "jobs", 1, cap))
                except ContractError:
                    won.append(None)
                gate.wait()

        threads = [threading.Thread(target=race, args=(ledger,)) for ledger in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(total for total in won if total) == list(range(1, rounds + 1))
        assert won.count(None) == rounds
        assert one.used("aa", "jobs") == rounds


def test_threads_and_nodes_share_one_chain(address):
    with Ledger(place_of(address)) as one, Ledger(place_of(address)) as other:
        def write(ledger):
            for size in range(20):
                ledger.append(entry(size))
                assert len(ledger) > size

        threads = [threading.Thread(target=write, args=(ledger,)) for ledger in (one, one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one) == len(other) == 60
        assert one.verify() is None


def test_many_entries_come_in_parts(address, monkeypatch):
    monkeypatch.setattr(ledger_database, "_FETCHED", 2)
    with Ledger(place_of(address)) as ledger:
        for size in range(5):
            ledger.append(entry(size))
        seen = ledger.entries()
        first = next(seen)
        ledger.append(entry(5))
        assert [first.size, *(each.size for each in seen)] == [0, 1, 2, 3, 4], "what was there when reading began"


def test_a_reader_neither_makes_nor_writes_a_ledger(address):
    with pytest.raises(InputError, match="holds no ledger: name the schema"):
        Ledger(place_of(address), read_only=True)
    with Ledger(place_of(address)):
        pass
    with Ledger(place_of(address), read_only=True) as ledger, pytest.raises(InputError, match="only reads"):
        ledger.append(entry())


def test_a_ledger_of_another_version_is_refused(address):
    with Ledger(place_of(address)):
        pass
    meddle(address, "UPDATE version SET number = 7")
    with pytest.raises(InputError, match=r"no ledger of this version \(7, not 1\)"):
        Ledger(place_of(address))


def test_nodes_of_one_database_keep_apart_by_schema(address):
    server = place_of(address)
    with Ledger(server) as one, Ledger(replace(server, schema=f"{server.schema}_b")) as other:
        one.append(entry())
        assert (len(one), len(other)) == (1, 0)
    with Connection(Server.parse(url())) as session:
        session.run(f"DROP SCHEMA {server.schema}_b CASCADE")


def hang_up(ledger):
    """Let the server end the ledger's session, as a restart would."""
    (pid,) = ledger._database.execute("SELECT pg_backend_pid()").fetchone()
    with Connection(Server.parse(url())) as session:
        session.run("SELECT pg_terminate_backend($1::int, 5000)", (pid,))


def test_a_server_that_was_started_again_is_found_again(address):
    with Ledger(place_of(address)) as ledger:
        ledger.append(entry(1))
        hang_up(ledger)
        ledger.append(entry(2))
        hang_up(ledger)
        assert [each.size for each in ledger.entries()] == [1, 2]
        assert ledger.verify() is None


def lose_half_way(ledger):
    with ledger._writing():
        ledger._database.execute("UPDATE head SET number = 9")
        hang_up(ledger)
        ledger._database.execute("UPDATE head SET number = 10")


def test_a_server_lost_while_recording_leaves_nothing_half_written(address):
    with Ledger(place_of(address)) as ledger:
        ledger.append(entry(1))
        with pytest.raises(InputError, match=r"hung up|shut down"):
            lose_half_way(ledger)
        assert ledger.append(entry(2)).number == 2
        assert ledger.verify() is None


def run(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return " ".join(result.output.split())


def test_show_and_verify_take_a_url(address):
    with Ledger(place_of(address)) as ledger:
        ledger.append(replace(entry(), disclosed=declared("Scores").to("bank", 7)))
        ledger.use("ab" * 32, "bits", 30, 30)
    shown = run("show", address)
    assert "-> bank" in shown
    assert "bits a person 30" in shown
    assert "1 entries, the chain holds" in run("verify", address)


@pytest.mark.parametrize("given", ["postgresql://me:pw-planted@h/d", "mysql://h/d"])
def test_a_place_that_cannot_be_is_refused_without_its_password(tmp_path, given):
    with pytest.raises(InputError) as caught:
        run("verify", given)
    assert "pw-planted" not in str(caught.value)
    with pytest.raises(ValueError, match=r"password|mend it"):
        NodeConfig(ledger=given)


def test_a_configuration_names_a_file_beside_it_or_a_server(tmp_path):
    assert NodeConfig(folder=tmp_path).ledger_place == tmp_path / "ledger.sqlite"
    found = NodeConfig(folder=tmp_path, ledger="postgresql://me@db.example/tandem?schema=telco&sslrootcert=ca.pem").ledger_place
    assert found == Server("db.example", 5432, "me", "tandem", "verify-full", tmp_path / "ca.pem", "telco")
