"""Measuring a campaign, the side that holds levels. It does the same whoever was contacted. See the picture in `script`."""

from __future__ import annotations

from tandem.arguments import Chance, Engine
from tandem.measure.terms import Terms
from tandem.session.session import Role
from tandem.sums.shapes import tell
from tandem.sums.summer import fold, make_units, share, take_key
from tandem.tables import CodedTable


def measure(table: CodedTable, terms: Terms, engine: Engine, chance: Chance) -> Role[None]:
    """Play MEASURE for a roster coded by level, a column a segment."""
    key = yield from take_key(terms.contract, terms.key_bits)
    layout = terms.layout(key)
    ahead = make_units(key, terms.codes * layout.ciphertexts, engine, chance.fork("units"))
    yield tell(terms.outlines, table.counts)
    products = yield from fold(key, table, layout, engine)
    yield from share(key, products, layout, ahead, chance)
