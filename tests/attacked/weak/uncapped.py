"""Caps that are none: whatever is asked, offered or named is within them."""

from __future__ import annotations

from typing import Any

NO_CAP_ON_THE_TABLE: dict[str, Any] = {"caps": {"table": (1 << 32) - 1}}
"""Fields of a contract under which a bank takes any table."""
NO_CAP_ON_THE_ROSTER = {"asked": 1 << 31, "roster_cap": 1 << 31}
"""For `alignments.align`: a telco that does not hold the roster against what was asked or agreed."""
