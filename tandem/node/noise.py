"""Where noise comes from: OpenDP's sampler of the discrete Gaussian distribution, which takes its randomness from the system.

It is an optional part: only a telco under a contract with an epsilon draws noise.
"""

from __future__ import annotations

import numpy as np

from tandem.errors import InputError
from tandem.sums.noise import Integers


def require() -> None:
    """Raise InputError where OpenDP is not installed, saying how to get it."""
    try:
        import opendp  # noqa: F401, PLC0415 - optional: only noise needs it
    except ModuleNotFoundError:
        raise InputError("this contract asks for noise, and opendp is not installed: pip install 'tandem-fusion[dp]'") from None


def discrete_gaussian(scale: float, count: int) -> Integers:
    """Return `count` whole numbers of standard deviation `scale` (Canonne, Kamath and Steinke 2020). Raises InputError without OpenDP."""
    require()
    import opendp.prelude as dp  # noqa: PLC0415 - as above

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    return np.array(dp.m.make_gaussian(*space, scale=float(scale))([0] * count), dtype=np.int64)
