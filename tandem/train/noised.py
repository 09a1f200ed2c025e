"""The one Newton step that is taken from totals with the summer's noise in them: see `newton`, of which this is the careful sister.

    S  = A - H_tb H_bb^-1 H_bt     A from noisy totals and noisy pair counts: an estimate that need not be positive
    S' = S whitened by A's diagonal, its eigenvalues lifted to what the noise alone can bring

An eigenvalue as small as the noise says nothing but that there is little information in that direction; a step along it would be as long
as the noise likes. Lifted, it is short. All of this is computed from what was told, so it costs no privacy.
"""

from __future__ import annotations

import numpy as np

from tandem.contract.noise import Noise
from tandem.sums.terms import WEIGHT_BOUND
from tandem.train.newton import SAFELY_POSITIVE, FloatArray, Step, Totals, blocks, slope


def step(theta: FloatArray, totals: Totals, C: FloatArray, ridge: float, min_bin: int, noise: Noise) -> Step:
    """Return the Newton point from `theta`; se holds the noise of the gradient beside what the rows' own chance does.

    `tau` is 0: there is no safeguard but the lifting. Raises what `newton.blocks` raises.
    """
    p_b = len(totals.g_b)
    H_bb, H_bt, A = blocks(totals, C, ridge, min_bin)
    A += ridge * np.eye(len(A))
    explaining = np.linalg.solve(H_bb, H_bt)
    inverse_t = lifted(A - H_bt.T @ explaining, A, floor(totals, C, A, noise))
    covariance = np.block([
        [np.linalg.inv(H_bb) + explaining @ inverse_t @ explaining.T, -explaining @ inverse_t], [-inverse_t @ explaining.T, inverse_t]
    ])
    blur = covariance[:, p_b:] @ C.T * noise.spread("residuals")
    return Step(theta - covariance @ slope(theta, totals, C, ridge), np.sqrt(np.diag(covariance) + (blur**2).sum(axis=1)), covariance, 0.0)


def floor(totals: Totals, C: FloatArray, A: FloatArray, noise: Noise) -> float:
    """Return the eigenvalue of a whitened S that noise alone can bring: the edge of the semicircle law, 2 sigma sqrt(d) (Wigner 1958).

    sigma is that of an entry, from the noise on pair counts; never below what `newton` calls safely positive.
    """
    density = np.divide(totals.wx[:, 0], totals.n, out=np.zeros(len(C)), where=totals.n > 0).clip(0.0, WEIGHT_BOUND)
    lengths = (C**2 * density[:, None]).sum(axis=0) / np.diag(A)
    apart = np.outer(lengths, lengths)[~np.eye(len(A), dtype=bool)]
    entry = noise.spread("pairs") * float(np.sqrt(apart.mean())) if len(apart) else 0.0
    return max(SAFELY_POSITIVE, 2.0 * entry * float(np.sqrt(len(A))))


def lifted(S: FloatArray, A: FloatArray, least: float) -> FloatArray:
    """Return the inverse of S once its eigenvalues, whitened by the diagonal of A, are at least `least`."""
    root = np.sqrt(np.diag(A))
    values, vectors = np.linalg.eigh(S / np.outer(root, root))
    inverse: FloatArray = (vectors / values.clip(min=least)) @ vectors.T / np.outer(root, root)
    return inverse
