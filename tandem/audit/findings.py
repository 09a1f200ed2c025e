"""One reading of the ledgers given: each chain followed, each signature checked, every pair held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from tandem.audit.export import LedgerBroken
from tandem.audit.sources import Source
from tandem.contract import Contract, Role
from tandem.errors import InputError
from tandem.ledger.chain import Break, Entry, Follower
from tandem.ledger.comparison import Comparison, Pair
from tandem.ledger.tally import Tally

Signed = Literal["none", "fails", "foreign", "named", "holds"]
"""No signature; one that fails; one by another key than the contract's; by the contract's; one that holds, nothing to say whose it is."""

Tick = Callable[[int], None]


@dataclass(frozen=True)
class Read:
    """A ledger that was read to its end."""

    source: Source
    broken: Break | None
    signed: Signed
    tally: Tally

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against this ledger alone."""
        return self.broken is None and self.signed not in {"fails", "foreign"}


@dataclass(frozen=True)
class Audit:
    """What came of it. `contracts` by digest (hex): those whose files were given."""

    read: tuple[Read, ...]
    comparisons: tuple[Comparison, ...]
    contracts: Mapping[str, Contract]

    @property
    def differences(self) -> int:
        """Rows that differ between two ledgers."""
        return sum(len(each.findings) for each in self.comparisons)

    @property
    def sound(self) -> bool:
        """Whether every chain and signature holds and no two ledgers differ."""
        return not self.differences and all(each.sound for each in self.read)


def audit(sources: Sequence[Source], contracts: Sequence[Contract] = (), *, compare: bool = True, tick: Tick = lambda _: None) -> Audit:
    """Read every source once, side by side. `tick` hears of each entry. Raises InputError where they cannot be compared, LedgerBroken."""
    pairs = _pairs(sources) if compare else {}
    chains = [Follower(gaps=bool(source.contract)) for source in sources]
    tallies = [Tally() for _ in sources]
    readers = [source.entries() for source in sources]
    done, going = [0] * len(sources), set(range(len(sources)))
    while going:
        # the one that is furthest behind: then what belongs together is met at about the same time, and little has to be kept
        at = min(going, key=lambda each: done[each] / max(1, sources[each].rows))
        entry = next(readers[at], None)
        if entry is None:
            going.remove(at)
            continue
        done[at] += 1
        tick(1)
        chains[at].take(entry)
        tallies[at].add(entry)
        party = sources[at].party
        for pair in pairs.values():
            if party in pair.parties:
                pair.take(party, entry, done[at])

    def look(party: Role, places: AbstractSet[int]) -> Mapping[int, Entry]:
        source = next(each for each in sources if each.party == party)
        return {place: entry for place, entry in enumerate(source.entries(), 1) if place in places}

    return Audit(
        tuple(
            Read(source, chain.end(source.head), _signed(source, contracts), tally)
            for source, chain, tally in zip(sources, chains, tallies, strict=True)
        ),
        tuple(pair.finish(look) for pair in pairs.values()),
        {contract.digest.hex(): contract for contract in contracts},
    )


def unchanged_since(source: Source, export: Source, *, tick: Tick = lambda _: None) -> None:
    """Pass if both hold and every entry of the export still stands in the ledger. Raises LedgerBroken naming the first that does not."""
    chain, earlier = Follower(), Follower(gaps=bool(export.contract))
    exported = export.entries()

    def following() -> Entry | None:
        entry = next(exported, None)
        if entry is not None:
            earlier.take(entry)
        _hold(export, earlier.found if entry is not None else earlier.end(export.head))
        return entry

    due = following()
    for entry in source.entries():
        tick(1)
        chain.take(entry)
        if export.contract not in {"", entry.contract} or (due is None and entry.number > export.head[0]):
            continue
        if due is None or entry.hash != due.hash:
            raise LedgerBroken(f"{source.place}: entry {entry.number} is not what was exported at {export.made}: it was changed since")
        due = following()
    if due is not None:
        raise LedgerBroken(f"{source.place}: entry {due.number}, exported at {export.made}, is gone: the newest were cut off")
    _hold(source, chain.end(source.head))


def _hold(source: Source, found: Break | None) -> None:
    if found is not None:
        raise LedgerBroken(f"{source.place}: the chain breaks at entry {found.number}: {found.reason}")


def _pairs(sources: Sequence[Source]) -> dict[tuple[Role, Role], Pair]:
    parties: list[Role] = []
    for source in sources:
        if source.party is None:
            raise InputError(f"{source.place} holds too few entries to tell whose it is: there is nothing to compare")
        if source.party in parties:
            raise InputError(f"{source.place} is another ledger of the {source.party}: to see whether it changed, use `verify --against`")
        parties.append(source.party)
    filters = {source.contract for source in sources if source.contract}
    if len(filters) > 1:
        raise InputError("the exports are of different contracts: export the same one at each party")
    contract = next(iter(filters), "")
    return {(one, other): Pair(one, other, contract) for one, other in combinations(parties, 2)}


def _signed(source: Source, contracts: Sequence[Contract]) -> Signed:
    if source.signature != "holds" or source.party is None or not contracts:
        return source.signature
    named = {contract.party(source.party).signing_key for contract in contracts if source.party in contract.roles}
    return "named" if source.key in named else "foreign"
