"""Honest ledgers of one conversation, as the parties' nodes would write them, and ways to falsify them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.ledger.chain import GENESIS, Entry, link
from tandem.ledger.comparison import Pair
from tandem.ledger.disclosure import declared
from tandem.node.ledger_store import Ledger

CONTRACT = "ab" * 32

ALIGN = [
    (BANK, TELCO, "Opening"), (TELCO, BANK, "Tags"), (TELCO, BANK, "Tags"), (TELCO, BANK, "End"), (BANK, TELCO, "Shelved"),
    (BANK, TELCO, "Query"), (TELCO, BANK, "Answer"), (BANK, TELCO, "Query"), (TELCO, BANK, "Answer"), (BANK, TELCO, "End"),
    (TELCO, BANK, "End"), (BANK, TELCO, "Roster"), (BANK, TELCO, "End"), (BANK, TELCO, "Closing"), (TELCO, BANK, "Closing"),
]
TRAIN = [
    (BANK, TELCO, "Opening"), (BANK, COORDINATOR, "Opening"), (TELCO, COORDINATOR, "Opening"), (BANK, TELCO, "Key"),
    (BANK, COORDINATOR, "Key"), (BANK, TELCO, "Sealed"), (BANK, TELCO, "Sealed"), (BANK, TELCO, "End"), (TELCO, BANK, "Shares"),
    (TELCO, COORDINATOR, "Masks"), (BANK, COORDINATOR, "Opened"), (COORDINATOR, BANK, "Statistics"), (COORDINATOR, TELCO, "Table"),
    (TELCO, BANK, "Scores"), (BANK, COORDINATOR, "Closing"), (BANK, TELCO, "Closing"), (TELCO, BANK, "Closing"),
    (TELCO, COORDINATOR, "Closing"), (COORDINATOR, BANK, "Closing"), (COORDINATOR, TELCO, "Closing"),
]


def conversation(passes=2, contract=CONTRACT):
    """Return the frames of an alignment and some passes: (session, script, sender, receiver, message, number)."""
    said = [("00" * 16, "align", frame) for frame in ALIGN]
    for number in range(1, passes + 1):
        said += [(f"{number:032x}", "train", frame) for frame in TRAIN]
    return [(contract, session, script, *frame, number) for number, (session, script, frame) in enumerate(said)]


def honest(frames):
    """Return the rows that each party records, not yet chained: closings cross, so each side lists its own first."""
    found = {BANK: [], TELCO: [], COORDINATOR: []}
    told = set()
    for contract, session, script, sender, receiver, message, number in frames:
        way = (session, sender, receiver, message)
        said = () if way in told else declared(message).to(receiver, 7)
        told.add(way)
        frame = hashlib.sha256(repr((contract, session, number)).encode()).hexdigest()
        row = Entry(f"2027-02-01T09:{number // 60:02}:{number % 60:02}.000+00:00", contract, session, "sent", receiver, script, message,
                    1000 + number, frame, said)
        found[sender].append(row)
        found[receiver].append(replace(row, direction="received", peer=sender))
    for rows in found.values():
        rows.sort(key=lambda row: (row.session, row.message == "Closing", row.message == "Closing" and row.direction == "received"))
    return found


def chained(rows):
    """Return the rows as a chain of their own, whatever they were before."""
    entries, previous = [], GENESIS
    for number, row in enumerate(rows, 1):
        entries.append(link(row, number, previous))
        previous = entries[-1].hash
    return entries


def stored(path, rows, used=()):
    """Write the rows into a ledger of their own; the chain is sound, whatever they say."""
    with Ledger(path) as ledger:
        for row in rows:
            ledger.append(row)
        for contract, counter, amount in used:
            ledger.use(contract, counter, amount, 10**9)
    return path


def held(one, other, rows, contract="", turns=None):
    """Hold two parties' rows against each other; `turns` says in which order they are taken, in turn if not given."""
    pair = Pair(one, other, contract)
    entries = {party: chained(rows[party]) for party in (one, other)}
    order = turns or [party for at in range(max(map(len, entries.values()))) for party in (one, other)]
    readers = {party: enumerate(entries[party], 1) for party in entries}
    for party in [*order, *[one] * len(entries[one]), *[other] * len(entries[other])]:
        for place, entry in [next(readers[party], (0, None))]:
            if entry is not None:
                pair.take(party, entry, place)
    return pair.finish(lambda party, places: {place: entries[party][place - 1] for place in places})
