"""T1. Labels from all that the telco sees, by the telco.

Every number that it received is laid beside its own codes: lists of one number a row, lists of one number a bin, ciphertexts by their
residues, Jacobi symbols and bit counts (times are K10's). Then, best of: least squares on totals by bin, sign and norm of what comes by
row, clusters of the fields, boosted trees on codes and fields. It is granted the labels of half of the rows to learn with, more than it
has; each guess is joined to its own model, and the one that does best on the granted half is its guess for the others.
Source: security, part 2, T1; the least squares is the gradient inversion of linear models (FATE's arbiter, see its part 7).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import gmpy2
import numpy as np
from attacked.views import View
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from tandem.crypto.paillier import Foreign, PublicKey, read
from tandem.wire.codec import MESSAGES
from tandem.wire.messages import Closing, Key, Signature

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
CLUSTERS = (2, 8)


@dataclass(frozen=True)
class Numbers:
    """What was received, as numbers: a row each (N, fields), and lists of one number a bin in the clear."""

    by_row: np.ndarray = field(repr=False)
    by_bin: list[np.ndarray] = field(repr=False)


def one_hot(codes: np.ndarray, bins: tuple[int, ...]) -> np.ndarray:
    """Return (N, M): a column for each bin of each variable."""
    return np.concatenate([np.eye(size)[codes[:, j]] for j, size in enumerate(bins)], axis=1)


def received(view: View) -> Numbers:
    """Return every number that came in, by row or by bin; whatever fits neither is the same for all rows and tells none from another."""
    codes, bins = view.inputs["codes"], view.inputs["bins"]
    n_rows, size = len(codes), sum(bins)
    key = PublicKey(int.from_bytes(view.messages(Key, sent=False)[0].modulus, "little"))
    lists: list[np.ndarray] = []
    for (script, stage, kind) in dict.fromkeys((one.script, one.stage, one.kind) for one in view.seen if not one.sent):
        messages = view.messages(MESSAGES[kind], sent=False, script=script, stage=stage)
        for part in fields(MESSAGES[kind]):
            values = [getattr(message, part.name) for message in messages]
            if isinstance(values[0], Foreign):
                lists.append(np.concatenate([_read(key, value.data) for value in values]))
            elif isinstance(values[0], (int, float, tuple)):
                lists += _plain(values)
    rows = [_columns(each, n_rows) for each in lists if len(each) and len(each) % n_rows == 0]
    sealed_bins = [_spread(each, codes, bins) for each in lists if len(each) == size]
    plain_bins = [each for each in lists if each.ndim == 1 and len(each) == size]
    found = [each for each in (*rows, *sealed_bins) if each.shape[1]]
    return Numbers(np.concatenate(found, axis=1) if found else np.zeros((n_rows, 0)), plain_bins)


def least_squares(numbers: Numbers, codes: np.ndarray, bins: tuple[int, ...]) -> np.ndarray | None:
    """Return the smallest residuals by row (N,) that have these totals by bin, of the first list that there is; None if there is none."""
    if not numbers.by_bin:
        return None
    return np.linalg.lstsq(one_hot(codes, bins).T, numbers.by_bin[0], rcond=None)[0]


def plain_fields(view: View) -> list[tuple[object, ...]]:
    """Return what was received and is neither sealed nor a digest or signature of what is: a value each, or how long it is."""
    found: list[tuple[object, ...]] = []
    for one in view.seen:
        if one.sent:
            continue
        message = one.message(MESSAGES[one.kind])
        for part in fields(message):
            value = getattr(message, part.name)
            hidden = isinstance(value, Foreign) or (isinstance(message, (Closing, Signature)) and part.name != "peers")
            shown = len(value.data if isinstance(value, Foreign) else value) if hidden else value
            found.append((one.script, one.stage, one.kind, part.name, shown))
    return found


@dataclass(frozen=True)
class Guess:
    """Scores (N,): the own model's, the attack's, and the name of the procedure that did best; what it did on the granted half."""

    own: np.ndarray = field(repr=False)
    best: np.ndarray = field(repr=False)
    name: str
    tried: dict[str, float]


def guess(view: View, granted: np.ndarray, labels: np.ndarray) -> Guess:
    """Return scores of every row. granted: rows (k,) whose labels (k,) are known to the telco."""
    codes, bins = view.inputs["codes"], view.inputs["bins"]
    numbers, plain = received(view), one_hot(codes, bins)
    own, learnt = _learnt(LogisticRegression(max_iter=1000), plain, granted, labels)
    tried = {"nothing": own}, {"nothing": learnt}

    def joined(name: str, score: np.ndarray) -> None:
        """Join a score that needs no labels, or a trained one's held-out scores, to the own model."""
        spread = score.std() or 1.0
        found = _learnt(LogisticRegression(max_iter=1000), np.column_stack((own, score / spread)), granted, labels)
        tried[0][name], tried[1][name] = found

    solved = least_squares(numbers, codes, bins)
    if solved is not None:
        joined("least squares", solved)
    if numbers.by_row.shape[1]:
        scaled = (numbers.by_row - numbers.by_row.mean(axis=0)) / np.where(numbers.by_row.std(axis=0) > 0, numbers.by_row.std(axis=0), 1.0)
        alone = [abs(roc_auc_score(labels, scaled[granted, j]) - 0.5) for j in range(scaled.shape[1])]
        joined("sign", scaled[:, int(np.argmax(alone))])
        joined("norm", np.linalg.norm(scaled, axis=1))
        for size in CLUSTERS:
            at = KMeans(size, n_init=1, random_state=0).fit_predict(scaled)
            shares = np.array([labels[at[granted] == k].mean() if (at[granted] == k).any() else 0.5 for k in range(size)])
            joined(f"{size} clusters", shares[at])
        trees = HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=15, random_state=0)
        tried[0]["trees"], tried[1]["trees"] = _learnt(trees, np.column_stack((plain, own, scaled)), granted, labels)
    figures = {name: float(roc_auc_score(labels, score)) for name, score in tried[1].items()}
    name = max((each for each in figures if each != "nothing"), key=lambda each: figures[each], default="nothing")
    return Guess(own, tried[0][name], name, figures)


