"""Where a contract stands, attack by attack, as rows: what screen, JSON and page of `tandem audit report` are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tandem.audit.standing import Standing
from tandem.audit.trying import Tried
from tandem.contract import Contract
from tandem.errors import InputError
from tandem.node import disk
from tandem.pages import NONE, Words, fill

WORDS = Path(__file__).with_name("standing_words.toml")
OWN = ("files", "ledger", "port")
"""What is looked at of a node beside the attacks of the list."""
_LIMIT = 1 << 24
"""Bytes of a recorded run; a real one has some hundred thousand."""


@dataclass(frozen=True)
class Row:
    """A line: its attack, what becomes of it here, what was tried on this node, and how the fixture fell in the recorded run."""

    id: str
    title: str
    outcome: str
    says: str
    here: str
    recorded: str


def rows(stand: Sequence[Standing], tried: Sequence[Tried], fell: Mapping[str, str], words: Words) -> list[Row]:
    """Return the lines in the order of the list; what is this node's own comes last, held or not."""
    here = {one.id: one for one in tried}

    def found(name: str, word: str) -> str:
        one = here.get(name)
        return NONE if one is None else words(word, held=f"{one.held:,}", tries=f"{one.tries:,}") + (f": {one.fault}" if one.fault else "")

    listed = [Row(one.id, one.title, one.outcome, one.says, found(one.id, "refused"), fell.get(one.id, NONE)) for one in stand]
    own = [
        Row("", words(name), "blocked" if here[name].whole else "printed", "", found(name, "refused" if name == "port" else "whole"), NONE)
        for name in OWN if name in here
    ]
    return [*listed, *own]


def recorded(path: Path) -> dict[str, str]:
    """Return by attack how its fixtures fell in a recorded run; {} where there is no such file. Raises InputError for another file."""
    if not path.exists():
        return {}
    fell: dict[str, list[str]] = {}
    try:
        with path.open("rb") as file:
            read = json.loads(file.read(_LIMIT))
        for one in read["attacks"] if isinstance(read, dict) else read:
            name = re.sub(r"[a-z]+$", "", one["id"])
            fell.setdefault(name, []).append(f"{one['fixture']}: {one['weakened']['shown']}")
    except OSError as failure:
        raise disk.explain(failure, path, "read") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no recorded run of the attacks: it comes with the release, as docs/security/attacks.json") from None
    return {name: "; ".join(texts) for name, texts in fell.items()}


def verdict(tried: Sequence[Tried], words: Words) -> str:
    """Return in a line whether anything that was tried got through."""
    through = [one.id for one in tried if not one.whole]
    return words("broken", names=", ".join(through)) if through else words("fine")


def below(quiet: str, missing: str, words: Words) -> Iterator[str]:
    """Yield what was not looked at: a port at which nobody listens, a recorded run that is not there; "" for neither."""
    if quiet:
        yield words("quiet", listen=quiet)
    if missing:
        yield words("unrecorded", path=missing)


def facts(contract: Contract, role: str, made: str, lines: Sequence[Row], tried: Sequence[Tried]) -> dict[str, Any]:
    """Return the report for other programs."""
    return {
        "contract": contract.digest.hex(), "party": role, "made": made, "attacks": [asdict(one) for one in lines],
        "tried": [{**asdict(one), "whole": one.whole} for one in tried],
    }


def page(head: str, who: str, lines: Sequence[Row], tried: Sequence[Tried], left_out: Sequence[str], words: Words) -> str:
    """Return the report as one HTML file that fetches nothing."""
    return fill(
        Path(__file__).with_name("standing.html.j2"), {}, w=words, head=head, who=who, rows=lines, verdict=verdict(tried, words),
        broken=any(not one.whole for one in tried), below=left_out,
    )
