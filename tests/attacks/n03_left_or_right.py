"""N3, by the telco: which of two secrets is a transcript of? Boosted trees look for it.

Features: number, order and size of frames; every clear field; of ciphertexts the residues modulo 50 primes, Jacobi symbol, equalities; and,
if asked, times. The attacker plays either secret itself as often as it likes: those transcripts it knows. Source: the game of left or right
(Bellare et al., FOCS 1997), with a classifier for the distinguisher.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

import gmpy2
import numpy as np
from attacked.views import Seen, View
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from tandem.crypto.paillier import read
from tandem.wire.codec import MESSAGES
from tandem.wire.messages import Key

PRIMES = tuple(p for p in range(3, 240) if all(p % q for q in range(2, p)))[:50]

Features = Mapping[str, float]


def features(view: View, *, times: bool = False) -> Features:
    """Return what can be measured in a view, by name."""
    n = next(int.from_bytes(one.message(Key).modulus, "little") for one in view.seen if one.kind == "Key")
    found: dict[str, float] = {"frames": len(view.seen)}
    seen: dict[str, list[int]] = {}
    turns: Counter[tuple[str, bool, str]] = Counter()
    for place, one in enumerate(view.seen):
        turns[one.kind, one.sent, one.peer] += 1
        name = f"{one.kind}.{turns[one.kind, one.sent, one.peer]}.{one.peer}.{one.sent}"
        found[f"size {name}"], found[f"place {name}"] = len(one.frame), place
        if times:
            found[f"time {name}"] = one.at - view.seen[0].at
            found[f"gap {name}"] = one.at - view.seen[max(0, place - 1)].at
        _fields(one, name, n, found, seen)
    for group, values in seen.items():
        _numbers(group, values, n, found)
    every = [value % n for values in seen.values() for value in values]
    found["equal"] = len(every) - len(set(every))
    return found


def _fields(one: Seen, name: str, n: int, found: dict[str, float], seen: dict[str, list[int]]) -> None:
    message = one.message(MESSAGES[one.kind])
    width = 2 * ((n.bit_length() + 7) // 8)
    for field in fields(message):
        value, told = getattr(message, field.name), f"{name}.{field.name}"
        if hasattr(value, "data"):
            value = value.data
            seen.setdefault(f"{one.kind}.{one.sent}", []).extend(int(c) for c in read(value, width))
        values = value if isinstance(value, tuple) else (value,)
        found[f"items {told}"] = len(values)
        for place, item in enumerate(values):
            number = isinstance(item, bool | int | float)
            found[f"{told}.{place}"] = float(item) if number else len(item)
            if isinstance(item, str | bytes):
                found[f"{told}.{place} end"] = int.from_bytes(item.encode()[-6:] if isinstance(item, str) else item[-6:])
                found[f"{told}.{place} zeros"] = item.count("0" if isinstance(item, str) else 0)


def _numbers(group: str, values: Sequence[int], n: int, found: dict[str, float]) -> None:
    symbols = [gmpy2.jacobi(value, n) for value in values]
    found[f"{group} symbol"] = float(np.mean(symbols))
    for place, (value, symbol) in enumerate(zip(values[:20], symbols, strict=False)):
        found[f"{group} symbol {place}"], found[f"{group} top {place}"] = symbol, float(value >> (2 * n.bit_length() - 40))
    found[f"{group} equal"] = len(values) - len(set(values))
    found[f"{group} least"] = float(min(values) >> (2 * n.bit_length() - 60))
    for prime in PRIMES:
        residues = [int(value % prime) for value in values]
        found[f"{group} mod {prime}"], found[f"{group} zeros mod {prime}"] = float(np.mean(residues)), residues.count(0)


def tabled(transcripts: Iterable[Features]) -> np.ndarray:
    """Return the features as a table, a row a transcript and a column a name, with -1 where a transcript has none of that name."""
    columns: dict[str, int] = {}
    rows = []
    for one in transcripts:
        for name in one:
            columns.setdefault(name, len(columns))
        row = np.full(len(columns), -1.0)
        row[[columns[name] for name in one]] = list(one.values())
        rows.append(row)
    table = np.full((len(rows), len(columns)), -1.0)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def told(table: np.ndarray, worlds: Sequence[int], seed: int) -> float:
    """Return how often the world is told by trees that never saw the transcript (a row of `table`): the mean of four foldings in five.

    One split a tree, few features, half of the rows a tree: chosen on worlds that mean nothing and on one feature moved by its spread.
    """
    table, truth = table[:, (table != table[0]).any(axis=0)], np.asarray(worlds)
    if not table.shape[1]:
        return 0.5
    trees = GradientBoostingClassifier(n_estimators=40, learning_rate=0.1, max_depth=1, subsample=0.5, random_state=seed)
    steps = Pipeline([("likely", SelectKBest(_apart, k=min(8, table.shape[1]))), ("trees", trees)])
    folds = [StratifiedKFold(5, shuffle=True, random_state=100 * seed + turn) for turn in range(4)]
    return float(np.mean([cross_val_predict(steps, table, truth, cv=cv) == truth for cv in folds]))


def _apart(table: np.ndarray, worlds: np.ndarray) -> np.ndarray:
    """Return how far apart the worlds' means of each feature lie, in units of its spread inside them; 0 where it never changes."""
    left, right = table[worlds == 0], table[worlds == 1]
    spread = np.sqrt(left.var(axis=0) + right.var(axis=0))
    return np.abs(left.mean(axis=0) - right.mean(axis=0)) / np.where(spread > 0, spread, 1e-9)
