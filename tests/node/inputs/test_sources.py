"""What a source may be, and what it says when it is not: names and rows, never a value, never a password."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb
import pytest
import tomli_w
from postgres_server import url
from pydantic import ValidationError

from bank_party.config import StudyConfig
from bank_party.load import load
from tandem.errors import InputError
from tandem.node import postgres
from tandem.node.config import read
from tandem.node.inputs import csv_file, duckdb_file, postgres_query
from tandem.node.inputs.read import open_source, read_table
from tandem.node.inputs.source import TableSource
from tandem.node.postgres import Connection, Server

PLANTED = "pw-5hT9-never-told"


@pytest.mark.parametrize(("given", "form"), [
    ("t.csv", "csv"), ("t.txt", "csv"), ("T.PARQUET", "parquet"), ("part-*.pq", "parquet"), ("w.duckdb", "duckdb"), ("w.ddb", "duckdb"),
])
def test_the_name_says_how_it_is_read(given, form):
    assert TableSource(source=given, id="x").format == form
    assert TableSource.model_validate({"file": given, "id": "x"}).source == given, "the older spelling"


@pytest.mark.parametrize(("fields", "told"), [
    ({}, "id"),
    ({"id": "x", "file": "t.csv"}, "file"),
    ({"id": "x", "query": "SELECT 1"}, "query and name are for"),
    ({"id": "x", "encoding": "latin-1"}, "encoding"),
    ({"id": "x", "source": "t.parquet", "encoding": "gb18030"}, "encoding is for CSV"),
    ({"id": "x", "source": "t.duckdb", "query": "SELECT 1", "name": "t"}, "exclude each other"),
    ({"id": "x", "source": "postgresql://u@h/d"}, "needs a query or the name"),
    ({"id": "x", "source": "mysql://u@h/d"}, "only kind of URL"),
    ({"id": "x", "source": "postgresql://u@h/d?sslmode=require", "name": "t"}, "sslmode must be one of"),
    ({"id": "x", "source": "postgresql://u@h/d?options=x", "name": "t"}, "take the rest out"),
    ({"id": "x", "source": "postgresql://u@h:port/d", "name": "t"}, "this is no URL"),
    ({"columns": {"x": "id", "y": "id"}}, "more than one column is the identifier"),
    ({"columns": {"x": "id"}, "id": "y"}, "more than one column is the identifier"),
    ({"columns": {"x": "id", "y": "label", "z": "label"}}, "more than one column is the label"),
    ({"columns": {"x": "id", "y": "integer"}}, "columns"),
    ({"columns": {"x": "id"}, "drop": ["y"]}, "say it all in columns"),
])
def test_settings_that_do_not_fit(fields, told):
    with pytest.raises(ValidationError, match=told):
        TableSource.model_validate({"source": "t.csv", **fields})


@pytest.mark.parametrize("address", [
    f"postgresql://me:{PLANTED}@h/d", f"postgresql://me@h/d?password={PLANTED}", f"postgres://me:{PLANTED}@h:x/d", f"pg://me:{PLANTED}@h/d",
])
def test_a_password_in_the_url_is_refused_and_not_repeated(tmp_path, address):
    study = {"label": "y", "table": {"source": address, "name": "t", "id": "x"}}
    (tmp_path / "study.toml").write_text(tomli_w.dumps(study))
    with pytest.raises(InputError) as caught:
        read(tmp_path / "study.toml", StudyConfig)
    assert PLANTED not in f"{caught.value}{caught.value!r}{caught.value.__cause__}"


@pytest.fixture
def csv(tmp_path):
    rows = "1,yes,30,北京,2024-01-31,z", "2,no,,NA,20240201,z", "3,no,7,x,1970/1/2 10:00,z"
    (tmp_path / "t.csv").write_text("\n".join(("phone,bad,age,city,opened,extra", *rows)))
    return tmp_path


COLUMNS = {"city": "text", "opened": "date", "phone": "id", "age": "number", "bad": "label"}


def test_a_schema_says_what_is_read_and_in_which_order(csv):
    customers = load(TableSource(source="t.csv", columns=COLUMNS), csv, "bad")
    assert customers.labels.tolist() == [1, 0, 0]
    assert customers.table.names == ["city", "opened", "age"]
    assert customers.table.column("opened").tolist() == [19753.0, 19754.0, 1.0]
    assert load(TableSource(source="t.csv", columns=COLUMNS), csv).table.names == ["city", "opened", "age"], "to score, no label is read"


def test_the_label_is_named_once(csv):
    table = {"source": "t.csv", "columns": COLUMNS}
    assert StudyConfig(folder=csv, table=table).label_column == "bad"
    assert StudyConfig(folder=csv, table=table, label="bad").label_column == "bad"
    with pytest.raises(ValidationError, match="different columns as the label"):
        StudyConfig(folder=csv, table=table, label="age")


def test_a_schema_and_a_model_must_agree(csv):
    source = TableSource(source="t.csv", columns=COLUMNS)
    assert read_table(source, csv, numeric=["age", "opened"], text=["city"]).names == ["city", "opened", "age"]
    wrong = ({"numeric": ["city"]}, "declares city otherwise"), ({"text": ["age"]}, "age otherwise"), ({"text": ["extra"]}, "lacks extra")
    for asked, told in wrong:
        with pytest.raises(InputError, match=told):
            read_table(source, csv, **asked)
    with pytest.raises(InputError, match="there is no column gone"):
        read_table(TableSource(source="t.csv", columns={"phone": "id", "gone": "text"}), csv)


def test_dates_that_are_none_are_named_by_row(csv):
    (csv / "d.csv").write_text("id,d\n1,2024-02-30\n2,2024-02-29\n3,31.1.2024\n4,\n5,2024-02-30\n")
    with pytest.raises(InputError, match=r"3 cells of which each is no date \(rows 1, 3, 5\)"):
        read_table(TableSource(source="d.csv", columns={"id": "id", "d": "date"}), csv)


@pytest.fixture
def warehouse(tmp_path):
    with duckdb.connect(tmp_path / "w.duckdb") as database:
        database.execute("CREATE TABLE Customers AS SELECT i AS id, i / 2 AS half FROM range(10) t (i)")
        database.execute("CREATE SCHEMA risk; CREATE VIEW risk.scored AS SELECT id, half FROM Customers WHERE id > 4")
        for part in (1, 0):
            database.execute(f"COPY (SELECT {part} AS id, 'x' AS c) TO '{tmp_path / f'part-{part}.parquet'}' (FORMAT parquet)")
    return tmp_path


@pytest.mark.parametrize(("fields", "ids"), [
    ({"name": "Customers"}, range(10)), ({"name": "risk.scored"}, range(5, 10)),
    ({"query": "SELECT id, half FROM Customers WHERE id < 2;"}, range(2)),
])
def test_a_table_a_view_or_a_query_of_a_warehouse(warehouse, fields, ids):
    table = read_table(TableSource(source="w.duckdb", id="id", **fields), warehouse)
    assert (table.ids, table.names) == ([str(i) for i in ids], ["half"])


def test_the_parts_of_a_parquet_table_come_by_name(warehouse):
    assert read_table(TableSource(source="part-*.parquet", id="id"), warehouse).ids == ["0", "1"]


def test_a_database_of_one_table_needs_no_name(tmp_path):
    with duckdb.connect(tmp_path / "one.duckdb") as database:
        database.execute("CREATE TABLE alone AS SELECT 7 AS id, 1 AS n")
    assert read_table(TableSource(source="one.duckdb", id="id"), tmp_path).ids == ["7"]


@pytest.mark.parametrize(("fields", "told"), [
    ({"source": "absent.parquet"}, "no such file"),
    ({"source": "absent-*.parquet"}, "no such file"),
    ({"source": "absent.duckdb"}, "no such file"),
    ({"source": "w.duckdb"}, r"holds 2 tables \(Customers, scored\): say which"),
    ({"source": "w.duckdb", "name": "nobody"}, "nobody"),
    ({"source": "w.duckdb", "query": "SELEC 1"}, "syntax error"),
    ({"source": "w.duckdb", "query": "SELECT id FROM Customers WHERE id > 99"}, "no row"),
    ({"source": "w.duckdb", "query": "SELECT id, CAST('v' || id AS INT) AS n FROM Customers"}, r"on the data \(ConversionException\)"),
    ({"source": "w.duckdb", "query": "SELECT id, 1 / 0.0 AS n FROM Customers"}, r"10 cells .* infinite \(rows 1, 2, 3, 4, 5, \.\.\.\)"),
    ({"source": "w.duckdb", "query": "SELECT * FROM 'https://example.org/x.csv'"}, "w.duckdb"),
    ({"source": "text.parquet"}, r"on the data|text.parquet"),
    ({"source": "text.duckdb"}, "not a valid DuckDB"),
])
def test_what_cannot_be_read_is_told_without_a_value(warehouse, fields, told):
    for name in ("text.parquet", "text.duckdb"):
        (warehouse / name).write_text("phone,n\n13800138000,1\n" * 100)
    with pytest.raises(InputError, match=told) as caught:
        read_table(TableSource(id="id", **fields), warehouse)
    assert "13800138000" not in str(caught.value)
    assert "'v" not in str(caught.value)


def test_a_warehouse_is_opened_to_be_read_only(warehouse):
    with pytest.raises(InputError):
        read_table(TableSource(source="w.duckdb", query="DELETE FROM Customers RETURNING id", id="id"), warehouse)
    with open_source(TableSource(source="w.duckdb", name="Customers", id="id"), warehouse) as rows:
        with pytest.raises(duckdb.Error, match="read-only"):
            rows._database.execute("DELETE FROM Customers")
        with pytest.raises(InputError, match="reading failed on the data"):
            rows._run("DELETE FROM Customers")


def test_a_server_is_asked_to_read_only():
    source = TableSource(source=url(), query="SELECT 1 AS id", id="id")
    with open_source(source, Path()) as rows, pytest.raises(InputError, match="a connection that only reads"):
        rows._connection.run("CREATE TABLE never (x INT)")


def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pg8000", None)
    with pytest.raises(InputError, match=r'pip install "tandem-fusion\[postgres\]"'):
        read_table(TableSource(id="x", source="postgresql://u@localhost/d", name="t"), tmp_path)


@pytest.mark.parametrize("way", ["csv", "duckdb", "postgresql"])
def test_rows_come_in_chunks_and_never_all_at_once(warehouse, monkeypatch, way):
    for module in (csv_file, duckdb_file, postgres_query):
        monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    (warehouse / "t.csv").write_text("id\n" + "".join(f"{i}\n" for i in range(10)))
    source = {
        "csv": lambda: TableSource(source="t.csv", id="id"), "duckdb": lambda: TableSource(source="w.duckdb", name="Customers", id="id"),
        "postgresql": lambda: TableSource(source=url(), query="SELECT i AS id FROM generate_series(0, 9) AS t (i)", id="id"),
    }[way]()
    with open_source(source, warehouse) as rows:
        chunks = [list(ids) for (ids,) in rows.chunks(["id"], frozenset())]
    assert chunks == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "8"], ["9"]]


def query(text, **options):
    return read_table(TableSource(source=url(**options), query=text, id="id"))


@pytest.mark.parametrize(("text", "told"), [
    ("SELECT 1 AS id FROM nobody", 'relation "nobody" does not exist'),
    ("SELEC 1", "syntax error"),
    ("SELECT id, ('v' || id)::int AS n FROM (VALUES ('13800138000'), ('2')) AS t (id)", "on its data .SQLSTATE 22P02."),
    ("SELECT 1 AS id, 2 AS id", "more than once"),
    ("SELECT 1 AS id WHERE false", "no row"),
])
def test_queries_that_the_server_refuses(text, told):
    with pytest.raises(InputError, match=told) as caught:
        query(text)
    assert "13800138000" not in str(caught.value)


def test_colons_percents_and_comments_of_a_query_stay_as_they_are():
    assert query("SELECT 'a:b%s?' AS id, (ARRAY[1, 2, 3])[1:2] AS part WHERE 'x' LIKE '%' -- the end").ids == ["a:b%s?"]


def test_a_wrong_password_is_told_and_not_repeated(monkeypatch, capfd):
    address = url()
    monkeypatch.setenv("PGPASSWORD", PLANTED)
    with pytest.raises(InputError, match="refuses the password: check PGPASSWORD") as caught:
        query("SELECT 1 AS id")
    seen = "".join(capfd.readouterr()) + str(caught.value) + repr(caught.value) + repr(Server.parse(address))
    assert PLANTED not in seen


def test_the_password_file_must_be_private_and_is_read_as_libpq_reads_it(tmp_path, monkeypatch):
    server = Server("db.example", 5433, "me", "bank", "disable")
    path = tmp_path / "pgpass"
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(path))
    path.write_text(f"# db.example:*:*:*:no\nother:*:*:*:no\n\ndb.example:5433:*:me:a\\:b\\\\{PLANTED}:c\n*:*:*:*:later\n")
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600") as caught:
        postgres._password(server)
    assert PLANTED not in str(caught.value)
    path.chmod(0o600)
    assert postgres._password(server) == f"a:b\\{PLANTED}:c"
    assert postgres._password(Server("elsewhere", 1, "x", "y", "disable")) == "later"
    monkeypatch.setenv("PGPASSWORD", "first")
    assert postgres._password(server) == "first"


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, monkeypatch):
    address = url(sslmode="verify-full")
    with pytest.raises(InputError, match="its certificate does not hold"):
        Connection(Server.parse(address))
    authority = os.environ["TANDEM_TEST_POSTGRES_CA"]
    with Connection(Server.parse(f"{address}&sslrootcert={authority}")) as session:
        assert session.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[2] == [[True]]
    with pytest.raises(InputError, match=r"absent\.pem cannot be read"):
        Connection(Server.parse(f"{address}&sslrootcert=absent.pem", tmp_path))
    assert Server.parse("postgresql://u@db.example/d").tls == "verify-full"
    assert {Server.parse(f"postgresql://u@{host}").tls for host in ("localhost", "127.0.0.1")} == {"disable"}


def test_a_server_that_is_not_there(tmp_path):
    for address in ("postgresql://u@127.0.0.1:1/d", f"postgresql:///d?host={tmp_path}"):
        with pytest.raises(InputError, match="the server cannot be reached, or hung up"):
            read_table(TableSource(source=address, name="t", id="x"))
