"""Where third-party vectors and public data lie; a user who has only our repository sees the tests that need them skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared"


def shared(name: str) -> Path:
    """Return the path of a vector file, or skip the calling test."""
    return _found(BESIDE / "vectors" / name)


def shared_data(name: str) -> Path:
    """Return the path of a public data file, or skip the calling test."""
    return _found(BESIDE / "data" / name)


def _found(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"{path.parent.parent.name}/{path.parent.name}/{path.name} is not beside this checkout")
    return path
