from __future__ import annotations

from contextlib import ExitStack

import pytest
from contracts import KEYS, signed, unsigned
from ledgers import CONTRACT, conversation, honest, stored

from tandem.audit.export import LedgerBroken, write
from tandem.audit.findings import audit, unchanged_since
from tandem.audit.sources import opened
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.errors import InputError
from tandem.ledger.comparison import Pair
from tandem.node.ledger_store import Ledger


def audited(*paths, contracts=(), compare=True):
    with ExitStack() as stack:
        return audit([stack.enter_context(opened(path)) for path in paths], contracts, compare=compare)


def since(path, export):
    """Hold the ledger against the export; return how many of its entries were read."""
    read = []
    with opened(path) as source, opened(export) as earlier:
        unchanged_since(source, earlier, tick=read.append)
    return sum(read)


@pytest.fixture
def ledgers(tmp_path):
    return {role: stored(tmp_path / f"{role}.sqlite", rows) for role, rows in honest(conversation()).items()}


def exported(path, key=None, contract="", name="export.json"):
    out = path.with_name(name)
    with Ledger(path, read_only=True) as ledger:
        write(ledger, out, key, contract)
    return out


def test_three_ledgers_are_held_against_each_other_two_by_two(ledgers):
    found = audited(*ledgers.values())
    assert [each.parties for each in found.comparisons] == [(BANK, TELCO), (BANK, COORDINATOR), (TELCO, COORDINATOR)]
    assert (found.sound, found.differences) == (True, 0)
    assert sum(each.frames for each in found.comparisons) == len(conversation())
    assert [each.tally.contracts for each in found.read] == [[CONTRACT]] * 3


def test_a_ledger_and_an_export_of_the_other_party(ledgers, tmp_path):
    rows = honest(conversation())[TELCO]
    rows[2], rows[6] = rows[6], rows[2]
    bad = stored(tmp_path / "bad.sqlite", rows)
    assert audited(ledgers[BANK], exported(ledgers[TELCO])).sound
    found = audited(ledgers[BANK], exported(bad))
    assert sorted((each.kind, each.rows[TELCO].number) for each in found.comparisons[0].findings) == [("order", 3), ("order", 7)]


def test_an_export_of_one_contract_is_held_against_that_contract_alone(tmp_path):
    one, two = honest(conversation(1)), honest(conversation(1, contract="cd" * 32))
    bank = stored(tmp_path / "bank.sqlite", one[BANK] + two[BANK])
    telco = stored(tmp_path / "telco.sqlite", one[TELCO] + two[TELCO])
    part = exported(telco, contract=CONTRACT)
    found = audited(bank, part)
    assert (found.sound, found.comparisons[0].contracts) == (True, 1)
    with pytest.raises(InputError, match="different contracts"):
        audited(part, exported(bank, contract="cd" * 32, name="other.json"))


def test_what_cannot_be_compared_is_refused(ledgers, tmp_path):
    with pytest.raises(InputError, match="another ledger of the bank"):
        audited(ledgers[BANK], exported(ledgers[BANK]))
    with Ledger(tmp_path / "empty.sqlite"):
        pass
    with pytest.raises(InputError, match="too few entries to tell whose"):
        audited(ledgers[BANK], tmp_path / "empty.sqlite")


@pytest.mark.parametrize(("key", "contracts", "verdict", "sound"), [
    (None, (), "none", True), (KEYS[TELCO], (), "holds", True), (KEYS[TELCO], (unsigned(),), "named", True),
    (KEYS[BANK], (unsigned(),), "foreign", False),
])
def test_a_signature_is_held_against_the_contract(ledgers, key, contracts, verdict, sound):
    (read,) = audited(exported(ledgers[TELCO], key), contracts=contracts, compare=False).read
    assert (read.signed, read.sound) == (verdict, sound)


def test_a_signature_that_fails_is_not_sound(ledgers):
    path = exported(ledgers[TELCO], KEYS[TELCO])
    text = path.read_text()
    path.write_text(text.replace('"made":"2', '"made":"1'))
    (read,) = audited(path, contracts=(signed(),), compare=False).read
    assert (read.signed, read.sound) == ("fails", False)


def test_a_ledger_that_grew_still_holds_what_was_exported(ledgers):
    export, rows = exported(ledgers[TELCO]), honest(conversation())[TELCO]
    assert since(ledgers[TELCO], export) == len(rows)
    with Ledger(ledgers[TELCO]) as ledger:
        ledger.append(rows[0])
    assert since(ledgers[TELCO], export) == len(rows) + 1  # what came after the export is part of the chain, and read too


def test_newest_rows_cut_off_and_chained_anew_are_found_by_an_earlier_export(ledgers, tmp_path):
    rows = honest(conversation())[TELCO]
    short = stored(tmp_path / "short.sqlite", rows[:-3])
    assert audited(short, compare=False).sound, "the chain alone cannot tell"
    with pytest.raises(LedgerBroken, match=f"entry {len(rows) - 2}, exported at .* is gone"):
        since(short, exported(ledgers[TELCO]))


@pytest.mark.parametrize("contract", ["", CONTRACT])
def test_a_row_dropped_put_in_or_changed_since_is_found(ledgers, tmp_path, contract):
    rows = honest(conversation())[TELCO]
    export = exported(ledgers[TELCO], contract=contract)
    for name, changed in (("less", rows[:4] + rows[5:]), ("more", [*rows[:4], rows[0], *rows[4:]])):
        with pytest.raises(LedgerBroken, match="entry 5 is not what was exported"):
            since(stored(tmp_path / f"{name}.sqlite", changed), export)


def test_a_row_put_in_among_those_exported_is_found_after_the_last_of_them(tmp_path):
    first, other = honest(conversation(1))[TELCO], honest(conversation(1, contract="cd" * 32))[TELCO]
    export = exported(stored(tmp_path / "a.sqlite", first[:9] + other[:3]), contract=CONTRACT)
    with pytest.raises(LedgerBroken, match="entry 11 is not what was exported"):
        since(stored(tmp_path / "b.sqlite", first[:9] + other[:1] + first[9:10] + other[1:3]), export)


def test_an_export_that_was_changed_is_said_to_be_so(ledgers):
    export = exported(ledgers[TELCO])
    export.write_text(export.read_text().replace('"size":1004', '"size":1005'))
    with pytest.raises(LedgerBroken, match=r"export\.json: the chain breaks at entry 5"):
        since(ledgers[TELCO], export)


def test_ledgers_of_unlike_length_are_read_side_by_side(tmp_path, monkeypatch):
    rows = honest(conversation(passes=40))
    most = []
    take = Pair.take

    def watched(pair, *taken):
        take(pair, *taken)
        most.append(sum(map(len, pair._open.values())))

    monkeypatch.setattr(Pair, "take", watched)
    audited(*(stored(tmp_path / f"{role}.sqlite", rows[role]) for role in ROLES))
    assert max(most) < 40


def test_every_entry_is_told_to_the_progress_bar(ledgers):
    ticks = []
    with ExitStack() as stack:
        sources = [stack.enter_context(opened(ledgers[role])) for role in ROLES]
        audit(sources, tick=ticks.append)
        assert sum(ticks) == sum(source.rows for source in sources)
