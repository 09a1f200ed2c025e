"""Before a study: what share of its rows a summer would expose, told by the attack on scores, played on its own codes.

The points are not known yet, and neither is a label. So labels are made up, a model is trained on each in the clear as the parties would
(`pooled`), and what the scores under it would tell is decoded (`score.decoding`). The first label follows the trait that the variables
share most, so that all points run the same way; the others follow nothing. The worst of them is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tandem.arguments import Chance
from tandem.contract import Contract
from tandem.errors import InputError
from tandem.score.decoding import LISTED, Guessed, Heard, decode, decode_among, frequencies, sums
from tandem.score.statement import POINT, Scale, worst_sum
from tandem.sums.terms import Integers, Reals
from tandem.tables import CodedTable, Codes
from tandem.train import pooled
from tandem.train.pairs import starts

ATTACKED = 4000
"""Rows that are decoded: a share of them is known to within 0.016 (95 %)."""
TOGETHER, OF_MANY = LISTED * LISTED, 1 << 21
"""Combinations of all variables up to which they are decoded together (eight of 8 bins), and of each set of them beyond that."""
TAUGHT = 100_000
"""Rows that tell the attacker how common bins are, and rows."""
TRAINED = 20_000
"""Rows that a made-up label is given to."""
FEWEST = 200
"""Rows of a table below which a share of them says nothing."""
LABELS = 3
"""Made-up labels of a job: one follows the variables' common trait, the others do not."""
STRENGTH = 1.25
"""Standard deviation of the log-odds that a made-up label follows."""
BADS = -1.8
"""Log-odds of a middling row: about one in six is bad."""
MOST_JOBS = 6
"""Jobs whose scores are decoded together: by then nothing that is listed fits but the row itself."""
NARROWEST, TALLEST = 0.5, 3.0
"""Rows that a bin without any of a class counts as having, and the largest WoE."""

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Told:
    """What is told of a row over a contract's life: passes of each job with their grain, cards, and variables told outright."""

    passes: int
    jobs: int = 1
    grain: float = 0.25
    card_step: int = 1
    known: tuple[int, ...] = ()
    """Variables whose bin the other side is told outright."""

    @classmethod
    def of(cls, contract: Contract, known: tuple[int, ...] = ()) -> Told:
        """Return what is told under a contract. Raises InputError for one under which nothing is scored."""
        if contract.kind == "measurement":
            raise InputError(f"contract {contract.id}: nobody is scored under a measurement contract, so no bins can be found from scores")
        layout = contract.layout
        return cls(layout.passes * (contract.kind == "training"), contract.jobs, float(Fraction(layout.grain)), layout.card_step, known)


@dataclass(frozen=True)
class Exposure:
    """Shares of `rows` rows whose bins, of all variables, the reader of the scores will find.

    `guess`: without any score, as the commonest row. `by_bins`: from what it is told, and how common each bin is. `by_rows`: and how common
    each whole row is among other people. Of many variables these are upper limits (`found`).
    """

    rows: int
    guess: float
    by_bins: float
    by_rows: float

    @property
    def share(self) -> float:
        """The larger share: what a limit is held against."""
        return max(self.by_bins, self.by_rows)

    def sentence(self, language: str) -> str:
        """Return it in words, "en" or "zh"."""
        if language == "zh":
            return (
                f"预测：银行将从合约告知的分数还原 {self.by_bins:.1%} 的行的全部分箱；若还知道各种行有多常见，则为 {self.by_rows:.1%}；"
                f"不看分数只能猜中 {self.guess:.1%}。试算 {self.rows} 行，标签为虚构。"
            )
        return (
            f"Predicted: from what it is told the bank will find all bins of {self.by_bins:.1%} of rows, and of {self.by_rows:.1%} if "
            f"it knows how common whole rows are; without a score it guesses {self.guess:.1%}. "
            f"Tried on {self.rows} rows with made-up labels."
        )


