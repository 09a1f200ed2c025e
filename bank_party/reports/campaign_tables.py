"""The tables of a campaign, by name, in the order of its report: pool, groups, benefits, segments, results, lift, sealed measurement."""

from __future__ import annotations

from collections.abc import Sequence

from bank_party.evaluation import Interval
from bank_party.reports.campaign import HELD, BenefitResult, Campaign, GroupResult, Lift, SegmentResult, TelcoSegment
from bank_party.reports.model import Report
from bank_party.reports.tables import Column, Table, Value, share
from tandem.pages import NONE, Words, count


class Named:
    """The words for names that a campaign's file uses; a name without words is shown as it is."""

    def __init__(self, campaign: Campaign, words: Words) -> None:
        self._campaign, self._words = campaign, words

    def of(self, kind: str, name: str) -> str:
        """Return the words of a group, benefit, segment, level or known (what a telco's segment is called)."""
        end = next((end for end in HELD if kind == "group" and name.endswith(end)), "")
        if end:
            return self._words("held_back", group=self.of("group", name.removesuffix(end)))
        return self._words.known(f"{kind}_{name.replace(' ', '_') or 'none'}", name)

    def level(self, name: str) -> str:
        """Return the words of a level of a telco's segment, which may be a benefit."""
        return self._words.known(f"level_{name.replace(' ', '_')}", self.of("benefit", name))

    def rule(self, name: str, sentence: str) -> str:
        """Return the rule of a group: as the file tells it if it speaks the page's language, else in our own words if we have any."""
        if self._campaign.lang == self._words.language:
            return sentence
        key = "rule_group_control_only" if name == "control" else f"rule_group_{name}"
        known = self._words.known(key, NONE)
        return known.format(threshold=share(self._campaign.rule.threshold, 0))

    def verdict(self, lift: Lift) -> str:
        """Return what may be said of a lift: the file's own sentence where it speaks the page's language."""
        if lift.verdict and self._campaign.lang == self._words.language:
            return lift.verdict
        return self._words(f"shown_{lift.shown.replace(' ', '_')}")

    def pair(self, lift: Lift) -> str:
        """Return both groups of a lift in short."""
        against = self._words("held_short") if lift.against.endswith(HELD) else self.of("group", lift.against)
        return f"{self.of('group', lift.group)} / {against}"


def deck_ratio(campaign: Campaign, lift: Lift) -> float | None:
    """Return the deck's ratio for this comparison, None where it has none."""
    if lift.against != "control":
        return None
    return {"low": 1.0 + campaign.deck.low_over_control, "high": campaign.deck.high_over_control}.get(lift.group)


def more_activations(campaign: Campaign, lift: Lift) -> Interval | None:
    """Return the difference of rates times the people of the group: activations above what the other's rate would have given."""
    if lift.difference is None:
        return None
    people = next(one.selected for one in campaign.results.groups if one.name == lift.group)
    return Interval(*(people * end for end in lift.difference))


def campaign_tables(campaign: Campaign, study: Report, words: Words) -> dict[str, Table]:
    """Return every table of the campaign but the sealed ones, in the words' language."""
    named = Named(campaign, words)
    results = campaign.results
    return {
        "pool": _pool(campaign, words),
        "deck_model": _deck_model(campaign, study, words),
        "groups": _groups(campaign, words, named),
        "power": Table(
            words("power_heading"),
            [Column(words("group")), Column(words("group_size"), "count"), Column(words("detectable"), "gap", digits=1)],
            [[named.of("group", one.group), one.size, one.detectable] for one in campaign.power.rows],
        ),
        "benefits": Table(
            words("benefits_title"), [Column(words("benefit")), Column(words("people"), "count"), Column(words("share"), "share")],
            [[named.of("benefit", one.name), one.people, one.share] for one in campaign.benefits],
            note=words("benefits_of", people=count(campaign.not_told + sum(one.people for one in campaign.benefits))),
        ),
        "segments": Table(
            words("segments_title"),
            [Column(words("segment")), Column(words("people"), "count"), Column(words("share"), "share"), _deck_column(words)],
            [
                [named.of("segment", one.name), one.people, one.share, _deck_range(one.deck_low, one.deck_high)]
                for one in campaign.segments
            ],
            note=words("segments_of", people=count(sum(one.people for one in campaign.segments))),
        ),
        "map": _map(campaign, words, named),
        "results": _results(results.groups, words, named),
        "lift": _lift(campaign, words, named),
        "funnel": _funnel([one for one in results.groups if not one.held], words, named),
        "by_segment": _by("segment", results.by_segment, words, named),
        "by_benefit": _by("benefit", results.by_benefit, words, named),
    }


