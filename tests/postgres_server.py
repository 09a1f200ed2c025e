"""The PostgreSQL server that scripts/with_postgres starts; tests that need it skip, saying so, where there is none."""

from __future__ import annotations

import os

import pytest

URL = "TANDEM_TEST_POSTGRES"
SCHEMA = f"test{os.getpid()}"
"""Tests run side by side: each process has a schema of its own."""
ABSENT = f"{URL} is not set: run the tests as `scripts/with_postgres scripts/test`"


def url(**options: str) -> str:
    """Return the server's URL with these options, or skip the calling test."""
    if URL not in os.environ:
        pytest.skip(ABSENT)
    return os.environ[URL] + ("?" + "&".join(f"{name}={value}" for name, value in options.items()) if options else "")
