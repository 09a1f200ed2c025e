"""Shapes of a table as they are told, and the terms that numbers are put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from masked_path import secret

from tandem.arguments import Seeded
from tandem.errors import Malformed
from tandem.sums.shapes import hear, independent, require_offered, require_rows, tell
from tandem.sums.terms import Terms, chunk_length
from tandem.tables import Outline
from tandem.wire.codec import decode, encode
from tandem.wire.messages import Shapes, Shares


def outlines():
    return [
        Outline("t01", 4, 3, missing=True, rest=False),
        Outline("t02", 3, 0, missing=False, rest=True),
        Outline("t03", 1, 1, missing=False, rest=False),
    ]


COUNTS = [np.array([10, 20, 30, 40]), np.array([50, 50, 0]), np.array([100])]


def test_shapes_round_trip():
    said = tell(outlines(), COUNTS)
    heard, counts = hear(decode(Shapes, encode(said)), rows=100)
    assert heard == outlines()
    assert [c.tolist() for c in counts] == [c.tolist() for c in COUNTS]
    assert tell(outlines()).counts == ()
    assert hear(tell(outlines())) == (outlines(), [])
    assert independent(outlines()) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"aliases": ("t01", "t02")}, {"aliases": ("t01", "t02", "t01")}, {"bins": (4, 3)}, {"ordered": ()}, {"special": (1, 2)},
        {"aliases": (), "bins": (), "ordered": (), "special": (), "counts": ()}, {"bins": (4, 3, 0)}, {"bins": (4, 3, 33)},
        {"ordered": (2, 0, 1)}, {"ordered": (5, 0, 1)}, {"special": (1, 2, 4)}, {"special": (3, 2, 0)},
        {"counts": ()}, {"counts": (10, 20, 30, 40, 50, 50, 0)}, {"counts": (10, 20, 30, 41, 50, 50, 0, 100)},
        {"counts": (10, 20, 30, 40, 50, 50, 0, 2**64 - 1)},
        {"counts": (2**63 - 1, 2**63 - 1, 2, 100, 50, 50, 0, 100)},  # 100 mod 2^64
    ],
)
def test_shapes_that_no_table_has(changes):
    with pytest.raises(Malformed):
        hear(replace(tell(outlines(), COUNTS), **changes), rows=100)


def test_rows_a_total():
    require_rows(outlines(), 50)
    with pytest.raises(Exception, match="49 training rows for 5 totals; at least 10"):
        require_rows(outlines(), 49)


def test_terms_keep_reals_within_their_slots():
    terms = Terms(bytes(32), columns=2, variables=3, rows=1 << 20)
    layout = terms.layout(secret().public)
    assert [slot.name for slot in layout.slots] == ["m", "my", "w", "r", "wx1", "wx2"]
    for extreme in ([1, 1, 0.25, 1, 2, -2], [0, 0, 0, -1, -2, 2]):
        fixed = terms.fixed(np.array([extreme], dtype=np.float64))
        layout.pack(fixed)
        np.testing.assert_allclose(terms.real(fixed), [extreme], atol=1e-9)
    fine = np.random.default_rng(0).uniform(0, 0.25, (500, 1)) * [0, 0, 1, 1, 8, -8]
    assert np.abs(terms.real(terms.fixed(fine)) - fine).max(axis=0)[2:] == pytest.approx(0.5 / terms.scales[2:], rel=0.1)
    assert len(terms.layout(secret().public, statistics_only=True).slots) == 2


def test_chunks_fit_a_message():
    width = secret().public.width
    assert len(encode(Shares(secret().seal([0] * 4, Seeded(b"c"))))) < chunk_length(width) * width
    assert (1 << 20) - 64 - width < chunk_length(width) * width <= (1 << 20) - 64
    assert chunk_length(1 << 21) == 1


def test_as_many_variables_as_the_contract_names():
    assert require_offered(outlines(), len(outlines())) == outlines()
    with pytest.raises(Malformed, match="where the contract names"):
        require_offered(outlines(), len(outlines()) - 1)