def measured_tables(campaign: Campaign, segment: TelcoSegment, words: Words) -> tuple[Table, Table]:
    """Return one telco segment's activation by level and group, and its lifts."""
    named = Named(campaign, words)
    name = named.of("known", segment.name)
    columns = [
        Column(name, form="note", sub=words("people")), Column(words("group")), Column(words("contacted"), "count"),
        Column(words("activated"), "count"), _rate_column(words, "activation_rate"),
    ]
    rows: list[list[Value]] = [
        [
            (named.level(level.level), NONE if level.people is None else level.people), named.of("group", one.group),
            one.contacted, one.activated, one.activation_rate,
        ]
        for level in segment.levels for one in level.groups
    ]
    lifts: list[list[Value]] = [
        [named.level(level.level), *_lift_cells(lift, named)[:-1], words(f"shown_{lift.shown.replace(' ', '_')}")]
        for level in segment.levels for lift in level.lift
    ]
    merged = words("measured_merged", levels=words("and").join(map(named.level, segment.merged))) if segment.merged else ""
    return (
        Table(name, columns, rows, grouped=True, note=merged),
        Table(f"{name}: {words('lift_heading')}", [Column(name), *_lift_columns(words)], lifts, grouped=True),
    )


def _pool(campaign: Campaign, words: Words) -> Table:
    of = campaign.population
    total = of.customers or None
    steps = [("customers", of.customers), ("dormant", of.dormant), ("matched", of.matched)]
    rows: list[list[Value]] = [[words(f"step_{name}"), people, people / total if total else None, None] for name, people in steps]
    rows.append([words("step_pool"), of.pool, of.pool_share, campaign.deck.pool_share])
    columns = [
        Column(words("stage")), Column(words("people"), "count"), Column(words("of_customers"), "share"),
        Column(words("deck_mark"), "share", digits=0, before="> "),
    ]
    return Table(words("pool_heading"), columns, rows, strong=frozenset({len(rows) - 1}))


def _deck_model(campaign: Campaign, study: Report, words: Words) -> Table:
    columns = [
        Column(words("part")), Column(words("auc_bank"), "number", "interval", words("interval"), 3),
        Column(words("auc_joint"), "number", "interval", words("interval"), 3), Column(words("auc_deck"), "number", digits=2),
    ]
    scores, train = study.holdout.scores, study.train_auc
    return Table(words("beside_deck"), columns, [
        [words("part_train"), train.get("bank_only"), train.get("joint"), campaign.deck.auc_train],
        [words("part_test"), scores["bank_only"].auc, scores["joint"].auc, campaign.deck.auc_test],
    ])


def _groups(campaign: Campaign, words: Words, named: Named) -> Table:
    columns = [
        Column(words("group")), Column(words("rule"), "long"), Column(words("available"), "count"), Column(words("group_size"), "count"),
        Column(words("mean_probability"), "share"), Column(words("mean_payments"), "number", digits=1),
        Column(words("mean_amount"), "count", sub=words("currency")),
    ]
    return Table(words("whom_heading"), columns, [
        [
            named.of("group", one.name), named.rule(one.name, one.rule), one.available, one.size, one.mean_probability,
            one.mean_payments, one.mean_amount,
        ]
        for one in campaign.groups
    ])


