"""Telling levels, the side that has them. See the picture in `script`."""

from __future__ import annotations

from collections.abc import Sequence

from tandem.session.session import Role
from tandem.tables import Codes
from tandem.tell.script import TOLD_LENGTH
from tandem.wire.messages import Told


def tell(columns: Sequence[Codes]) -> Role[None]:
    """Tell each column, (N,) numbers of levels in roster order."""
    for number, codes in enumerate(columns):
        for first in range(0, len(codes), TOLD_LENGTH):
            yield Told(number, codes[first : first + TOLD_LENGTH].tobytes())
