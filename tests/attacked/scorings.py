"""Studies whose scores are to be decoded: what the bank was told in each scoring, and the truth beside it.

One is played with the shipped roles, sealed and opened, on made-up rows. Others are acted out in the clear on public tables that were cut
in two, the points being those of the model that the parties would have trained.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import numpy as np
from attacks import s05_score_decoding
from loopback_study import CONTRACT, Study, small_key
from vectors import BESIDE

from attacked.views import Recorder, View
from tandem.arguments import Seeded
from tandem.contract import CARD_NOISE_BITS, PASS_NOISE_BITS, SLOT_BITS
from tandem.score.decoding import Heard
from tandem.score.statement import Scale
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Outline
from tandem.train import sealer, solver, summer
from tandem.train.exposure import Told, hear
from tandem.train.pairs import pair_counts
from tandem.train.pooled import simulate
from tandem.train.script import order
from tandem.wire.messages import Opening, Release

ROOT = Path(__file__).parents[2]
PUBLIC = ("uci_credit_card", "bank_marketing", "iranian_churn")
BINS = (6, 5, 6, 4, 5, 3)


@dataclass(frozen=True)
class Scored:
    """What a bank heard of `codes` (N, d), which the scorer keeps, and rows of other people; `told` is what the contract says of it."""

    name: str
    heard: tuple[Heard, ...]
    codes: np.ndarray = field(repr=False)
    others: np.ndarray = field(repr=False)
    bins: tuple[int, ...]
    told: Told
    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    """(N, d) the WoE of each row, which scores add up."""

    @property
    def table(self) -> CodedTable:
        """The telco's table: those scored and the others."""
        codes = np.concatenate((self.codes, self.others))
        return CodedTable(codes, self.bins, tuple(f"t{j:02}" for j in range(len(self.bins))))


@dataclass
class Watched(Study):
    """A study with a tap of its own at each role; `known` is what the solver knew after each session."""

    recorder: Recorder = field(default_factory=Recorder)
    known: list[solver.Known] = field(default_factory=list)

    def play(self, script: Any, here: Any, roles: dict[str, Any]) -> dict[str, Any]:
        opening = Opening("test", script.name, here.stage, ("rows",), (self.rows.count,), here.roster)
        results = converse(
            {name: (Session(script, name, CONTRACT, here.session, opening, self.recorder.tap(name)), role) for name, role in roles.items()},
            None,
        )
        self.known.append(results["solver"])
        return results


def trait_codes(count: int, seed: int, bins: tuple[int, ...] = BINS) -> np.ndarray:
    """Return made-up rows whose variables go together, in bins of unequal size."""
    rng = np.random.default_rng(seed)
    place = 1 / (1 + np.exp(-(1.2 * rng.normal(size=(count, 1)) + rng.normal(size=(count, len(bins))))))
    return np.asarray((place * np.array(bins)).astype(np.uint8))


@cache
def played(count: int, bits: int, *, noise: bool) -> Scored:
    """Play a study of three passes and a card, sealed; the noise of the scores may be out (then see that `weak` is in force)."""
    rng = np.random.default_rng(7)
    codes, others = trait_codes(count, 1), trait_codes(4000, 2)
    own, effect = rng.normal(size=(count, 3)).clip(-4, 4), codes @ np.array([0.3, 0.25, 0.2, 0.3, 0.1, 0.4])
    y = (rng.random(count) < 1 / (1 + np.exp(-(own @ np.array([0.6, -0.5, 0.1]) + effect - effect.mean() - 0.8)))).astype(np.int64)
    outlines = tuple(Outline(f"t{j + 1:02}", b, b, missing=False, rest=False) for j, b in enumerate(BINS))
    terms = Terms(CONTRACT, columns=3, variables=len(BINS), rows=1 << 13, key_bits=bits, min_bin=20, min_class=5)
    coded = summer.Coded(
        CodedTable(codes, BINS, tuple(o.alias for o in outlines)), outlines, summer.fit_to_tell(pair_counts(codes, BINS), terms.min_bin)
    )
    rows = sealer.Rows(np.column_stack((np.ones(count), own)), y, rng.random(count) < 0.9)
    study = Watched(rows, coded, terms, small_key(bits))
    study.card(study.train()[1])
    view = study.recorder.view("sealer")
    told = list(_told(view, study, noise=noise))
    woe = [one.values for one in study.known[0].described]
    values = np.column_stack([woe[j][codes[:, j]] for j in range(len(BINS))])
    return Scored("made up, sealed", tuple(told), codes, others, BINS, Told(3), values)


def _told(view: View, study: Watched, *, noise: bool) -> Iterator[Heard]:
    """Yield what the bank opened in each pass and on the card, with the points that it knows."""
    terms, count = study.terms, study.rows.count
    for number, known in enumerate(study.known[: terms.passes], 1):
        assert known.newton is not None
        theta = known.newton.theta[len(known.theta_b) :]
        points = Scale.training(terms.grain).integers(_by_bin(known, theta), BINS)
        scores = s05_score_decoding.opened(view, study.secret, "train", number, count, PASS_NOISE_BITS, SLOT_BITS)
        yield Heard(points, scores, 1 << PASS_NOISE_BITS if noise else 1)
    (release,) = view.messages(Release, sent=False)
    scores = s05_score_decoding.opened(view, study.secret, "card", len(order(terms)), count, CARD_NOISE_BITS, SLOT_BITS)
    yield Heard(np.array(release.points, dtype=np.int64), scores >> CARD_NOISE_BITS)


def _by_bin(known: solver.Known, theta: np.ndarray) -> np.ndarray:
    parts = [np.zeros(size) for size in BINS]
    for value, j in zip(theta, known.kept, strict=True):
        parts[j] = value * known.described[j].values
    return np.concatenate(parts)


def public(name: str, told: Told, seed: int) -> Scored:
    """Act out the study of a public set, as scripts/convergence reads it; FileNotFoundError where the set is not beside the checkout."""
    loader = SourceFileLoader("convergence", str(ROOT / "scripts" / "convergence"))
    spec = spec_from_loader("convergence", loader)
    assert spec is not None
    script = module_from_spec(spec)
    loader.exec_module(script)
    folder = BESIDE / "data" / name
    options = Namespace(id="phone", label="label", seed=str(seed))
    x_b, codes, woe, y, train = script.study(folder / "bank.csv", folder / "telco.csv", options)
    history = simulate(
        x_b, codes, woe, y, train, passes=max(3, told.passes), grain=told.grain, min_bin=50, ridge=1.0, chance=Seeded(str(seed).encode())
    )
    tables = [np.concatenate([t * w for t, w in zip(one.theta[x_b.shape[1] :], woe, strict=True)]) for one in history]
    bins = tuple(len(values) for values in woe)
    order_ = np.random.default_rng(seed).permutation(len(codes))
    cut = min(4000, len(codes) // 2)
    some, others = codes[order_[:cut]], codes[order_[cut:]]
    heard = hear(some, bins, tables[: told.passes], tables[-1], told, Seeded(b"noise").fork(name, seed))
    return Scored(name, tuple(heard), some, others, bins, told)


def sets_here() -> tuple[str, ...]:
    """Return the public sets that lie beside the checkout."""
    return tuple(name for name in PUBLIC if (BESIDE / "data" / name / "telco.csv").is_file())
