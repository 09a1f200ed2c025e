"""The report as one HTML file: words, tables and pictures inside, nothing fetched, readable from top to bottom by a banker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bank_party.evaluation import Interval
from bank_party.plots import Bar, Bars, Line, calibration_plot, capture_plot, gain_plot, iv_plot, ks_plot, roc_plot
from bank_party.reports.model import NAMES, Name, Report, Variable, iv_band
from tandem.contract.words import Language
from tandem.errors import InputError
from tandem.node import disk
from tandem.pages import NONE, Words, count, fill

WORDS = Path(__file__).with_name("words.toml")


def write_report(path: Path, result: Report, lang: Language = "en") -> None:
    """Write the page whole or not at all. Raises InputError for another language, or where the place cannot be written."""
    disk.write(path, render(result, lang).encode())


def render(report: Report, lang: Language = "en") -> str:
    """Return the page; the same report gives the same text."""
    if lang not in ("en", "zh"):
        raise InputError(f"the report is written in en or zh, not in {lang!r}")
    words = Words(WORDS, lang)
    filters: dict[str, Callable[..., str]] = {
        "share": share, "number": number, "signed": signed, "seconds": seconds, "limits": limits, "share_limits": share_limits,
        "p": p_value, "stage": partial(_stage, words=words),
    }
    return fill(
        Path(__file__).with_name("report.html.j2"),
        filters,
        w=words,
        r=report,
        positives=words(f"positives_{report.purpose}"),
        others=words(f"others_{report.purpose}"),
        rate=words(f"rate_{report.purpose}"),
        headline=_headline(report, words),
        names=[name for name in NAMES if name in report.holdout.scores],
        variables=[_row(one, words) for one in sorted(report.variables, key=lambda one: -1.0 if one.iv is None else -one.iv - 2.0)],
        plots=_plots(report, words),
    )


def number(value: float | None, digits: int = 3) -> str:
    """Return the number with so many decimals."""
    return NONE if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def signed(value: float | None, digits: int = 3) -> str:
    """Return the number with its sign, a true minus included."""
    return NONE if value is None else f"{value:+.{digits}f}".replace("-", "\u2212")


def share(value: float | None, digits: int = 1) -> str:
    """Return the share in per cent."""
    return NONE if value is None else f"{100 * value:.{digits}f}\u202f%"


def limits(interval: Interval | None, digits: int = 3) -> str:
    """Return the limits of an interval."""
    return NONE if interval is None else f"{number(interval.low, digits)} \u2013 {number(interval.high, digits)}"


def share_limits(interval: Interval | None) -> str:
    """Return the limits of an interval of shares in per cent."""
    return NONE if interval is None else f"{100 * interval.low:.1f} \u2013 {share(interval.high)}"


def p_value(value: float | None) -> str:
    """Return a p value; below a thousandth it says so."""
    return NONE if value is None else "<\u202f0.001" if value < 0.001 else f"{value:.3f}"


def seconds(value: float) -> str:
    """Return a duration in seconds, or in minutes and seconds."""
    if value < 99.95:
        return f"{value:.1f}\u202fs"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}\u202fmin {rest:02d}\u202fs"


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


def _stage(name: str, words: Words) -> str:
    """Return the words of a stage: pass_2 is training pass 2; a name without words is shown as it is."""
    head, _, rest = name.partition("_")
    return words("stage_pass", number=rest) if head == "pass" and rest.isdigit() else words.known(f"stage_{name}", name)


def _row(variable: Variable, words: Words) -> dict[str, Any]:
    """Return a variable with its words: the band of its IV, and why it was dropped."""
    reason = words.known(f"reason_{variable.reason}", variable.reason)
    return {
        "v": variable,
        "side": words(f"side_{variable.side}"),
        "band": "" if variable.iv is None else words(f"band_{iv_band(variable.iv)}"),
        "woe": NONE
        if variable.woe_low is None or variable.woe_high is None
        else f"{number(variable.woe_low, 2)} … {number(variable.woe_high, 2)}",
        "reason": " ".join(part for part in (reason, variable.detail) if part),
    }


def _plots(report: Report, words: Words) -> dict[str, Markup]:
    """Return the pictures, safe to stand in the page: matplotlib escapes their texts."""
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
