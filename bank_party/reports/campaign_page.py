"""The campaign's report as one HTML file: what was done, what it brought and how sure that is, read from top to bottom by a banker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bank_party.reports import campaign_pictures
from bank_party.reports.campaign import HELD, Campaign, GroupResult, Lift
from bank_party.reports.campaign_sentences import against_deck, beside_deck, joined, withheld
from bank_party.reports.campaign_tables import Named, campaign_tables, measured_tables, more_activations
from bank_party.reports.html import FILTERS, TEMPLATES, WORDS, study_parts
from bank_party.reports.model import Learned, Report, learned
from bank_party.reports.study_tables import drivers, study_tables
from bank_party.reports.tables import Table, number, share, signed
from bank_party.reports.workbook import Sentences, write_workbook
from tandem.contract import Contract
from tandem.contract.words import Language
from tandem.errors import InputError
from tandem.node import disk
from tandem.pages import NONE, Words, count, fill

CAMPAIGN_WORDS = TEMPLATES / "campaign_words.toml"
HEADINGS = (
    "pool_heading", "drivers_heading", "model_heading", "whom_heading", "what_heading", "brought_heading", "learned_heading",
    "limits_heading",
)
MARKS = {"higher": "gain", "lower": "loss", "not shown": "not_shown"}


class Claim(NamedTuple):
    """One thing that the campaign brought: the class of its mark, the rates, and how sure that is."""

    kind: str
    text: str
    verdict: str


def write(folder: Path, study: Report, campaign: Campaign, lang: Language = "en", contracts: Sequence[Contract] = ()) -> tuple[Path, Path]:
    """Write report.html and campaign.xlsx into the folder, each whole or not at all, and return their places.

    study: the training that the campaign rests on, its sentences in `lang`. contracts: the campaign's others (scoring, measurement), for
    what each party learned. Raises InputError for another language, or where the place cannot be written.
    """
    page, book = folder / "report.html", folder / "campaign.xlsx"
    disk.write(page, render_campaign(study, campaign, lang, contracts).encode())
    disk.write(book, workbook(study, campaign, lang, contracts))
    return page, book


def render_campaign(study: Report, campaign: Campaign, lang: Language = "en", contracts: Sequence[Contract] = ()) -> str:
    """Return the page; the same facts give the same text."""
    words = campaign_words(lang)
    measured = [
        {"name": rates.title, "rates": rates, "lift": lift, "plot": campaign_pictures.measured(campaign, at, words)}
        for at, (rates, lift) in enumerate(_measured(campaign, words))
    ]
    synthetic = campaign.synthetic or study.synthetic
    default = Named(campaign, words).of("benefit", campaign.default_benefit)
    detect = NONE if campaign.power.detect is None else number(100 * campaign.power.detect, 1)
    return fill(
        TEMPLATES / "campaign.html.j2", FILTERS,
        title=f"{words('campaign_title')} · {campaign.name}", c=campaign, synthetic=synthetic,
        claims=claims(campaign, words), tiles=_tiles(study, campaign, words),
        summary=_summary(study, campaign, words), headings=HEADINGS, ct=campaign_tables(campaign, study, words),
        cplots=campaign_pictures.pictures(campaign, words), drivers=drivers(study, words), measured=measured,
        meanings=_meanings(campaign, words), default=default, detect=detect, beside_deck=beside_deck(campaign, words),
        withheld=withheld(campaign, words),
        learned=_learned(study, contracts, lang), limits=_limits(campaign, synthetic=synthetic), **study_parts(study, words),
    )


def workbook(study: Report, campaign: Campaign, lang: Language = "en", contracts: Sequence[Contract] = ()) -> bytes:
    """Return the same tables as an Excel workbook, a sheet a section."""
    words = campaign_words(lang)
    ct, t = campaign_tables(campaign, study, words), study_tables(study, words)
    synthetic = campaign.synthetic or study.synthetic
    told = [words("synthetic_loud")] if synthetic else []
    told += [joined([one.text, one.verdict], words) for one in claims(campaign, words)] + [_summary(study, campaign, words)]
    parties = [
        Sentences(f"{words(f'contract_{kind}')}: {words.known(one.party, one.party)}", one.sentences)
        for kind, found in _learned(study, contracts, lang) for one in found
    ]
    limits = [words(key) for key in _limits(campaign, synthetic=synthetic)] + list(study.more_limits)
    deck = Sentences(words("deck_mark"), [words("deck_explained")])
    gap = withheld(campaign, words)
    gaps = [Sentences(words("withheld_heading"), [gap])] if gap else []
    sheets: list[tuple[str, list[Table | Sentences]]] = [
        ("summary", [Sentences(f"{words('campaign_title')} · {campaign.name}", told), deck]),
        ("match", [ct["pool"], t["match"]]),
        ("drivers", [t["variables"], Sentences(words("drivers_words"), drivers(study, words))]),
        ("model", [t["models"], t["differences"], ct["deck_model"], t["gain"], t["calibration"]]),
        ("groups", [ct["groups"], ct["power"]]),
        ("benefits", [ct["benefits"], ct["segments"], ct["map"]]),
        ("results", [
            ct["results"], ct["lift"], Sentences(words("beside_heading"), beside_deck(campaign, words)), ct["funnel"], ct["by_segment"],
            ct["by_benefit"],
        ]),
        ("measured", [table for pair in _measured(campaign, words) for table in pair] + gaps),
        ("learned", [*parties, Sentences(words("limits_heading"), limits)]),
    ]
    return write_workbook([(words(f"sheet_{name}"), parts) for name, parts in sheets if parts], campaign.as_of, words)


def campaign_words(lang: str) -> Words:
    """Return the words of the campaign's report. Raises InputError for another language."""
    if lang not in {"en", "zh"}:
        raise InputError(f"the report is written in en or zh, not in {lang!r}")
    return Words(WORDS, "zh" if lang == "zh" else "en", CAMPAIGN_WORDS)


