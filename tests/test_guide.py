"""The guide against the code: contract.md has every field with its default and limits, report.md every part, every command shown exists.

Links and anchors of all pages are held by test_house.py.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel, TypeAdapter, ValidationError
from typer.main import get_group

from bank_party.reports.model import NAMES
from bank_party.summary import _WORDS
from tandem import contract_commands
from tandem.cli import app
from tandem.contract import CARD_NOISE_BITS, PASS_NOISE_BITS, SLOT_BITS, Caps, Contract, Layout, Party, Signatures, Telco
from tandem.contract.auditor import Auditor
from tandem.contract.levels import Levelled
from tandem.contract.measurement import Measurement
from tandem.contract.words import SAFE_BITS
from tandem.sums.shapes import FEW_ROWS_A_TOTAL, LEAST_ROWS_A_TOTAL

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guide"
SHOWN = [*sorted(GUIDE.rglob("*.md")), ROOT / "README.md", ROOT / "README.zh-CN.md"]
TRANSLATED = [(ROOT / "README.zh-CN.md", ROOT / "README.md"), *((page, GUIDE / page.name) for page in sorted((GUIDE / "zh").glob("*.md")))]
FENCED = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def own(model):
    """Return the fields of the model that are no section of their own, be it one that may be left out."""
    kinds = {name: (field.annotation, *get_args(field.annotation)) for name, field in model.model_fields.items()}
    sections = {name for name, all_ in kinds.items() if any(isinstance(one, type) and issubclass(one, BaseModel) for one in all_)}
    return {name: field for name, field in model.model_fields.items() if name not in sections}


SECTIONS = {
    "Head": own(Contract),
    "`[bank]`, `[telco]`, `[coordinator]`": own(Party),
    "`[telco]` beside that": {name: one for name, one in own(Telco).items() if name not in Party.model_fields},
    "`[caps]`": own(Caps),
    "`[layout]`": own(Layout),
    "`[measurement]`": own(Measurement),
    "`[[measurement.segments]]`": own(Levelled),
    "`[[tells]]`": own(Levelled),
    "`[auditor]`": own(Auditor),
    "`[signatures]`": own(Signatures),
}
FIELDS = [(heading, name) for heading, fields in SECTIONS.items() for name in fields]


def rows(heading):
    """Return the page's table under the heading: name -> (default, limits)."""
    text = (GUIDE / "contract.md").read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| `")]
    assert {len(row) for row in cells} == {5}
    return {row[0].strip("` "): (row[1], row[2]) for row in cells}


def measured(heading, name):
    """Return whether the page gives the field a length; one that it does not have is another test's matter."""
    return any(word in rows(heading).get(name, ("", ""))[1] for word in ("digits", "characters"))


def quoted(cell):
    """Return the values in backticks that are JSON: `1`, `"woe"`."""
    return [json.loads(text) for text in re.findall(r"`([^`]+)`", cell) if re.fullmatch(r'-?\d+|".*"', text)]


def accepts(field, value):
    try:
        TypeAdapter(Annotated[field.annotation, "as the page says", *field.metadata]).validate_python(value)
    except ValidationError:
        return False
    return True


def beyond(low, high):
    """Return a value just under the limits and one just over, of the same type."""
    if isinstance(low, int):
        return low - 1, high + 1
    if "/" in low:
        under, over = Fraction(low) * Fraction(99, 100), Fraction(high) * Fraction(101, 100)
        return f"{under.numerator}/{under.denominator}", f"{over.numerator}/{over.denominator}"
    return str(float(low) / 10), str(int(high) + 1)


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_contract_page_has_every_field_in_order_and_no_other(heading):
    assert list(rows(heading)) == list(SECTIONS[heading])


def test_every_section_of_a_contract_is_on_the_page():
    sections = set(Contract.model_fields) - set(own(Contract))
    assert {name for heading in SECTIONS for name in re.findall(r"\[(\w+)\]", heading)} == sections


@pytest.mark.parametrize(("heading", "name"), FIELDS)
def test_the_contract_page_has_the_default_of_each_field(heading, name):
    field, (default, _) = SECTIONS[heading][name], rows(heading)[name]
    assert default == ("required" if field.is_required() else f"`{json.dumps(field.default)}`")


@pytest.mark.parametrize(("heading", "name"), FIELDS)
def test_the_contract_page_has_the_limits_of_each_field(heading, name):
    field, (_, limits) = SECTIONS[heading][name], rows(heading)[name]
    values = quoted(limits)
    assert [value for value in values if not accepts(field, value)] == []
    if get_origin(field.annotation) is Literal:
        assert set(values) == set(get_args(field.annotation))
    elif "` to `" in limits:
        under, over = beyond(*values[:2])  # a word may follow
        assert not accepts(field, under)
        assert not accepts(field, over)
    else:  # `low` to `high` is the only way to give a number's limits; a text has a length, listed values or is a moment
        assert not any(hasattr(one, "ge") or hasattr(one, "le") for one in field.metadata)
        assert values or measured(heading, name) or limits.startswith(("a moment, UTC", "a list of"))


