"""Made-up campaigns, and a measurement of one in one process: what the tests of measuring share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from loopback_study import CONTRACT, small_key

from tandem.arguments import Seeded
from tandem.engine.serial import Serial
from tandem.measure import sealer, solver, summer
from tandem.measure.script import MEASURE
from tandem.measure.terms import Terms
from tandem.score.statement import roster_digest
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.session.tap import untapped
from tandem.tables import CodedTable
from tandem.wire.messages import Opening

OUTCOMES = ("contacted", "responded", "activated", "spend_100")
TERMS = Terms(CONTRACT, 2, OUTCOMES, 2, (4, 3), 1 << 11, 512, 10, 4)


@dataclass
class Campaign:
    """A roster with levels, own people in some of its rows, and what came of contacting them."""

    rows: sealer.Rows
    codes: np.ndarray
    terms: Terms = TERMS
    seed: bytes = b"campaign"
    alter: object = None
    once: object = None
    roles: dict = field(default_factory=dict)
    """Role by name in place of the shipped one."""

    def play(self, tap=untapped, bend=None, taps=None):
        """Play it; `bend`: by role's name what makes a cheating one of it; `taps`: by role's name who sees its frames."""
        secret = small_key()
        opening = Opening("test", "measure", 0, ("rows",), (self.rows.count,), roster_digest(np.arange(self.rows.count)))
        table = CodedTable(self.codes, self.terms.levels, tuple(one.alias for one in self.terms.outlines))
        asked = {} if self.once is None else {"once": self.once}
        roles = {
            "sealer": sealer.measure(secret, self.rows, self.terms, Serial(), Seeded(self.seed).fork("sealer")),
            "summer": summer.measure(table, self.terms, Serial(), Seeded(self.seed).fork("summer")),
            "solver": solver.measure(self.rows.count, self.terms, **asked),
        } | self.roles
        roles |= {name: change(roles[name]) for name, change in (bend or {}).items()}
        sessions = {
            name: (Session(MEASURE, name, CONTRACT, bytes(16), opening, tap if taps is None else taps(name)), role)
            for name, role in roles.items()
        }
        return converse(sessions, self.alter)

    def with_rows(self, outcomes):
        return replace(self, rows=replace(self.rows, outcomes=outcomes))


def campaign(seed=0, cover=1, count=240, terms=TERMS, **chosen):
    """Return a campaign of `count` people on a roster `cover` times as long; skewed levels, so that some are small."""
    rng = np.random.default_rng(seed)
    outcomes = np.zeros((count, terms.groups, len(terms.outcomes)), np.int64)
    group = rng.choice(terms.groups + 1, count, p=[0.2] + [0.8 / terms.groups] * terms.groups)
    for person in np.flatnonzero(group):
        contacted = rng.random() < 0.9
        rates = rng.choice([0.15, 0.4, 0.7], len(terms.outcomes))
        outcomes[person, group[person] - 1] = contacted * (rng.random(len(terms.outcomes)) < rates)
        outcomes[person, group[person] - 1, 0] = contacted
    weights = [rng.dirichlet(np.full(levels, 0.8)) for levels in terms.levels]
    codes = np.column_stack([rng.choice(len(w), cover * count, p=w) for w in weights]).astype(np.uint8)
    places = np.sort(rng.permutation(cover * count)[:count])
    return Campaign(sealer.Rows(outcomes.reshape(count, -1), places, cover * count), codes, terms, **chosen)


def same(told, expected):
    """Say whether two releases are equal, number by number."""
    return [(one.joined, one.counts.tolist()) for one in told] == [(one.joined, one.counts.tolist()) for one in expected]
