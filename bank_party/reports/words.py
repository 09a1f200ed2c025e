"""The report's words in two languages, read from words.toml: each key has its English and its Chinese side by side."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]


@cache
def pairs() -> dict[str, tuple[str, str]]:
    """Return every key's English and Chinese."""
    read = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
    return {key: (english, chinese) for key, (english, chinese) in read.items()}


class Words:
    """The words of one language; a key that is missing is our error and raises KeyError."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._place = ("en", "zh").index(language)

    def __call__(self, key: str, **values: str) -> str:
        """Return the word or sentence of `key`, its blanks filled."""
        return pairs()[key][self._place].format(**values)

    def known(self, key: str, otherwise: str) -> str:
        """Return the word of `key`, or `otherwise` where there is none: for texts that others may name freely."""
        return pairs()[key][self._place] if key in pairs() else otherwise
