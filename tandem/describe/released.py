"""Released statistics as a message and back."""

from __future__ import annotations

from tandem.describe.woe import Described
from tandem.errors import Malformed
from tandem.wire.messages import Statistics


def tell(described: list[Described], failed: str = "") -> Statistics:
    """Return the message that releases `described`, or that says which check failed."""
    return Statistics(
        aliases=tuple(d.alias for d in described),
        bins=tuple(len(d.group) for d in described),
        group=tuple(at for d in described for at in d.group),
        groups=tuple(len(d.counts) for d in described),
        counts=tuple(c for d in described for c in d.counts),
        events=tuple(b for d in described for b in d.bads),
        woe=tuple(w for d in described for w in d.woe),
        iv=tuple(d.iv for d in described),
        host=tuple(d.host for d in described),
        reasons=tuple(d.reason for d in described),
        failed=failed,
    )


def hear(said: Statistics) -> list[Described]:
    """Return what was released. Raises Malformed if the lists do not fit together."""
    found: list[Described] = []
    at = b = 0
    try:
        for alias, bins, groups, iv, host, reason in zip(
            said.aliases, said.bins, said.groups, said.iv, said.host, said.reasons, strict=True
        ):
            group, part = said.group[b : b + bins], slice(at, at + groups)
            described = Described(alias, group, said.counts[part], said.events[part], said.woe[part], iv, host, reason)
            if len(group) != bins or len(described.woe) != groups or not all(-1 <= g < groups for g in (*group, host)):
                raise ValueError  # noqa: TRY301 - one refusal for every way in which lists misfit
            found.append(described)
            at, b = at + groups, b + bins
    except ValueError:
        raise Malformed("released statistics whose lists do not fit together") from None
    if (at, b) != (len(said.counts), len(said.group)) or len(said.counts) != len(said.events) or len(said.counts) != len(said.woe):
        raise Malformed("released statistics with more groups than variables account for")
    return found
