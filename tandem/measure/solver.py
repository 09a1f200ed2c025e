"""Measuring a campaign, the side that sees totals: it checks them, and tells those that are of enough people. See `script`."""

from __future__ import annotations

import numpy as np

from tandem.arguments import Once, unkept
from tandem.errors import CheckFailed, Malformed, OtherContent, RowAsSum
from tandem.measure import released
from tandem.measure.terms import Terms
from tandem.measure.withholding import release
from tandem.session.session import Role
from tandem.sums.shapes import hear
from tandem.sums.solver import answer_once, collect
from tandem.sums.summer import take_key
from tandem.sums.terms import Integers
from tandem.wire.messages import Campaign, Shapes


def measure(rows: int, terms: Terms, once: Once = unkept) -> Role[str]:
    """Play MEASURE for a roster of `rows`; return the check that failed, or nothing.

    `once` is asked about totals before anything of them is told: other outcomes in another attempt are another look (S3), and told as a
    check that failed, for it may as well be the summer that folds other rows in each attempt to see which of them are alike (T7).
    """
    key = yield from take_key(terms.contract, terms.key_bits)
    outlines, counts = hear((yield Shapes), rows=rows)
    if outlines != terms.outlines:
        raise Malformed("segments of other levels than the contract names")
    said: Campaign = yield Campaign
    layout = terms.layout(key)
    plain = yield from collect(key, terms.codes * layout.ciphertexts)
    try:
        found = answer_once(layout, plain, np.concatenate(counts), once, said)
        check(found, counts, said.totals, terms)
    except (RowAsSum, CheckFailed, OtherContent) as error:
        yield released.tell((), str(error))
        return str(error)
    yield released.tell(release(found, terms))
    return ""


def check(found: Integers, counts: list[Integers], declared: tuple[int, ...], terms: Terms) -> None:
    """Hold totals (codes, slots) against the roster's rows by level and the `declared` totals. Raises RowAsSum saying which do not fit.

    At each level every outcome is of people contacted in that group, and nobody is in two groups; the levels of each segment add up to
    what was declared, and so to the same in all segments.
    """
    if len(declared) != terms.width:
        raise RowAsSum(f"{len(declared)} totals were declared where a row has {terms.width}; ask who sealed")
    first = 0
    for number, (codes, count) in enumerate(zip(terms.levels, counts, strict=True), 1):
        part = found[first : first + codes].reshape(codes, terms.groups, len(terms.outcomes))
        first += codes
        if bool((part > part[:, :, :1]).any()):
            raise RowAsSum(f"segment {number}: a level has more people with an outcome than were contacted; ask who sealed and who summed")
        if bool((part[:, :, 0].sum(axis=1) > count).any()):
            raise RowAsSum(f"segment {number}: the groups of a level have more people together than it has rows; ask who sealed")
        if part.sum(axis=0).ravel().tolist() != list(declared):
            raise RowAsSum(f"segment {number}: its levels do not add up to the declared totals; ask who sealed and who summed")
