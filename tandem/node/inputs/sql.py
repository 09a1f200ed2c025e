"""The SQL that DuckDB and PostgreSQL share: a source's relation, and its columns as text."""

from __future__ import annotations

from collections.abc import Sequence

EXACT = 1 << 53
"""Below this every whole number is a binary fraction's own value; beyond it digits are lost."""


def quoted(name: str) -> str:
    """Return the name as SQL takes it letter by letter."""
    return '"' + name.replace('"', '""') + '"'


def relation(query: str, name: str) -> str:
    """Return what stands behind FROM: the query as a table, or the named table (`schema.table`)."""
    if query:
        return f"({query.strip().rstrip(';')}\n) AS source"  # on a line of its own, as the query may end with a comment
    return ".".join(quoted(part) for part in name.split("."))


def look(asked: str) -> str:
    """Return the statement that tells a relation's columns without its rows."""
    return f"SELECT * FROM {asked} LIMIT 0"  # noqa: S608 - our own user's query, from the configuration


def select(asked: str, names: Sequence[str], kind: str, whole: frozenset[str]) -> str:
    """Return the statement that gives these columns as text (see `_column`)."""
    cells = ", ".join(_column(name, kind, whole=name in whole) for name in names)
    return f"SELECT {cells} FROM {asked}"  # noqa: S608 - as above


def _column(name: str, kind: str, *, whole: bool) -> str:
    """Return a column's cell as text (the dialect's type `kind`), NULL as the empty one.

    `whole`: a binary fraction that is to be text; a whole number then has neither point nor exponent, as it has where integers are kept.
    """
    cell = f"CAST({quoted(name)} AS {kind})"
    if whole:
        is_whole = f"{quoted(name)} = trunc({quoted(name)}) AND abs({quoted(name)}) < {EXACT}"
        cell = f"CASE WHEN {is_whole} THEN CAST(CAST({quoted(name)} AS BIGINT) AS {kind}) ELSE {cell} END"
    return f"COALESCE({cell}, '')"
