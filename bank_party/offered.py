"""Which tables a telco offered: one a contract, and not smaller and smaller ones (A11).

    offered    one line a contract: telco, digest and number of its tags, size of a group, when they came first     never changed

With cover the telco hears how many groups hold a customer. Tables that are cut in half, and in half again, would tell it who: with none
of this, 1 000 people exactly after 74 alignments if ten of them are customers. So a contract has one table, and of a telco's tables with
cover in a year the third and every later one must be as large as the largest before it. Without cover the roster itself names customers,
and a smaller table tells nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tandem.arguments import Once
from tandem.contract import Contract
from tandem.contract.fields import MOMENT, moment
from tandem.errors import OtherTable
from tandem.node.contracts import utc_now
from tandem.node.ledger_store import Ledger

YEAR = timedelta(days=365)
FREE = 2
"""Tables in a year whose size is the telco's own affair: one, and one more that may be smaller, such as a file that was cleaned."""

_TABLE = """CREATE TABLE IF NOT EXISTS offered (
  contract TEXT PRIMARY KEY, telco TEXT NOT NULL, name TEXT NOT NULL, cover INTEGER NOT NULL, digest TEXT NOT NULL, tags INTEGER NOT NULL,
  since TEXT NOT NULL)"""
_LARGEST = """SELECT count(*), max(tags) FROM offered WHERE cover > 1 AND (telco = ? OR name = ?) AND since > ?"""
_WHEN = """SELECT max(since) FROM offered WHERE cover > 1 AND (telco = ? OR name = ?) AND since > ? AND tags > ?"""


def known_table(ledger: Ledger, contract: Contract, clock: Callable[[], datetime] = utc_now) -> Once:
    """Return who remembers the telco's tables in `ledger`; asked with digest and number of tags, before the telco hears of anything.

    It raises OtherTable for other tags than the contract's first, and, with cover, for a table that shrinks, after FREE of them in a year:
    smaller than the largest of that year. A telco is known by its signing key and by its name: either will do.
    """

    def remember(digest: bytes, tags: int = 1, /) -> None:
        with ledger.together() as database:
            database.execute(_TABLE)
            row = database.execute("SELECT digest, since FROM offered WHERE contract = ?", (contract.digest.hex(),)).fetchone()
            if row is not None and row[0] == digest.hex():
                return
            if row is not None:
                raise OtherTable(
                    f"contract {contract.id}: the telco offers {tags} tags that are not those of {row[1]}: a contract is for one table."
                    " Have the telco put that table back, or draft a new contract for the new one"
                )
            now, cover = clock(), contract.layout.cover
            of = (contract.telco.signing_key, contract.telco.name, (now - YEAR).strftime(MOMENT))
            number, largest = database.execute(_LARGEST, of).fetchone()
            if cover > 1 and number >= FREE and tags < largest:
                (since,) = database.execute(_WHEN, (*of, tags)).fetchone()
                raise OtherTable(
                    f"contract {contract.id}: {contract.telco.name} offers a table of {tags} tags, its number {number + 1} in a year; the"
                    f" largest before had {largest}. Tables that shrink tell the telco who is a customer (A11): nothing was asked. Have it"
                    f" offer all of that table and whoever is new, or wait until {moment(since) + YEAR:%Y-%m-%d}"
                )
            database.execute(
                "INSERT INTO offered VALUES (?, ?, ?, ?, ?, ?, ?)",
                (contract.digest.hex(), contract.telco.signing_key, contract.telco.name, cover, digest.hex(), tags, now.strftime(MOMENT)),
            )

    return remember
