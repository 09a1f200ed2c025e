"""The pictures of a study: how well its models rank, whether their probabilities hold, and what their variables are worth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from matplotlib.ticker import PercentFormatter

from bank_party.evaluation import Calibration, Curve, KsCurve, Slice
from bank_party.plots_sheet import COLOURS, DASHES, FAINT, GRID, canvas, shares, short

MOST_BARS = 16
"""Variables in the picture of information values; the table has them all."""


class Line(NamedTuple):
    """A curve, the words beside it, and the model that gives its colour."""

    label: str
    model: str
    curve: Curve


class Bars(NamedTuple):
    """A gain table, the words beside it, and the model that gives its colour."""

    label: str
    model: str
    slices: Sequence[Slice]


class Bar(NamedTuple):
    """A variable's information value and the side that gives its colour."""

    label: str
    side: str
    iv: float


def roc_plot(lines: Sequence[Line], x: str, y: str, title: str) -> str:
    """Draw ROC curves; x, y, title are words (the title is read aloud, not drawn)."""
    with canvas("roc", title, 4.3) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.2)
        for line in lines:
            sheet.axes.plot(line.curve.x, line.curve.y, label=line.label, color=COLOURS[line.model], linestyle=DASHES.get(line.model, "-"))
        shares(sheet.axes, x, y)
        sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def ks_plot(curve: KsCurve, ones: str, zeros: str, x: str, y: str, title: str) -> str:
    """Draw both cumulative shares and the gap where they are furthest apart."""
    with canvas("ks", title, 4.3) as sheet:
        sheet.axes.plot(curve.rows, curve.ones, label=ones, color=COLOURS["joint"])
        sheet.axes.plot(curve.rows, curve.zeros, label=zeros, color=COLOURS["bank_only"])
        at, low, high = curve.rows[curve.at], *sorted((curve.ones[curve.at], curve.zeros[curve.at]))
        sheet.axes.plot([at, at], [low, high], color=COLOURS["joint_card"], linewidth=1.4, marker="o", markersize=3)
        sheet.axes.annotate(
            f"KS {high - low:.3f}", (at, (low + high) / 2), (6, 0), textcoords="offset points", color=COLOURS["joint_card"], va="center"
        )
        shares(sheet.axes, x, y)
        sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def gain_plot(tables: Sequence[Bars], x: str, y: str, title: str) -> str:
    """Draw gain_lift by slice, tables side by side; 1 is the overall rate."""
    with canvas("gain", title, 3.9) as sheet:
        width = 0.8 / len(tables)
        for at, table in enumerate(tables):
            places = [one.number + (at - (len(tables) - 1) / 2) * width for one in table.slices]
            heights = [0.0 if one.lift is None else one.lift for one in table.slices]
            sheet.axes.bar(places, heights, width * 0.92, label=table.label, color=COLOURS[table.model])
        sheet.axes.axhline(1.0, color=FAINT, linewidth=0.9, linestyle=(0, (3, 2)))
        sheet.axes.set_xticks([one.number for one in tables[0].slices])
        sheet.axes.grid(axis="y")
        sheet.axes.set_xlabel(x)
        sheet.axes.set_ylabel(y)
        sheet.axes.legend(loc="upper right")
    return sheet.text[0]


def capture_plot(tables: Sequence[Bars], x: str, y: str, title: str) -> str:
    """Draw the share of all positives found over the share of customers taken from the top; the diagonal is chance."""
    with canvas("capture", title, 3.9) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.2)
        for table in tables:
            rows = list(accumulate(one.rows for one in table.slices))
            places = [0.0, *(count / rows[-1] for count in rows)]
            found = [0.0, *(one.capture for one in table.slices)]
            sheet.axes.plot(places, found, label=table.label, color=COLOURS[table.model], marker="o", markersize=3)
        shares(sheet.axes, x, y)
        sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def calibration_plot(measured: Calibration, x: str, y: str, title: str) -> str:
    """Draw observed rates with their intervals over mean predictions; on the diagonal both agree."""
    with canvas("calibration", title, 3.9) as sheet:
        points = [(one.predicted, one.observed) for one in measured.slices if one.predicted is not None and one.observed is not None]
        top = max(max(predicted, observed.high) for predicted, observed in points) * 1.05
        sheet.axes.plot([0, top], [0, top], color=GRID, linewidth=1.2)
        sheet.axes.errorbar(
            [predicted for predicted, _ in points],
            [observed.value for _, observed in points],
            [[observed.value - observed.low for _, observed in points], [observed.high - observed.value for _, observed in points]],
            color=COLOURS["joint"],
            linestyle="none",
            marker="o",
            markersize=4,
            elinewidth=1.1,
        )
        sheet.axes.set_xlim(0, top)
        sheet.axes.set_ylim(0, top)
        sheet.axes.grid(visible=True)
        digits = 1 if top < 0.05 else 0
        sheet.axes.xaxis.set_major_formatter(PercentFormatter(1.0, digits))
        sheet.axes.yaxis.set_major_formatter(PercentFormatter(1.0, digits))
        sheet.axes.set_xlabel(x)
        sheet.axes.set_ylabel(y)
    return sheet.text[0]


def iv_plot(bars: Sequence[Bar], sides: Sequence[tuple[str, str]], x: str, title: str) -> str:
    """Draw information values, largest on top, at most MOST_BARS; `sides` are (side, words) for the legend."""
    shown = sorted(bars, key=lambda bar: -bar.iv)[:MOST_BARS]
    with canvas("iv", title, 1.1 + 0.24 * max(3, len(shown))) as sheet:
        for side, label in sides:
            places = [at for at, bar in enumerate(shown) if bar.side == side]
            if places:
                sheet.axes.barh(places, [shown[at].iv for at in places], 0.7, color=COLOURS[side], label=label)
        sheet.axes.set_yticks(range(len(shown)), [short(bar.label, 22) for bar in shown])
        sheet.axes.set_ylim(max(3, len(shown)) - 0.4, -0.6)
        sheet.axes.tick_params(axis="y", length=0)
        sheet.axes.grid(axis="x")
        sheet.axes.set_xlabel(x)
        if shown:
            sheet.axes.legend(loc="lower right")
    return sheet.text[0]