def _map(campaign: Campaign, words: Words, named: Named) -> Table:
    cells = campaign.segment_map
    columns = [Column(words("map_y")), *(Column(f"{words('map_x')}: {named.level(name)}", "count", "note") for name in cells.columns)]
    return Table(words("map_title"), columns, [
        [named.level(row), *((people, named.of("segment", segment)) for people, segment in zip(counts, segments, strict=True))]
        for row, counts, segments in zip(cells.rows, cells.people, cells.segment, strict=True)
    ])


def _results(groups: Sequence[GroupResult], words: Words, named: Named) -> Table:
    columns = [
        Column(words("group")), Column(words("selected"), "count"), Column(words("activated"), "count"),
        _rate_column(words, "activation_rate"), Column(words("spend_mean"), "count", sub=words("currency")),
    ]
    return Table(words("groups_title"), columns, [
        [named.of("group", one.name), one.selected, one.activated, one.activation_rate, one.spend_mean] for one in groups
    ])


def _funnel(groups: Sequence[GroupResult], words: Words, named: Named) -> Table:
    """Long rather than wide, so that it fits a telephone: a row a step and group."""
    columns = [
        Column(words("step")), Column(words("group")), Column(words("people"), "count"),
        Column(words("rate_of_step"), "share", "interval", words("interval")),
    ]
    rows: list[list[Value]] = [[words("contacted"), named.of("group", one.name), one.contacted, None] for one in groups]
    rates = (("responded", "response_rate"), ("applied", "application_rate"), ("approved", "approval_rate"),
             ("first_card", "first_card_rate"), ("first_card", "overall_effect"))  # fmt: skip
    for step, rate in rates:
        rows += [[words(rate), named.of("group", one.name), getattr(one, step), getattr(one, rate)] for one in groups]
    return Table(words("funnel_heading"), columns, rows, grouped=True)


def _lift(campaign: Campaign, words: Words, named: Named) -> Table:
    columns = _lift_columns(words)
    columns[3:3] = [Column(words("deck_ratio"), "times", digits=2), Column(words("extra"), "count", "interval", words("interval"))]
    rows: list[list[Value]] = []
    for one in campaign.results.lift:
        cells = _lift_cells(one, named)
        cells[3:3] = [deck_ratio(campaign, one), more_activations(campaign, one)]
        rows.append(cells)
    compared = campaign.results.compared if campaign.lang == words.language else ""
    return Table(words("lift_heading"), columns, rows, note=compared)


def _lift_columns(words: Words) -> list[Column]:
    return [
        Column(words("group")), Column(words("difference_points"), "points", "interval", words("interval"), 1),
        Column(words("ratio"), "times", "interval", words("interval"), 2), Column(words("p_value"), "p"), Column(words("verdict"), "long"),
    ]


def _lift_cells(lift: Lift, named: Named) -> list[Value]:
    return [named.pair(lift), lift.difference, lift.ratio, lift.p, named.verdict(lift)]


def _by(kind: str, rows: Sequence[SegmentResult] | Sequence[BenefitResult], words: Words, named: Named) -> Table:
    columns = [
        Column(words(kind)), Column(words("group")), Column(words("selected"), "count"), Column(words("activated"), "count"),
        _rate_column(words, "activation_rate"),
    ]
    found: list[list[Value]] = [
        [named.of(kind, getattr(one, kind)), named.of("group", one.group), one.selected, one.activated, one.activation_rate] for one in rows
    ]
    return Table(words(f"by_{kind}_heading"), columns, found, grouped=True)


def _rate_column(words: Words, key: str) -> Column:
    return Column(words(key), "share", "interval", words("interval"))


def _deck_column(words: Words) -> Column:
    return Column(words("deck_range"), "share", "span", digits=0)


def _deck_range(low: float | None, high: float | None) -> tuple[float, float] | None:
    """Return the deck's range; "within 20 %" begins at 0."""
    return None if high is None else (low or 0.0, high)
