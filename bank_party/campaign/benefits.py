"""The benefit that goes with a contact: what the telco told a person prefers, or the bank's default."""

from __future__ import annotations

from bank_party.campaign.groups import Name
from bank_party.campaign.pool import People


def matched(people: People, row: int, group: Name) -> str:
    """Return the benefit that was matched for a person, empty where the bank's default goes: in the control group, or nothing was told."""
    return "" if group == "control" else people.benefit[row]
