"""One declared schema gives one table, bit for bit, wherever the same data lie."""

from __future__ import annotations

import csv
import os
import struct
from decimal import Decimal

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_server import SCHEMA, URL, url

from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource
from tandem.node.inputs.sql import quoted
from tandem.node.postgres import Connection, Server

COLUMNS = {
    "手机": "BIGINT", "卡号": "VARCHAR", "城市": "VARCHAR", "余额": "DECIMAL(20,3)", "分数": "DOUBLE", "次数": "BIGINT", "开户": "DATE",
}
KINDS = {"手机": "id", "卡号": "text", "城市": "text", "余额": "number", "分数": "number", "次数": "number", "开户": "date"}
FILES = {"utf-8": "t.csv", "gb18030": "g.csv", "parquet": "t.parquet", "duckdb": "t.duckdb", "postgresql": ""}

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
rows = st.lists(
    st.tuples(
        st.integers(2**53 + 1, 2**63 - 1) | st.just(13800138000),
        st.none() | st.from_regex(r"0{1,3}[0-9]{1,17}", fullmatch=True),
        st.none() | st.sampled_from(["北京", " 上海 ", "无记录", "NA", 'a,"b"', "-- x", "007", ""]) | texts,
        st.none() | st.decimals(-10**16, 10**16, places=3),
        st.none() | st.floats(allow_nan=True, allow_infinity=False),
        st.none() | st.integers(-2**63, 2**63 - 1),
        st.none() | st.dates(),
    ),
    min_size=1, max_size=12,
)


@pytest.fixture(scope="module")
def connection():
    """A session with the server, None without one."""
    if URL not in os.environ:
        yield None
        return
    with Connection(Server.parse(url())) as session:
        session.run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; SET search_path = {SCHEMA}")
        yield session
        session.run(f"DROP SCHEMA {SCHEMA} CASCADE")


def cell(value):
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def write(folder, data, connection):
    for name, encoding in ((FILES["utf-8"], "utf-8"), (FILES["gb18030"], "gb18030")):
        with (folder / name).open("w", encoding=encoding, newline="") as file:
            out = csv.writer(file)
            out.writerow(COLUMNS)
            out.writerows([cell(value) for value in row] for row in data)
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in COLUMNS.items())
    (folder / FILES["duckdb"]).unlink(missing_ok=True)
    with duckdb.connect(folder / FILES["duckdb"]) as database:
        database.execute(f"CREATE TABLE 客户 ({columns})")
        database.executemany("INSERT INTO 客户 VALUES (?, ?, ?, ?, ?, ?, ?)", data)
        database.execute(f"COPY 客户 TO '{folder / FILES['parquet']}' (FORMAT parquet)")
    if connection is not None:
        connection.run(f"DROP TABLE IF EXISTS 客户; CREATE TABLE 客户 ({columns.replace('DOUBLE', 'DOUBLE PRECISION')})")
        for row in data:
            given = [repr(value) if isinstance(value, float) else str(value) if isinstance(value, Decimal) else value for value in row]
            connection.run("INSERT INTO 客户 VALUES ($1, $2, $3, $4::text::numeric, $5::text::float8, $6, $7)", given)


def source(way, **options):
    if way == "postgresql":
        return TableSource(source=url(), name=f"{SCHEMA}.客户", **options)
    return TableSource(source=FILES[way], encoding="gb18030" if way == "gb18030" else "utf-8", **options)


def bits(table):
    """Return everything a table holds, floats by their bits."""
    parts = {
        name: [None if np.isnan(value) else struct.pack("<d", value) for value in column] if column.dtype == np.float64 else column.tolist()
        for name, column in table.columns.items()
    }
    return table.ids, parts, {name: str(column.dtype) for name, column in table.columns.items()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=rows)
def test_every_source_gives_the_same_table(tmp_path, connection, data):
    write(tmp_path, data, connection)
    plain = bits(read_table(source("utf-8", columns=KINDS), tmp_path))
    assert plain[0] == [str(row[0]) for row in data]
    assert plain[1]["卡号"] == [row[1] for row in data], "leading zeros stay"
    assert plain[1]["次数"] == [None if row[5] is None else struct.pack("<d", float(row[5])) for row in data]
    assert plain[1]["分数"] == [None if row[4] is None or row[4] != row[4] else struct.pack("<d", row[4]) for row in data]
    for way in ("gb18030", "parquet", "duckdb", *(["postgresql"] if connection else [])):
        assert bits(read_table(source(way, columns=KINDS), tmp_path)) == plain, way


ROW = (13800138000, "007", "北京", Decimal("1.500"), 2.5, 2**62 + 1, None)


@pytest.mark.parametrize("way", ["parquet", "duckdb", "postgresql"])
def test_without_a_schema_the_types_of_the_source_decide(tmp_path, connection, way):
    chosen = source(way, id="手机", drop=["余额"])
    write(tmp_path, [ROW], connection)
    table = read_table(chosen, tmp_path)
    assert table.ids == ["13800138000"]
    assert table.names == ["卡号", "城市", "分数", "次数", "开户"]
    assert [table.column(name).tolist() for name in ("卡号", "分数")] == [["007"], [2.5]]
    assert np.isnan(table.column("开户")).all(), "a date is a number of days"
    assert read_table(source(way, id="手机", drop=["余额"], text=["分数"]), tmp_path).column("分数").tolist() == ["2.5"]


def phones(tmp_path, way, kind, values):
    """Make a table whose identifier has this type; return its source."""
    listed = ", ".join(f"({value})" for value in values)
    if way == "postgresql":
        query = f"SELECT v::{kind} AS phone, 1 AS n FROM (VALUES {listed}) AS t (v) -- a comment"  # noqa: S608 - ours
        return TableSource(source=url(), query=query, id="phone")
    with duckdb.connect() as database:
        made = f"SELECT CAST(v AS {kind}) AS phone, 1 AS n FROM (VALUES {listed}) AS t (v)"  # noqa: S608 - ours
        database.execute(f"COPY ({made}) TO '{tmp_path / 'f.parquet'}' (FORMAT parquet)")
    return TableSource(source="f.parquet", id="phone")


@pytest.mark.parametrize("way", ["parquet", "postgresql"])
def test_a_phone_that_somebody_made_a_float_is_whole_or_refused(tmp_path, way):
    kind = {"parquet": "DOUBLE", "postgresql": "float8"}[way]
    assert read_table(phones(tmp_path, way, kind, ["13800138000", "8613800138000", "NULL"]), tmp_path).ids == [
        "13800138000", "8613800138000", "",
    ]
    with pytest.raises(Exception, match=r"'phone' is kept as binary fractions; 2 values .*\(rows 2, 3\): store it as text") as caught:
        read_table(phones(tmp_path, way, kind, ["1", "110105194912310021000", "1.5"]), tmp_path)
    assert "1101051949" not in str(caught.value)
