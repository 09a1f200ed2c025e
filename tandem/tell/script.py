"""The holder of a few coarse columns tells, of each person of a roster and of nobody else, the level of each.

    holder: levels of N people, C columns      asker: the roster, N positions
        Told   column c, a byte a person  --->
    learns nothing                             learns N levels of each column, log2 of (levels + 1) bits a person each

The columns and their levels stand in the contract, and each level goes by its number there: a byte says nothing that the contract does not
name. Nothing shows that what is told is true. Columns come in the contract's order, people in that of the roster.
"""

from __future__ import annotations

from tandem.session.script import Script, many, say
from tandem.wire.messages import Told

TELL = Script("tell", (("asker", "holder"),), (many(say("holder", "asker", Told)),))
"""Levels of the roster's people, once they were scored."""

TOLD_LENGTH = 1_000_000
"""People of one message: a byte each, and the message stays under 1 MiB."""
