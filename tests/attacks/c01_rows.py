"""C1. Rows from totals, by the coordinator: what it hears about bins, turned back into rows; and anything that it should not have.

Least squares from every pass's totals, on a table that it makes up to fit the counts: nothing that it hears says which row of the
roster has which codes. If it holds a key, it opens whatever passes by. Then its frames are searched for
identifiers, names and planted strings, plain, in hex and in base64. Source: security, part 2, C1.
"""

from __future__ import annotations

import numpy as np
from attacked.views import View

from attacks.opened_totals import totals
from attacks.t01_labels import one_hot
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Foreign, admit
from tandem.crypto.slots import Layout, signed_digits
from tandem.wire.messages import PairSums, Sealed, Shapes

RESIDUAL = 3


def residuals(view: View, layout: Layout, rows: int) -> np.ndarray:
    """Return the residual of every row of the roster (N,), opened if it has the key, else by least squares from all totals."""
    secret = view.inputs.get("secret")
    if isinstance(secret, SecretKey):
        return opened(view, secret, layout)
    shapes = view.messages(Shapes, sent=False)[0]
    codes = _made_up(shapes.bins, shapes.counts, rows)
    found = np.zeros(rows)
    for stage in sorted({one.stage for one in view.frames("Opened", sent=False)}):
        residual = totals(view, layout, stage=stage)[:, RESIDUAL].astype(float)
        found += np.linalg.lstsq(one_hot(codes, shapes.bins).T, residual, rcond=None)[0]
    return found


def _made_up(bins: tuple[int, ...], counts: tuple[int, ...], rows: int) -> np.ndarray:
    """Return codes (N, d) that have the counts by bin which were told; which row has which is anybody's guess."""
    rng, ends = np.random.default_rng(0), np.cumsum(bins)
    parts = np.split(np.array(counts), ends[:-1])
    return np.column_stack([rng.permutation(np.repeat(np.arange(size), part)) for size, part in zip(bins, parts, strict=True)])[:rows]


def opened(view: View, secret: SecretKey, layout: Layout) -> np.ndarray:
    """Return the residuals of all sealed rows that passed by, with the key."""
    found = []
    heard = (*(one.rows for one in view.messages(Sealed, sent=False)), *(one.sums for one in view.messages(PairSums, sent=False)))
    for sealed in heard:
        plain = secret.open(admit(secret.public, Foreign(sealed.data)))
        found += [secret.public.centred(number) for number in plain]
    return np.array([signed_digits(number, layout.width, len(layout.slots))[RESIDUAL] for number in found])


def found_in(view: View, forms: list[list[bytes]]) -> int:
    """Return how many strings are anywhere in what it has, each given in all the forms to look for."""
    whole = b"".join(one.frame for one in view.seen)
    return sum(any(form in whole for form in each) for each in forms)
