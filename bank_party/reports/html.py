"""The report as one HTML file: words, tables and pictures inside, nothing fetched, readable from top to bottom by a banker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bank_party.plots import Bar, Bars, Line, calibration_plot, capture_plot, gain_plot, iv_plot, ks_plot, roc_plot
from bank_party.reports.model import NAMES, Name, Report
from bank_party.reports.study_tables import study_tables
from bank_party.reports.tables import number, share, shown, signed
from tandem.contract.words import Language
from tandem.errors import InputError
from tandem.node import disk
from tandem.pages import Words, count, fill

TEMPLATES = Path(__file__).parent
WORDS = TEMPLATES / "words.toml"
FILTERS: dict[str, Callable[..., str]] = {"share": share, "number": number, "signed": signed}


def write_report(path: Path, result: Report, lang: Language = "en") -> None:
    """Write the page whole or not at all. Raises InputError for another language, or where the place cannot be written."""
    disk.write(path, render(result, lang).encode())


def render(report: Report, lang: Language = "en") -> str:
    """Return the page; the same report gives the same text."""
    if lang not in ("en", "zh"):
        raise InputError(f"the report is written in en or zh, not in {lang!r}")
    words = Words(WORDS, lang)
    return fill(
        TEMPLATES / "report.html.j2", FILTERS, title=f"{words('title')} · {report.study}", headline=_headline(report, words),
        **study_parts(report, words),
    )


def study_parts(report: Report, words: Words) -> dict[str, Any]:
    """Return what the templates of a study's parts are filled with."""
    return {
        "w": words, "r": report, "t": study_tables(report, words), "shown": shown, "plots": _plots(report, words),
        "positives": words(f"positives_{report.purpose}"), "others": words(f"others_{report.purpose}"),
    }


def _headline(report: Report, words: Words) -> str:
    difference = report.holdout.difference
    write = number if report.verdict == "gain" else signed
    return words(
        f"headline_{report.verdict}",
        matched=count(report.matched),
        asked=count(report.asked),
        rate=share(report.matched / report.asked if report.asked else None),
        gain=write(difference.value),
        low=write(difference.low),
        high=write(difference.high),
    )


def _plots(report: Report, words: Words) -> dict[str, Markup]:
    """Return the study's pictures, safe to stand in the page: matplotlib escapes their texts."""
    hold = report.holdout
    pair: list[Name] = ["bank_only", "joint"]
    drawn = {
        "roc": roc_plot(
            [Line(words(name), name, hold.curves[name]) for name in NAMES if name in hold.curves],
            words("roc_x"),
            words("roc_y"),
            words("roc_title"),
        ),
        "ks": ks_plot(
            hold.ks_curve,
            words(f"positives_{report.purpose}"),
            words(f"others_{report.purpose}"),
            words("ks_x"),
            words("ks_y"),
            words("ks_title"),
        ),
        "gain": gain_plot(
            [Bars(words(name), name, hold.gain[name]) for name in pair], words("gain_x"), words("gain_y"), words("gain_title")
        ),
        "capture": capture_plot(
            [Bars(words(name), name, hold.gain[name]) for name in pair], words("capture_x"), words("capture_y"), words("capture_title")
        ),
        "calibration": calibration_plot(hold.calibration, words("calibration_x"), words("calibration_y"), words("calibration_title")),
        "iv": iv_plot(
            [Bar(one.name, one.side, one.iv) for one in report.variables if one.iv is not None],
            [("bank", words("side_bank")), ("telco", words("side_telco"))],
            words("iv_x"),
            words("iv_title"),
        ),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 -- svg is ours; its only foreign texts were escaped when drawn
