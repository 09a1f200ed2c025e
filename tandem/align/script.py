"""Align two tables by oblivious hashing (RFC 9497, mode VOPRF, ristretto255-SHA512).

    holder: ids X, key k                     seeker: ids Y, blinds r_y
        Tags     F_k(x)[:16], shuffled  --->
                                        <---  Shelved  how many tags came, and their digest
                                        <---  Query    r_y * H(y), in row order
        Answer   k * r_y * H(y)         --->
                                        <---  Weighed  sum of w_y * r_y * H(y), with weights w that she keeps
        Proof    about k times that     --->
                                        <---  Roster   groups of Tags with a match in them, ascending
    learns |Y| and the roster                 learns |X|, and which of its rows are in X

The digest comes back before the first query, so the table cannot be changed to fit what was asked (A5); the proof holds all
answers to the one key that the contract pins. Neither stops a holder from filling X with every number there is: caps do. A group is one
tag, unless the contract has cover groups (see `cover`).
"""

from __future__ import annotations

from tandem.session.script import Script, many, one, say
from tandem.wire.messages import Answer, Proof, Query, Roster, Shelved, Tags, Weighed

ALIGN = Script(
    "align",
    (("seeker", "holder"),),
    (
        many(say("holder", "seeker", Tags)),
        one(say("seeker", "holder", Shelved)),
        many(say("seeker", "holder", Query), say("holder", "seeker", Answer)),
        one(say("seeker", "holder", Weighed)),
        one(say("holder", "seeker", Proof)),
        many(say("seeker", "holder", Roster)),
    ),
)

QUERY_LENGTH = 16_384
"""Identifiers of one query: 512 KiB of points."""

TAGS_LENGTH = 65_000
"""Tags of one message: just under 1 MiB."""

ROSTER_LENGTH = 250_000
"""Groups of one message: just under 1 MiB."""
