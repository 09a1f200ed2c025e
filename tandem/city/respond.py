"""The city answers a campaign: who of those written to responds, applies, is approved, and uses a card again."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tandem.city.outcomes import funnel
from tandem.city.people import BENEFITS
from tandem.errors import InputError

COLUMNS = ("phone", "group", "benefit", "segment", "probability", "bank_probability")
GROUPS = ("control", "low", "high")
REACHED = 0.98
"""Share of the messages that arrive."""
_SPARE = re.compile(r"[^0-9]")


@dataclass(frozen=True)
class Answers:
    """results: one row a contact, in their order. unknown: by group, contacts whose phone nobody in the city gave the bank."""

    results: pd.DataFrame
    unknown: dict[str, int]


def respond(city: Path, contacts: Path, seed: int = 1) -> Answers:
    """Let the city answer the contacts of a campaign. The same city, contacts and seed give the same answers.

    A contact whose phone nobody gave the bank stays in the denominator `selected` as a row, is not contacted, and is counted in `unknown`.
    Raises InputError: no city, a column that is absent or unknown, a value that is none of those allowed (by row number), a phone twice.
    """
    _check_city(city)
    rows = _read(contacts)
    key = rows["phone"].map(_digits)
    twice = np.flatnonzero(key.duplicated())
    if len(twice):
        raise InputError(f"{contacts}: row {twice[0] + 2}, column 'phone': this phone stands in an earlier row; write each once")
    people = _known(city, key)
    known = people["logit_campaign"].notna().to_numpy()
    rng = np.random.default_rng(seed)
    chances = rng.random((7, len(rows)))
    reached = known & (chances[6] < REACHED)
    traits = {name: people[name].fillna(0.0).to_numpy(dtype=np.float64) for name in ("logit_campaign", "need", "orderly", "wealth")}
    fits = (rows["benefit"] == people["favourite"].astype(object)).to_numpy(dtype=np.float64) > 0
    told = funnel(traits["logit_campaign"], fits, traits["need"], traits["orderly"], traits["wealth"], chances[:6])
    stages = {name: getattr(told, name) & reached for name in ("responded", "applied", "approved", "first_card", "activated")}
    results = pd.DataFrame({
        "phone": rows["phone"], "group": rows["group"], "contacted": reached.astype(np.int64),
        **{name: stage.astype(np.int64) for name, stage in stages.items()}, "spend": np.where(stages["activated"], told.spend, 0.0),
    })
    return Answers(results, {group: int(((rows["group"] == group).to_numpy() & ~known).sum()) for group in GROUPS})


def _check_city(city: Path) -> None:
    try:
        found = json.loads((city / "city.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{city} is no city: name a folder that `tandem city make` has finished") from None
    if not isinstance(found, dict) or found.get("synthetic") is not True:
        raise InputError(f"{city / 'city.json'} does not say that the people are invented: only an invented city answers")


def _read(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError):
        raise InputError(f"cannot read {path}: it must be CSV in UTF-8, as `tandem bank campaign draw` writes it") from None
    absent = [name for name in COLUMNS if name not in rows.columns]
    if absent:
        raise InputError(f"{path}: there is no column {absent[0]!r}: contacts have {', '.join(COLUMNS)}")
    surplus = [name for name in rows.columns if name not in COLUMNS]
    if surplus:
        raise InputError(f"{path}: column {surplus[0]!r} is none of {', '.join(COLUMNS)}: take it out")
    if not len(rows):
        raise InputError(f"{path} holds no contact: draw the campaign first")
    for name, allowed in (("group", GROUPS), ("benefit", ("", *BENEFITS))):
        wrong = np.flatnonzero(~rows[name].isin(allowed))
        if len(wrong):
            listed = ", ".join(one or "(empty)" for one in allowed)
            raise InputError(f"{path}: row {wrong[0] + 2}, column {name!r}: must be one of {listed}")
    for name in ("probability", "bank_probability"):
        number = pd.to_numeric(rows[name].replace("", "0"), errors="coerce")
        wrong = np.flatnonzero(~number.between(0, 1))
        if len(wrong):
            raise InputError(f"{path}: row {wrong[0] + 2}, column {name!r}: must be empty or a probability from 0 to 1")
    return rows


def _digits(phone: str) -> str:
    return _SPARE.sub("", unicodedata.normalize("NFKC", phone))[-11:]


def _known(city: Path, key: pd.Series[str]) -> pd.DataFrame:
    """Return the hidden truth of each contact, in their order; missing where the phone is unknown or its holder is no customer."""
    wanted = pd.DataFrame({"phone": key.to_numpy(), "row": np.arange(len(key))})
    source = str(city / "hidden" / "people-*.parquet").replace("'", "''")
    try:
        with duckdb.connect() as database:
            database.register("wanted", wanted)
            return database.execute(
                "SELECT logit_campaign, need, orderly, wealth, favourite FROM wanted LEFT JOIN "  # noqa: S608 - a path, quoted
                f"(SELECT * FROM read_parquet('{source}') WHERE logit_campaign IS NOT NULL) USING (phone) ORDER BY row"
            ).df()
    except duckdb.Error:
        raise InputError(f"{city / 'hidden'} cannot be read: make the city again") from None
