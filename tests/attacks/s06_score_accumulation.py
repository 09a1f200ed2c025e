"""S6, score accumulation, by a bank that gets one score more of the same people whenever it asks.

K models give K sums of each person's d values: at K = d they are solved for, below that the nearest values that fit are guessed. Where
logits of many steps come in the clear, nobody's weights need be known: some customers of known values give them, and they the others.
Source: protocol-review 2.1 and 2.2.
"""

from __future__ import annotations

import numpy as np


def solve(weights: np.ndarray, scores: np.ndarray, middle: float) -> np.ndarray:
    """Return (N, d) values, those nearest to `middle` that give `scores` (K, N) under `weights` (K, d)."""
    return middle + np.linalg.lstsq(weights, scores - middle * weights.sum(axis=1, keepdims=True), rcond=None)[0].T


def complete(known: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return (N, d) values of all who were scored, `scores` (T, N), from those of the first few, `known` (m, d), weights unknown."""
    weights = np.linalg.lstsq(known, scores[:, : len(known)].T, rcond=None)[0].T
    return np.linalg.lstsq(weights, scores, rcond=None)[0].T