@pytest.mark.parametrize(("heading", "name"), [(heading, name) for heading, name in FIELDS if measured(heading, name)])
def test_the_contract_page_has_the_lengths_of_each_text(heading, name):
    field, (_, limits) = SECTIONS[heading][name], rows(heading)[name]
    most = max(int(number) for number in re.findall(r"\d+", limits))
    made = {"tls_pin": lambda text: [text], "levels": lambda text: ["another", text]}.get(name, lambda text: text)
    assert accepts(field, made("a" * most))
    assert not accepts(field, made("a" * (most + 1)))
    assert accepts(field, made("")) == ("or empty" in limits or "at most" in limits)


def test_the_contract_page_has_the_numbers_that_the_code_has():
    text = " ".join((GUIDE / "contract.md").read_text(encoding="utf-8").split())
    score, card = SLOT_BITS - PASS_NOISE_BITS, SLOT_BITS - CARD_NOISE_BITS
    assert f"A pass is {score} bits, a card {card}, so three passes and a card are {3 * score + card}" in text
    assert f"refuses under {LEAST_ROWS_A_TOTAL} training rows a total and warns under {FEW_ROWS_A_TOTAL}" in text
    assert f"under {SAFE_BITS} the contract warns" in text


def test_what_the_page_says_of_options_holds():
    context = get_group(contract_commands.app).make_context("contract", ["new"])
    options = {one.name for one in get_group(contract_commands.app).get_command(context, "new").params}
    theirs = {name for heading in ("Head", "`[caps]`", "`[layout]`") for name in SECTIONS[heading]}
    assert theirs - options == {"format", "protocol", "id"}


@pytest.mark.parametrize("kind", ["_heading", "_title"])
def test_the_report_page_names_every_part_and_plot_of_the_report(kind):
    words = tomllib.loads((ROOT / "bank_party" / "reports" / "words.toml").read_text(encoding="utf-8"))
    text = " ".join((GUIDE / "report.md").read_text(encoding="utf-8").split())
    sign, end = ("## ", "") if kind == "_heading" else ("*", "*")
    named = [sign + english.format(positives="positives") + end for key, (english, _) in words.items() if key.endswith(kind)]
    assert len(named) >= 6
    assert [name for name in named if name not in text] == []


@pytest.mark.parametrize(("folder", "language"), [("", "en"), ("zh", "zh")])
def test_the_first_study_shows_the_words_that_a_study_prints(folder, language):
    page = (GUIDE / folder / "first-study.md").read_text(encoding="utf-8")
    shown = "".join(re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    words = _WORDS[language]
    assert [key for key in ("variable", "side", "bins", "coefficient", "se_approximate", *NAMES) if words[key] not in shown] == []
    assert [key for key in ("gain", "pooled_difference") if words[key].split("{")[0].strip() not in shown] == []


def commands(page):
    """Return the shell lines of the page's fenced blocks, continued lines joined, comments left out."""
    blocks = "\n".join(FENCED.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return [shlex.join(words) for line in blocks.splitlines() if (words := shlex.split(line, comments=True))]


def ours(page):
    """Return what the page asks of `tandem`, by itself or through scripts/demo."""
    lines = [re.sub(r"^scripts/demo\b", "tandem demo", line) for line in commands(page)]
    return [line for line in lines if line.startswith("tandem ")]


def parse(line):
    """Let the command line read the words as it would, and run nothing; return the command reached. Raises its usage error."""
    first, *rest = shlex.split(line)
    command = get_group(app)
    try:
        context = command.make_context(first, list(rest))
        while hasattr(command, "resolve_command"):
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, list(rest), parent=context)
    except typer.Exit:  # --help and --version are all that ends the reading early
        return rest[0]
    return command.name


@pytest.mark.parametrize(("page", "line"), [(str(page.relative_to(ROOT)), line) for page in SHOWN for line in ours(page)])
def test_every_command_that_is_shown_exists_with_its_options(page, line):
    assert parse(line) in shlex.split(line), page


@pytest.mark.parametrize(
    "line", ["tandem bank trian study.toml", "tandem bank train --a-fresh study.toml", "tandem contract sign contract.toml"]
)
def test_a_command_that_does_not_exist_is_found_out(line):
    with pytest.raises(Exception, match=r"No such command|No such option|Missing parameter"):
        parse(line)


@pytest.mark.parametrize(("chinese", "english"), TRANSLATED, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_translated_page_shows_no_command_that_its_original_does_not(chinese, english):
    assert [line for line in commands(chinese) if line not in commands(english)] == []
    for page, other in ((chinese, english), (english, chinese)):
        assert other.name in page.read_text(encoding="utf-8")
