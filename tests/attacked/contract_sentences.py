"""Sentences of a real contract, in the words of its screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts import unsigned

from tandem.contract import words


def printed(*parts: str, **contract: Any) -> Callable[[], str]:
    """Return who finds the sentence with these words under "What this does not prevent" of such a contract, and its Chinese."""

    def sentence() -> str:
        agreed = unsigned(**contract)
        (limits,) = (page for page in words.pages(agreed) if page.heading == "What this does not prevent")
        for number, (_, text) in enumerate(limits.rows):
            if all(part in text for part in parts):
                return f"{text} {words.pages(agreed, 'zh')[3].rows[number][1]}"
        raise LookupError(f"no sentence of the contract says {parts}")

    return sentence
