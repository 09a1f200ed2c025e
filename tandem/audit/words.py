"""The words of screen and page in two languages, read from words.toml: each key has its English and its Chinese side by side."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from tandem.contract.words import Language


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

    def __call__(self, word: str, /, count: int | None = None, **values: object) -> str:
        """Return the word or sentence of this key, its blanks filled; `count` picks `word`_one where it is 1, and fills {count}."""
        name = f"{word}_one" if count == 1 and f"{word}_one" in pairs() else word
        return pairs()[name][self._place].format(count="" if count is None else f"{count:,}", **values)

    def known(self, key: str, otherwise: str) -> str:
        """Return the word of `key`, or `otherwise` where there is none."""
        return pairs()[key][self._place] if key in pairs() else otherwise
