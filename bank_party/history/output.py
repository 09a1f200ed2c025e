"""What a derived table is called, and what lies beside it."""

from __future__ import annotations

from pathlib import Path

from tandem.errors import InputError

LABEL = "activated"
DORMANT_MONTHS = 6
WINDOW_MONTHS = 3
FORMATS = {".csv": "FORMAT csv, HEADER true", ".parquet": "FORMAT parquet"}


def format_of(path: Path) -> str:
    """Return how DuckDB writes a file of this name. Raises InputError if we do not write such files."""
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: tables are written as .csv or .parquet: give --out such a name")
    return FORMATS[path.suffix]


def beside(table: Path) -> Path:
    """Return where the facts of a derived table lie."""
    return table.with_suffix(".json")