def predict(table: CodedTable, told: Told, chance: Chance, tell: Tell = lambda _: None) -> Exposure:
    """Return the exposure of a table's rows, the worst of LABELS made-up labels. Raises InputError for fewer than FEWEST rows."""
    if table.rows < FEWEST:
        raise InputError(f"{table.rows} rows: at least {FEWEST} are needed to say what share of them would be found")
    order = np.argsort(pooled.uniform(chance.fork("rows"), table.rows), kind="stable")
    cut = min(ATTACKED, table.rows // 2)
    codes, others = table.codes[order[:cut]], table.codes[order[cut : cut + TAUGHT]]
    shares = []
    for number in range(LABELS):
        jobs = min(told.jobs, MOST_JOBS)
        points = [_points(table.bins, others[:TRAINED], told, chance.fork("label", number, job), shared=number + job == 0)
                  for job in range(jobs)]
        heard = [one for job, (passes, card) in enumerate(points)
                 for one in hear(codes, table.bins, passes, card, told, chance.fork("noise", number, job))]
        shares.append(found(codes, others, table.bins, heard, _slice(tell, number / LABELS, 1 / LABELS)))
    commonest = np.unique(others, axis=0, return_counts=True)
    guess = float((codes == commonest[0][commonest[1].argmax()]).all(axis=1).mean())
    return Exposure(cut, guess, max(one for one, _ in shares), max(one for _, one in shares))


def found(
    codes: Codes, others: Codes, bins: Sequence[int], heard: Sequence[Heard], tell: Tell = lambda _: None
) -> tuple[float, float]:
    """Return the shares of rows `codes` that are found from what is `heard`: by how common bins are among `others`, and whole rows.

    Of many variables not all combinations can be listed. Then each set of a few of them is decoded by an attacker who is told all others:
    a row counts as found if every set is. A set that is not found gives a whole row that is likelier and fits, so that is an upper limit.
    """
    common = frequencies(others, bins)
    lines = np.split(np.arange(sum(bins)), np.cumsum(bins)[:-1])
    sets, plain = _sets(bins), np.zeros_like(codes)
    for number, few in enumerate(sets):
        rest = [j for j in range(len(bins)) if j not in few]
        there = np.concatenate([lines[j] for j in few])
        less = [Heard(one.points[there], one.scores - _of(one.points, codes, rest, bins), one.width) for one in heard]
        guessed = decode(less, [common[j] for j in few], _slice(tell, 0.9 * number / len(sets), 0.9 / len(sets)))
        plain[:, few] = guessed.codes
    among = decode_among(heard, common, others, Guessed(plain, np.zeros(len(codes))))
    tell(1.0)
    by_bins, by_rows = ((one == codes).all(axis=1) for one in (plain, among.codes))
    return float(by_bins.mean()), float(by_rows.mean())


def _slice(tell: Tell, begin: float, length: float) -> Tell:
    """Return what tells of a part of the work, which begins at `begin` of the whole."""
    return lambda share: tell(begin + length * share)


def _sets(bins: Sequence[int]) -> list[list[int]]:
    """Return the variables in sets, in order: in one, or, where they are many, in several of at most OF_MANY combinations."""
    if math.prod(bins) <= TOGETHER:
        return [list(range(len(bins)))]
    sets: list[list[int]] = [[]]
    for j, size in enumerate(bins):
        if sets[-1] and math.prod(bins[k] for k in sets[-1]) * size > OF_MANY:
            sets.append([])
        sets[-1].append(j)
    return sets


def _of(points: Integers, codes: Codes, some: Sequence[int], bins: Sequence[int]) -> Integers:
    line = codes[:, some].astype(np.int64) + starts(bins)[:-1][list(some)]
    return np.asarray(points[line].sum(axis=1), dtype=np.int64)


def hear(codes: Codes, bins: Sequence[int], passes: Sequence[Reals], card: Reals, told: Told, chance: Chance) -> list[Heard]:
    """Return what one job tells of rows: the card's whole points, each pass's dithered score, and the variables told outright."""
    step = np.rint(card / (POINT * told.card_step)).astype(np.int64)
    heard = [Heard(step, sums(step, codes, bins))]
    for number, table in enumerate(passes):
        scale = Scale.training(told.grain)
        width = 1 << scale.noise_bits
        points = scale.integers(table, tuple(bins))
        noise = np.floor(pooled.uniform(chance.fork(number), len(codes)) * width).astype(np.int64)
        heard.append(Heard(points, sums(points, codes, bins) + noise, width))
    for j in told.known:
        named: Integers = np.zeros(sum(bins), dtype=np.int64)
        named[starts(bins)[j] : starts(bins)[j + 1]] = np.arange(bins[j])
        heard.append(Heard(named, codes[:, j].astype(np.int64)))
    return heard


def _points(bins: Sequence[int], codes: Codes, told: Told, chance: Chance, *, shared: bool) -> tuple[list[Reals], Reals]:
    """Train on a made-up label; return the log-odds of every bin in each pass, and on the card."""
    passes = max(told.passes, 3)  # a card that is only scored with was trained under another contract
    trait = _trait(codes, bins, chance, shared=shared)
    label = (pooled.uniform(chance.fork("label"), len(codes)) < pooled.sigma(STRENGTH * trait + BADS)).astype(np.int64)
    woe = [_woe(codes[:, j], size, label) for j, size in enumerate(bins)]
    history = pooled.simulate(
        np.ones((len(codes), 1)), codes, woe, label, np.ones(len(codes), dtype=np.bool_),
        passes=passes, grain=told.grain, min_bin=1, ridge=1.0, chance=chance,
    )
    tables = [np.concatenate([theta * values for theta, values in zip(one.theta[1:], woe, strict=True)]) for one in history]
    return [_fitted(table, bins, told) for table in tables[: told.passes]], _fitted(tables[-1], bins, told)


def _fitted(table: Reals, bins: Sequence[int], told: Told) -> Reals:
    """Return the table, shrunk if its scores would leave their slot: of one too large nothing would be told."""
    room = 0.99 * min(Scale.training(told.grain).room, Scale.card(told.card_step).room)
    return table * min(1.0, room / max(worst_sum(table, tuple(bins)), 1e-9))


def _trait(codes: Codes, bins: Sequence[int], chance: Chance, *, shared: bool) -> Reals:
    """Return a trait of each row, mean 0 and variance 1: the first principal axis of the bins if shared, a random one if not."""
    line = codes.astype(np.int64) + starts(bins)[:-1]
    axis = 2.0 * pooled.uniform(chance.fork("axis"), sum(bins)) - 1.0
    if shared:
        share = np.bincount(line.ravel(), minlength=sum(bins)) / len(codes)
        flags = np.zeros((len(codes), sum(bins)))
        np.put_along_axis(flags, line, 1.0, axis=1)
        scale = np.sqrt(np.maximum(share, 1.0 / len(codes)))
        flags = (flags - share) / scale
        axis = np.linalg.eigh(flags.T @ flags)[1][:, -1] / scale
    trait: Reals = axis[line].sum(axis=1)
    spread = float(trait.std())
    return (trait - trait.mean()) / spread if spread else np.zeros(len(codes))


def _woe(codes: Codes, size: int, label: NDArray[np.int64]) -> Reals:
    rows, bads = np.bincount(codes, minlength=size), np.bincount(codes, label, minlength=size)
    bad, good = int(label.sum()), len(label) - int(label.sum())
    woe: Reals = np.log((bads + NARROWEST) / (bad + NARROWEST)) - np.log((rows - bads + NARROWEST) / (good + NARROWEST))
    return np.clip(woe, -TALLEST, TALLEST)