def _learnt(model: Any, inputs: np.ndarray, granted: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (scores of all rows, scores of the granted ones by folds that did not see them)."""
    held_out = cross_val_predict(model, inputs[granted], labels, cv=3, method="predict_proba")[:, 1]
    return model.fit(inputs[granted], labels).predict_proba(inputs)[:, 1], held_out


def _plain(values: list[Any]) -> list[np.ndarray]:
    whole = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [np.array(whole, dtype=float)] if whole and isinstance(whole[0], (int, float)) else []


def _read(key: PublicKey, data: bytes) -> np.ndarray:
    """Return what can be read off ciphertexts without a key: (count, fields)."""
    found = []
    for c in read(data, key.width):
        residue = c % key.n
        found.append((
            float(residue == 1), gmpy2.jacobi(residue, key.n), gmpy2.popcount(c), int(c * 10**9 // key.n2), int(residue * 10**9 // key.n),
            *(int(c % prime) for prime in PRIMES),
        ))
    return np.array(found, dtype=float)


def _columns(each: np.ndarray, rows: int) -> np.ndarray:
    """Return a list that comes a whole number of times a row as (N, fields), constant ones left out."""
    table = each.reshape(rows, -1)
    return table[:, table.std(axis=0) > 0]


def _spread(each: np.ndarray, codes: np.ndarray, bins: tuple[int, ...]) -> np.ndarray:
    """Return a list of one item a bin as what each row's bins add up to."""
    starts = np.cumsum((0, *bins[:-1]))
    table = each.reshape(len(each), -1)
    return sum(table[start + codes[:, j]] for j, start in enumerate(starts))
