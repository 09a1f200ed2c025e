"""Pages in two languages: the words, read from a words.toml, and the house that fills a template with them. One file each, nothing fetched.

In a words.toml each key has its English and its Chinese side by side, so that neither can lack one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tandem.contract.words import Language

NONE = "-"
"""Stands where there is nothing to show: a rate without rows, a value withheld, a party that is not known."""


@cache
def pairs(path: Path) -> dict[str, tuple[str, str]]:
    """Return every key's English and Chinese."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: (english, chinese) for key, (english, chinese) in read.items()}


class Words:
    """The words at `path`, and at `more` places, in one language; a key that is missing is our error and raises KeyError."""

    def __init__(self, path: Path, language: Language, *more: Path) -> None:
        self.language = language
        self._pairs = {key: both for place in (path, *more) for key, both in pairs(place).items()}
        self._place = ("en", "zh").index(language)

    def __call__(self, word: str, /, count: int | None = None, **values: object) -> str:
        """Return the word or sentence of this key, its blanks filled; `count` picks `word`_one where it is 1, and fills {count}."""
        name = f"{word}_one" if count == 1 and f"{word}_one" in self._pairs else word
        return self._pairs[name][self._place].format(count="" if count is None else f"{count:,}", **values)

    def known(self, key: str, otherwise: str) -> str:
        """Return the word of `key`, or `otherwise` where there is none: for texts that others may name freely."""
        return self._pairs[key][self._place] if key in self._pairs else otherwise


def fill(template: Path, filters: Mapping[str, Callable[..., str]], /, **values: Any) -> str:
    """Return the template with these values; what it inserts is escaped, and what it was not given is our error."""
    house = Environment(
        loader=FileSystemLoader(template.parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    house.filters.update({"count": count, "size": size, **filters})
    return house.get_template(template.name).render(**values)


def count(value: int | None) -> str:
    """Return 12345 as 12 345, with spaces that do not break."""
    return NONE if value is None else f"{value:,}".replace(",", "\u202f")


def size(value: int) -> str:
    """Return bytes in B, kB, MB or GB, a thousand each."""
    amount, unit = float(value), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.{0 if amount >= 100 or unit == 'B' else 1}f}\u202f{unit}"
