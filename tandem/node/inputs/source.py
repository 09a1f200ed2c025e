"""`[table]` of a configuration: where a party's table lies, and what its columns hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from tandem.node import postgres

Declared = Literal["id", "label", "number", "text", "date"]
"""What `[table.columns]` may say of a column. A date becomes days since 1970-01-01."""
Format = Literal["csv", "parquet", "duckdb", "postgresql"]

_ENDINGS: dict[str, Format] = {".parquet": "parquet", ".pq": "parquet", ".duckdb": "duckdb", ".ddb": "duckdb"}


class TableSource(BaseModel):
    """A party's table and how to read it. With `columns` those are read and no other, in that order; without, what is there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1, validation_alias=AliasChoices("source", "file"))
    """A path (.parquet, .pq, .duckdb, .ddb, otherwise CSV; `*` in the name of Parquet files) or a postgresql:// URL without password."""
    query: str = ""
    """DuckDB and PostgreSQL: the SELECT that gives the table."""
    name: str = ""
    """DuckDB and PostgreSQL, in place of a query: table or view, `schema.table` if need be, in its exact spelling."""
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    """CSV only."""
    id: str
    """The identifier's column; need not be given where `columns` says it."""
    columns: dict[str, Declared] = {}
    numeric: list[str] = []
    text: list[str] = []
    drop: list[str] = []
    keep: Literal["error", "first", "last"] = "error"
    """Which row of a repeated identifier stays: error, first, last."""
    drop_bad: bool = False
    """Leave rows with an empty or malformed identifier out, and count them."""

    @model_validator(mode="before")
    @classmethod
    def _identifier(cls, data: Any) -> Any:
        columns = data.get("columns") if isinstance(data, dict) else None
        if not isinstance(columns, dict):
            return data
        ids = [name for name, kind in columns.items() if kind == "id"]
        if len(ids) > 1 or (ids and data.get("id", ids[0]) != ids[0]):
            raise ValueError("more than one column is the identifier: declare one")
        return {**data, "id": ids[0]} if ids else data

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if "://" in self.source and self.format != "postgresql":
            raise ValueError("the only kind of URL is postgresql://: mend it, or name a file")
        databased = self.format in {"duckdb", "postgresql"}
        if (self.query or self.name) and not databased:
            raise ValueError("query and name are for DuckDB and PostgreSQL: leave them out, or name such a source")
        if self.query and self.name:
            raise ValueError("query and name exclude each other: give one")
        if self.format == "postgresql":
            postgres.Server.parse(self.source)
            if not (self.query or self.name):
                raise ValueError("PostgreSQL needs a query or the name of a table: add one")
        if self.encoding != "utf-8" and self.format != "csv":
            raise ValueError("encoding is for CSV: leave it out")
        if self.columns and (self.numeric or self.text or self.drop):
            raise ValueError("numeric, text and drop are for tables without columns declared: say it all in columns")
        if list(self.columns.values()).count("label") > 1:
            raise ValueError("more than one column is the label: declare one")
        return self

    @property
    def format(self) -> Format:
        """How the source is read."""
        if self.source.startswith(postgres.SCHEMES):
            return "postgresql"
        return _ENDINGS.get(Path(self.source).suffix.lower(), "csv")

    @property
    def label(self) -> str:
        """The column declared as label; empty if none is."""
        return next((name for name, kind in self.columns.items() if kind == "label"), "")
