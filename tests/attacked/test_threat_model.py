"""The threat model names every attack of the catalogue, under the heading that the catalogue gives it, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attacked.catalogue import NAMED, NOT_LANDED
from attacked.running import LINES

FOLDER = Path(__file__).parents[2] / "docs" / "security"
HEADINGS = {
    "threat-model.md": {"Blocked": "blocked", "Bounded": "bounded", "Printed": "printed"},
    "threat-model.zh.md": {"阻止": "blocked", "限量": "bounded", "告知": "printed"},
}


def told(name):
    """Return the outcomes under which the page has each attack."""
    found = {}
    for part in re.split(r"^## ", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        outcome = HEADINGS[name].get(part.split("\n")[0].strip())
        for attack in re.findall(r"^\| ([A-Z]\d+) \|", part, re.MULTILINE):
            found.setdefault(attack, set()).add(outcome)
    return found


@pytest.mark.parametrize("name", list(HEADINGS))
def test_every_attack_stands_on_the_page_as_the_catalogue_has_it(name):
    page = told(name)
    assert set(page) == set(NAMED) - set(NOT_LANDED)
    shown = {}
    for line in LINES:
        shown.setdefault(re.sub(r"[a-z]+$", "", line.id), set()).add(line.outcome)
    assert {attack: page[attack] for attack, outcomes in shown.items() if not outcomes <= page[attack]} == {}
    assert {attack: outcomes for attack, outcomes in page.items() if not outcomes <= shown.get(attack, set())} == {}


def test_both_pages_say_the_same_of_each():
    assert told("threat-model.md") == told("threat-model.zh.md")
