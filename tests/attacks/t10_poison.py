"""T10. Poisoning, by the telco: codes that say nothing, or the opposite of the truth, in training, in scoring or in both.

Source: security, part 2, T10.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def at_random(codes: np.ndarray, seed: int) -> np.ndarray:
    """Return codes that belong to other people."""
    return np.random.default_rng(seed).permutation(codes)


def inverted(codes: np.ndarray, bins: Sequence[int]) -> np.ndarray:
    """Return codes counted from the other end."""
    return (np.array(bins) - 1 - codes).astype(codes.dtype)