def _measured(campaign: Campaign, words: Words) -> list[Any]:
    return [measured_tables(campaign, one, words) for one in campaign.measured.segments] if campaign.measured else []


def _learned(study: Report, contracts: Sequence[Contract], lang: Language) -> list[tuple[str, Sequence[Learned]]]:
    return [("training", study.learned), *((contract.kind, learned(contract, lang)) for contract in contracts)]


def _limits(campaign: Campaign, *, synthetic: bool) -> list[str]:
    choice = "limit_choice_held" if any(one.held for one in campaign.results.groups) else "limit_choice"
    return [*(["limit_campaign_synthetic"] if synthetic else []), choice, "limit_several", "limit_odds"]


def _result(campaign: Campaign, name: str) -> GroupResult:
    return next(one for one in campaign.results.groups if one.name == name)


def _lifts(campaign: Campaign) -> list[Lift]:
    """Return the lifts, those against the control group first, largest difference first: what a banker asks about first."""
    return sorted(campaign.results.lift, key=lambda one: (one.against != "control", -one.difference.value if one.difference else 2.0))


def claims(campaign: Campaign, words: Words) -> list[Claim]:
    """Return what the campaign brought, a claim a lift: the rates, and how far they can be told apart."""
    named, found = Named(campaign, words), []
    for lift in _lifts(campaign):
        rates = (_result(campaign, name).activation_rate for name in (lift.group, lift.against))
        rate, base = (share(one.value if one else None) for one in rates)
        ratio, low, high = (NONE,) * 3 if lift.ratio is None else (number(each, 2) for each in lift.ratio)
        group, held = named.of("group", lift.group), lift.against.endswith(HELD)
        against = words("against_held", group=group) if held else words("against_group", group=named.of("group", lift.against))
        fewer = lift.shown == "lower" and lift.ratio is not None and lift.ratio.value < 1.0
        key = "claim_no_ratio" if lift.ratio is None else "claim_fewer" if fewer else "claim_held" if held else "claim"
        text = words(key, group=group, against=against, rate=rate, base=base, ratio=ratio)
        verdict = words(f"claim_{lift.shown.replace(' ', '_')}", against=against)
        limits = words("claim_limits", low=low, high=high) if lift.ratio else ""
        deck = against_deck(campaign, lift, words) if fewer else ""
        found.append(Claim(MARKS[lift.shown], text[:1].upper() + text[1:], joined([verdict, limits, deck], words)))
    return found


def _tiles(study: Report, campaign: Campaign, words: Words) -> list[tuple[str, str]]:
    """Return the key figures: (figure, words)."""
    named, of = Named(campaign, words), campaign.population
    bank = number(study.holdout.scores["bank_only"].auc.value)
    tiles = [
        (share(of.matched / of.dormant if of.dormant else None), words("tile_match")),
        (share(of.pool_share), words("tile_pool")),
        (number(study.holdout.scores["joint"].auc.value), words("tile_auc", bank=bank)),
    ]
    for lift in _lifts(campaign)[:1]:
        rate, group = _result(campaign, lift.group).activation_rate, named.of("group", lift.group)
        tiles.append((share(rate.value if rate else None), words("tile_rate", group=group)))
    for lift in _lifts(campaign)[:2]:
        ratio = NONE if lift.ratio is None else f"\u00d7\u202f{number(lift.ratio.value, 2)}"
        tiles.append((ratio, words("tile_ratio", group=named.of("group", lift.group), against=named.of("group", lift.against))))
    return tiles


def _summary(study: Report, campaign: Campaign, words: Words) -> str:
    """Return the one paragraph: what was done and for whom, what it brought, how sure that is."""
    named, of, joint = Named(campaign, words), campaign.population, study.holdout.scores["joint"].auc
    groups = [one for one in campaign.results.groups if not one.held]
    parts = [
        words(
            "short_done", name=campaign.name, customers=count(of.customers), dormant=count(of.dormant), matched=count(of.matched),
            rate=share(of.matched / of.dormant if of.dormant else None), joint=number(joint.value), joint_low=number(joint.low),
            joint_high=number(joint.high), bank=number(study.holdout.scores["bank_only"].auc.value),
        ),
        words(
            "short_brought", contacted=count(sum(one.contacted for one in groups)), groups=len(groups),
            activated=count(sum(one.activated for one in groups)),
        ),
    ]
    for lift in [one for one in _lifts(campaign) if one.against == "control"]:
        extra = more_activations(campaign, lift)
        if extra is not None:
            fewer = extra.high < 0.0
            sizes = sorted(-each for each in extra) if fewer else sorted(extra)
            key = "short_fewer" if fewer else "short_extra" if extra.low > 0.0 else "short_either"
            low, value, high = ((number if extra.low > 0.0 or fewer else signed)(each, 0) for each in sizes)
            names: dict[str, Any] = {"group": named.of("group", lift.group), "against": named.of("group", lift.against)}
            parts.append(words(key, extra=value, low=low, high=high, **names))
    return joined([*parts, words("short_sure")], words)


def _meanings(campaign: Campaign, words: Words) -> list[str]:
    keys = [f"segment_meaning_{one.name.replace(' ', '_')}" for one in campaign.segments]
    return [sentence for sentence in (words.known(key, "") for key in keys) if sentence]
