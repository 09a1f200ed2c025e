"""The campaign's pictures with their words; one that would be empty is None, and the page leaves its place out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup

from bank_party.evaluation import Interval
from bank_party.plots_campaign import (
    Cell,
    Part,
    Rated,
    Row,
    benefit_plot,
    funnel_plot,
    group_plot,
    map_plot,
    points_plot,
    ratio_plot,
    share_plot,
)
from bank_party.reports.campaign import STEPS, BenefitResult, Campaign, SegmentResult
from bank_party.reports.campaign_tables import Named, deck_ratio
from bank_party.reports.tables import share
from tandem.pages import Words, count


class _Grouped(Protocol):
    @property
    def group(self) -> str: ...

    @property
    def activation_rate(self) -> Interval | None: ...


def pictures(campaign: Campaign, words: Words) -> dict[str, Markup | None]:
    """Return the pictures by name."""
    drawn = {
        "groups": _groups(campaign, words),
        "ratio": _ratio(campaign, words),
        "funnel": _funnel(campaign, words),
        "benefits": _benefits(campaign, words),
        "segments": _segments(campaign, words),
        "map": _map(campaign, words),
        "by_segment": _by(campaign, "segment", campaign.results.by_segment, words),
        "by_benefit": _by(campaign, "benefit", campaign.results.by_benefit, words),
    }
    return {name: _safe(svg) for name, svg in drawn.items()}


def measured(campaign: Campaign, at: int, words: Words) -> Markup | None:
    """Return the picture of the telco segment at this place: activation by level and group."""
    named = Named(campaign, words)
    segment = campaign.measured.segments[at] if campaign.measured else None
    rows = [(named.level(level.level), level.groups) for level in segment.levels] if segment else []
    title = words("measured_title", name=named.of("known", segment.name)) if segment else ""
    return _safe(_points(f"measured-{at}", rows, named, words, title))


def _groups(campaign: Campaign, words: Words) -> str | None:
    named, groups = Named(campaign, words), campaign.results.groups
    if not any(one.activation_rate for one in groups):
        return None
    names = [one.name for one in groups]
    base = next((one.activation_rate for one in groups if one.name == "control"), None)
    deck = []
    for lift in campaign.results.lift:
        ratio = deck_ratio(campaign, lift)
        if ratio is not None and base is not None:
            deck.append((names.index(lift.group), ratio * base.value))
    rated = [Rated(named.of("group", one.name), one.name, one.activation_rate) for one in groups]
    return group_plot(rated, deck, words("deck_mark"), words("groups_x"), words("groups_title"))


def _ratio(campaign: Campaign, words: Words) -> str | None:
    named, lifts = Named(campaign, words), campaign.results.lift
    if not any(one.ratio for one in lifts):
        return None
    rows = [(named.pair(one), one.group, one.ratio) for one in lifts]
    labels = (words("ratio_same"), words("deck_mark"))
    return ratio_plot(rows, [deck_ratio(campaign, one) for one in lifts], labels, words("ratio_x"), words("ratio_title"))


def _funnel(campaign: Campaign, words: Words) -> str | None:
    if not any(one.contacted for one in campaign.results.groups):
        return None
    named, steps = Named(campaign, words), (*STEPS[1:], "activated")
    groups = [
        (named.of("group", one.name), one.name, [getattr(one, step) / one.contacted if one.contacted else None for step in steps])
        for one in campaign.results.groups if not one.held
    ]
    return funnel_plot([words(step) for step in steps], groups, words("funnel_x"), words("funnel_title"))


def _benefits(campaign: Campaign, words: Words) -> str | None:
    named = Named(campaign, words)
    rows = [(named.of("benefit", one.name), one.share) for one in campaign.benefits if one.share is not None]
    return benefit_plot(rows, words("share_x"), words("benefits_title")) if rows else None


def _segments(campaign: Campaign, words: Words) -> str | None:
    named = Named(campaign, words)
    parts = [
        Part(named.of("segment", one.name), one.name, one.share, None if one.deck_high is None else (one.deck_low or 0.0, one.deck_high))
        for one in campaign.segments if one.share is not None
    ]
    return share_plot(parts, words("deck_range"), words("share_x"), words("segments_title")) if parts else None


def _map(campaign: Campaign, words: Words) -> str | None:
    named, cells = Named(campaign, words), campaign.segment_map
    total = sum(map(sum, cells.people))
    if not total:
        return None
    drawn = [
        [
            Cell(named.of("segment", segment), segment, f"{count(people)} · {share(people / total)}")
            for people, segment in zip(counts, segments, strict=True)
        ]
        for counts, segments in zip(cells.people, cells.segment, strict=True)
    ]
    rows, columns = ([named.level(name) for name in names] for names in (cells.rows, cells.columns))
    return map_plot(rows, columns, drawn, words("map_x"), words("map_y"), words("map_title"))


def _by(campaign: Campaign, kind: str, rows: Sequence[SegmentResult] | Sequence[BenefitResult], words: Words) -> str | None:
    named = Named(campaign, words)
    names = dict.fromkeys(getattr(one, kind) for one in rows)
    levels = [(named.of(kind, name), [one for one in rows if getattr(one, kind) == name]) for name in names]
    return _points(f"by-{kind}", levels, named, words, words(f"by_{kind}_heading"))


def _points(name: str, levels: Sequence[tuple[str, Sequence[_Grouped]]], named: Named, words: Words, title: str) -> str | None:
    """Return points a level and group; a group that a level lacks has no point there."""
    groups = list(dict.fromkeys(one.group for _, found in levels for one in found))
    if not any(one.activation_rate for _, found in levels for one in found):
        return None
    rates = [(label, {one.group: one.activation_rate for one in found}) for label, found in levels]
    rows = [Row(label, [found.get(group) for group in groups]) for label, found in rates]
    return points_plot(name, rows, [(named.of("group", group), group) for group in groups], words("activation_rate"), title)


def _safe(svg: str | None) -> Markup | None:
    return None if svg is None else Markup(svg)  # noqa: S704 -- svg is ours; its only foreign texts were escaped when drawn
