"""Sentences of a campaign's report that depend on its figures: what explains a comparison, and what stands below a table."""

from __future__ import annotations

from bank_party.reports.campaign import Campaign, Lift
from bank_party.reports.campaign_tables import Named, deck_ratio
from bank_party.reports.tables import number, share
from tandem.pages import Words, count


def against_deck(campaign: Campaign, lift: Lift, words: Words) -> str:
    """Return how the ratio stands to the deck's: on the other side of 1, below it, above it, in agreement. "" where there is no ratio."""
    deck = deck_ratio(campaign, lift)
    if deck is None or lift.ratio is None:
        return ""
    value, low, high = lift.ratio
    if (lift.shown == "lower" and value < 1.0 < deck) or (lift.shown == "higher" and deck < 1.0 < value):
        key = "deck_opposite_below" if value < 1.0 else "deck_opposite_above"
    else:
        key = "deck_over" if high < deck else "deck_under" if low > deck else "deck_within"
    group = Named(campaign, words).of("group", lift.group)
    return words(key, group=group, ratio=number(value, 2), low=number(low, 2), high=number(high, 2), deck=number(deck, 2))


def explained(campaign: Campaign, lift: Lift, words: Words) -> str:
    """Return what the groups' own make-up says of a group that activated less than its other: its probability and its past use."""
    groups = {one.name: one for one in campaign.groups}
    ours, other = groups.get(lift.group), groups.get(lift.against)
    if lift.shown != "lower" or ours is None or other is None:
        return ""
    named, found = Named(campaign, words), []
    names = {"group": named.of("group", lift.group), "against": named.of("group", lift.against)}
    if ours.mean_probability is not None and other.mean_probability is not None and ours.mean_probability < other.mean_probability:
        rates = {"ours": share(ours.mean_probability), "other": share(other.mean_probability)}
        found.append(words("explained_probability", **rates, **names))  # type: ignore[arg-type] # no count among them
    if ours.mean_payments is not None and other.mean_payments is not None and ours.mean_payments < other.mean_payments:
        means = {"ours": number(ours.mean_payments, 1), "other": number(other.mean_payments, 1)}
        found.append(words("explained_payments", **means, **names))  # type: ignore[arg-type] # no count among them
    return joined(found, words)


def beside_deck(campaign: Campaign, words: Words) -> list[str]:
    """Return a sentence a comparison that the deck has too, with what explains it."""
    told = [joined([against_deck(campaign, one, words), explained(campaign, one, words)], words) for one in campaign.results.lift]
    return [sentence for sentence in told if sentence]


def withheld(campaign: Campaign, words: Words) -> str:
    """Return why the sealed measurement has gaps; "" if it has none."""
    levels = [level for one in campaign.measured.segments for level in one.levels] if campaign.measured else []
    gaps = sum(one.contacted is None for level in levels for one in level.groups)
    gaps += sum(one.activated is None for level in levels for one in level.groups)
    return words("withheld", gaps=count(gaps)) if gaps else ""


def joined(parts: list[str], words: Words) -> str:
    """Return sentences in a row: Chinese puts no space between them."""
    return ("" if words.language == "zh" else " ").join(part for part in parts if part)
