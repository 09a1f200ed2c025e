"""Every way in which a file can be wrong is told with what, where and what to do; no cell is quoted."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.errors import InputError
from tandem.node.inputs import csv_file, read
from tandem.node.inputs.source import TableSource


def read_table(path, id_column, **options):
    return read.read_table(TableSource(source=str(path), id=id_column, **options))


@pytest.fixture
def file(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def test_columns_are_numbers_or_text_by_what_they_hold(file):
    path = file("id,n,t,e\n001, 1.5 ,a,\n 002,NaN,,\n003,-2e3,无记录,null\n")
    table = read_table(path, "id")
    assert table.ids == ["001", "002", "003"]
    np.testing.assert_array_equal(table.column("n"), [1.5, np.nan, -2000.0])
    assert table.column("t").tolist() == ["a", None, None]
    assert np.isnan(table.column("e").astype(float)).all()
    assert table.names == ["n", "t", "e"]


CITIES = "手机,城市\n1,北京\n\n2,上海\n"


@pytest.mark.parametrize(("written", "declared"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030")])
def test_encodings(file, written, declared):
    table = read_table(file(CITIES, written), "手机", encoding=declared)
    assert table.column("城市").tolist() == ["北京", "上海"]


def test_an_encoding_is_never_guessed(file):
    with pytest.raises(InputError, match=r'the header is not UTF-8; if the file is GB18030, add encoding = "gb18030" to \[table\]'):
        read_table(file(CITIES, "gb18030"), "手机")
    late = b"id,city\n" + b"".join(b"%d,x\n" % i for i in range(40_000)) + b"\n40000,\xb1\xb1\xbe\xa9\n40001,x\n"
    with pytest.raises(InputError, match="row 40001 is not UTF-8; if the file is GB18030"):
        read_table(file(late), "id")
    assert read_table(file(late), "id", encoding="gb18030").column("city")[40_000] == "北京"


def test_utf_8_declared_otherwise_is_refused_where_it_shows(file):
    with pytest.raises(InputError, match="begins with the mark of UTF-8"):
        read_table(file(CITIES, "utf-8-sig"), "手机", encoding="gb18030")
    with pytest.raises(InputError, match='row 1 is not GB18030; if the file is UTF-8, add encoding = "utf-8"'):
        read_table(file("id,c\n1,北\n".encode()), "id", encoding="gb18030")


@pytest.mark.parametrize(("content", "told"), [
    (b"a,b\n1,\xff\xfe\xff\n", "row 1 is not UTF-8, nor is the file GB18030; save it as CSV in UTF-8"),
    ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
    (b"\x00\x01\x02", "no text at all"),
])
def test_another_encoding_is_refused(file, content, told):
    with pytest.raises(InputError, match=told):
        read_table(file(content), "a")


def test_declared_kinds_win(file):
    path = file("id,code,n\n1,01,5\n2,02,NA\n")
    table = read_table(path, "id", text=["code"], numeric=["n"], drop=[])
    assert table.column("code").tolist() == ["01", "02"]
    assert "n" not in read_table(path, "id", drop=["n"]).columns
    with pytest.raises(InputError, match="both"):
        read_table(path, "id", text=["n"], numeric=["n"])


def test_a_declared_number_that_is_none_is_named_by_row(file):
    with pytest.raises(InputError, match=r"'n'.*rows 2, 3\)") as caught:
        read_table(file("id,n\n1,5\n2,secret\n3,1_0\n"), "id", numeric=["n"])
    assert "secret" not in str(caught.value)


def test_infinities_are_refused_by_row(file):
    with pytest.raises(InputError, match=r"rows 2, 4\)"):
        read_table(file("id,n\n1,5\n2,inf\n3,4\n4,-1e999\n"), "id")
    assert read_table(file("id,n\n1,inf\n2,word\n"), "id").column("n").tolist() == ["inf", "word"]


def test_a_column_that_turns_out_to_be_text_late_keeps_its_first_cells_as_written(file, monkeypatch):
    monkeypatch.setattr(csv_file, "CHUNK_ROWS", 2)
    path = file("id,c,m\n1,007,\n2,8,\n3,x,\n4,9,word\n5,1,\n")
    table = read_table(path, "id")
    assert table.column("c").tolist() == ["007", "8", "x", "9", "1"]
    assert table.column("m").tolist() == [None, None, None, "word", None]


def test_chunks_join(file, monkeypatch):
    content = "id,n,t\n" + "".join(f"{i},{i / 2},{'ab'[i % 2]}\n" for i in range(11)) + "\n\n"
    whole = read_table(file(content), "id")
    monkeypatch.setattr(csv_file, "CHUNK_ROWS", 3)
    parts = read_table(file(content), "id")
    assert parts.ids == whole.ids
    assert all(parts.column(name).tolist() == whole.column(name).tolist() for name in whole.names)
    with pytest.raises(InputError, match=r"rows 9\)"):
        read_table(file(content.replace("8,4.0,", "8,inf,")), "id")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("id,n\n", "no row"),
        ("id,n\n\n\n", "no row"),
        ("id,n,n\n1,2,3\n", "columns n stand more than once"),
        ("id,,n\n1,2,3\n", "column 2"),
        ("id,n\n1,2\n2\n3,4\n", "row 2 has 1 cells"),
        ("id,n\n1,2\n2,3,4\n", "row 2 has 3 cells"),
        ("phone,n\n1,2\n", "no column id; the columns are phone, n"),
        ("id;n\n1;2\n", "semicolons"),
        ('id,n\n1,"2\n3,4\n', "no CSV"),
        ("\nid,n\n1,2\n", "header"),
    ],
)
def test_files_that_cannot_be_read(file, content, message):
    with pytest.raises(InputError, match=message):
        read_table(file(content), "id")


def test_no_file_and_no_right_to_it(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "absent.csv", "id")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path, "id")


def test_a_declared_column_must_exist(file):
    with pytest.raises(InputError, match="z"):
        read_table(file("id,n\n1,2\n"), "id", drop=["z"])
