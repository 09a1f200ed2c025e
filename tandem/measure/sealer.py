"""Measuring a campaign, the side that knows who was contacted and what came of it. See the picture in `script`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tandem.arguments import Chance, Engine, Keep, keep_nothing
from tandem.crypto.opening import SecretKey
from tandem.errors import InputError
from tandem.measure import released
from tandem.measure.terms import Terms
from tandem.measure.withholding import Told
from tandem.session.session import Role
from tandem.sums.sealer import open_shares, say_key, seal_rows
from tandem.sums.shapes import LEAST_ROWS_A_TOTAL
from tandem.sums.terms import Integers
from tandem.wire.messages import Campaign, Measured


@dataclass(frozen=True)
class Rows:
    """The sealer's own people: outcomes (n, groups * outcomes) of 0 and 1, the roster row of each (n,), and how long the roster is."""

    outcomes: Integers = field(repr=False)
    places: Integers = field(repr=False)
    count: int

    @property
    def roster(self) -> Integers:
        """All rows to seal (N, slots): zeros wherever nobody was contacted, own or cover."""
        rows = np.zeros((self.count, self.outcomes.shape[1]), dtype=np.int64)
        rows[self.places] = self.outcomes
        return rows


@dataclass(frozen=True)
class Heard:
    """What was released, a segment each, or the check that failed at the solver."""

    told: tuple[Told, ...]
    failed: str


def measure(
    secret: SecretKey, rows: Rows, terms: Terms, engine: Engine, chance: Chance, *, keep: Keep = keep_nothing
) -> Role[Heard]:
    """Play MEASURE; return what was released. Raises InputError, before any row is sealed, for too few people contacted.

    A check that failed is returned, not raised: a session that ended before its closing would show the summer how it went (T7).
    """
    require_people(rows, terms)
    yield from say_key(secret, terms.contract)
    yield from seal_rows(secret, terms.layout(secret.public), rows.roster, engine, chance, keep)
    yield Campaign(tuple(int(total) for total in rows.outcomes.sum(axis=0)))
    yield from open_shares(secret, engine)
    said: Measured = yield Measured
    return Heard(released.hear(said, terms), said.failed)


def require_people(rows: Rows, terms: Terms) -> None:
    """Refuse to have few people split by many levels, whoever would see the totals (T9). Raises InputError."""
    people = int(rows.outcomes[:, :: len(terms.outcomes)].sum())
    totals = terms.codes - len(terms.levels)
    if people < LEAST_ROWS_A_TOTAL * totals:
        raise InputError(
            f"{people} people contacted, of those whom the telco knows, for {totals} totals; at least {LEAST_ROWS_A_TOTAL} a total are"
            " needed: draft a contract with fewer segments or levels"
        )
