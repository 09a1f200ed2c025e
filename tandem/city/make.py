"""A city onto disk, batch after batch: memory is that of one batch, whatever the number of people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tandem.city import bank_records, telco_events
from tandem.city.calendar import Calendar, day
from tandem.city.loans import loans
from tandem.city.part_files import coded, part_files
from tandem.city.people import BATCH, BENEFITS, People, people_of
from tandem.city.subscribers import bills, subscribers
from tandem.errors import InputError

FEWEST, MOST = 100, 50_000_000


@dataclass(frozen=True)
class Plan:
    """What a city is made of. Raises InputError where there can be no such city."""

    people: int
    months: int = 9
    seed: int = 1
    telco_effect: float = 1.0

    def __post_init__(self) -> None:
        if not FEWEST <= self.people <= MOST:
            raise InputError(f"{self.people} people: take {FEWEST} to {MOST}")
        if self.seed < 0:
            raise InputError(f"seed {self.seed}: take 0 or more")
        if not 0 <= self.telco_effect <= 1:
            raise InputError(f"a telco effect of {self.telco_effect}: take 0 (the telco knows nothing of outcomes) to 1 (as invented)")
        Calendar(self.months)

    @property
    def batches(self) -> int:
        """Batches of people."""
        return -(-self.people // BATCH)


def make(folder: Path, plan: Plan, told: Callable[[int], None] = lambda people: None) -> dict[str, int]:  # noqa: ARG005 - nobody listens
    """Write the city below `folder`, city.json last, and return rows by table; the same plan gives the same rows in the same order.

    `told` hears how many people each finished batch had. Raises InputError where files cannot be written.
    """
    calendar = Calendar(plan.months)
    cells = telco_events.cells_of(plan.seed)
    with part_files(folder) as files:
        files.write({"telco/cells": cells.table(), "bank/campaigns": bank_records.campaigns(calendar)}, 1)
        for batch in range(plan.batches):
            people = people_of(plan.seed, batch, min(BATCH, plan.people - batch * BATCH))
            customers = people.of(people.at_bank)
            kept = bank_records.customers(customers, calendar, plan.seed, batch, plan.telco_effect)
            owed = loans(customers, kept.seen, kept.customer_id, calendar, plan.seed, batch, plan.telco_effect)
            files.write({**kept.tables, "bank/loans": owed, "hidden/people": _hidden(people, kept)}, batch + 1)
            _write_telco(files.write, people.of(people.at_telco), cells, calendar, plan.seed, batch)
            told(len(people))
        rows = files.rows
    facts = {
        **asdict(plan), "first_day": str(calendar.first_day), "last_day": str(calendar.campaign.astype("datetime64[D]") - 1),
        "training_as_of": day(calendar.training), "campaign_as_of": day(calendar.campaign), "synthetic": True,
    }
    try:
        (folder / "city.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except OSError as failure:
        raise InputError(f"cannot write {folder / 'city.json'}: {failure.strerror}") from None
    return rows


def _write_telco(
    write: Callable[[dict[str, dict[str, Any]], int], None], people: People, cells: telco_events.Cells, calendar: Calendar, seed: int,
    batch: int,
) -> None:
    lines, tables = subscribers(people, calendar, seed, batch)
    write({**tables, **bills(people, lines, calendar, seed, batch)}, batch + 1)
    write({"telco/calls": telco_events.calls(people, lines, calendar, seed, batch)}, batch + 1)
    write({"telco/usage": telco_events.usage(people, lines, calendar, seed, batch)}, batch + 1)
    write({"telco/visits": telco_events.visits(people, lines, cells, calendar, seed, batch)}, batch + 1)


def _hidden(people: People, kept: bank_records.Ledgered) -> dict[str, Any]:
    """Return what the simulator alone knows, one row a person; log-odds are missing for those who are no customers."""

    def spread(values: Any, empty: Any) -> Any:
        whole = np.full(len(people), empty)
        whole[people.at_bank] = values
        return whole

    return {
        "person": people.number, "phone": people.bank_phone, "matched": people.matched, "dormant": spread(kept.dormant, False),
        "wealth": people.wealth, "outgoing": people.outgoing, "online": people.online, "orderly": people.order, "finance": people.finance,
        "need": people.need, "strain": people.strain, "loyal": people.loyal, "favourite": coded(BENEFITS, people.favourite),
        "logit_training": spread(kept.logit_training, np.nan), "logit_campaign": spread(kept.logit_campaign, np.nan),
    }
