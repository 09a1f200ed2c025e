"""The report's pictures as SVG text: words stay words, so that the reader's own fonts draw them, Chinese included.

Drawn 360 units wide: 1 px a unit on a telephone, a little larger in two columns on a desk. The same input gives the same text.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bank_party.evaluation import Calibration, Curve, KsCurve, Slice

INK, FAINT, GRID = "#243040", "#6b7785", "#e3e8ee"
COLOURS = {"bank_only": "#8b95a5", "joint": "#0b6e75", "joint_card": "#c9822b", "pooled": "#243040", "bank": "#8b95a5", "telco": "#0b6e75"}
DASHES = {"pooled": (0, (1.5, 2)), "joint_card": (0, (4, 2))}
WIDTH = 5.0
"""Inches of 72 units."""

MOST_BARS = 24
"""Variables in the picture of information values; the table has them all."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tandem",
    "font.family": ["DejaVu Sans"],
    "font.size": 10.0,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.fontsize": 9.0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


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


class _Sheet(NamedTuple):
    axes: Axes
    text: list[str]


def roc_plot(lines: Sequence[Line], x: str, y: str, title: str) -> str:
    """Draw ROC curves; x, y, title are words (the title is read aloud, not drawn)."""
    with _sheet("roc", title, 4.3) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.2)
        for line in lines:
            sheet.axes.plot(line.curve.x, line.curve.y, label=line.label, color=COLOURS[line.model], linestyle=DASHES.get(line.model, "-"))
        _shares(sheet.axes, x, y)
        sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def ks_plot(curve: KsCurve, ones: str, zeros: str, x: str, y: str, title: str) -> str:
    """Draw both cumulative shares and the gap where they are furthest apart."""
    with _sheet("ks", title, 4.3) as sheet:
        sheet.axes.plot(curve.rows, curve.ones, label=ones, color=COLOURS["joint"])
        sheet.axes.plot(curve.rows, curve.zeros, label=zeros, color=COLOURS["bank_only"])
        at, low, high = curve.rows[curve.at], *sorted((curve.ones[curve.at], curve.zeros[curve.at]))
        sheet.axes.plot([at, at], [low, high], color=COLOURS["joint_card"], linewidth=1.4, marker="o", markersize=3)
        sheet.axes.annotate(
            f"KS {high - low:.3f}", (at, (low + high) / 2), (6, 0), textcoords="offset points", color=COLOURS["joint_card"], va="center"
        )
        _shares(sheet.axes, x, y)
        sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def gain_plot(tables: Sequence[Bars], x: str, y: str, title: str) -> str:
    """Draw gain_lift by slice, tables side by side; 1 is the overall rate."""
    with _sheet("gain", title, 3.9) as sheet:
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
    with _sheet("capture", title, 3.9) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.2)
        for table in tables:
            rows = list(accumulate(one.rows for one in table.slices))
            places = [0.0, *(count / rows[-1] for count in rows)]
            found = [0.0, *(one.capture for one in table.slices)]
            sheet.axes.plot(places, found, label=table.label, color=COLOURS[table.model], marker="o", markersize=3)
        _shares(sheet.axes, x, y)
        sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def calibration_plot(measured: Calibration, x: str, y: str, title: str) -> str:
    """Draw observed rates with their intervals over mean predictions; on the diagonal both agree."""
    with _sheet("calibration", title, 3.9) as sheet:
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
    with _sheet("iv", title, 1.1 + 0.24 * max(3, len(shown))) as sheet:
        for side, label in sides:
            places = [at for at, bar in enumerate(shown) if bar.side == side]
            if places:
                sheet.axes.barh(places, [shown[at].iv for at in places], 0.7, color=COLOURS[side], label=label)
        sheet.axes.set_yticks(range(len(shown)), [_short(bar.label) for bar in shown])
        sheet.axes.set_ylim(max(3, len(shown)) - 0.4, -0.6)
        sheet.axes.tick_params(axis="y", length=0)
        sheet.axes.grid(axis="x")
        sheet.axes.set_xlabel(x)
        if shown:
            sheet.axes.legend(loc="lower right")
    return sheet.text[0]


def _short(label: str) -> str:
    return label if len(label) <= 22 else label[:21] + "…"


def _shares(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.01)
    axes.grid(visible=True)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(x)
    axes.set_ylabel(y)


@contextmanager
def _sheet(name: str, title: str, height: float) -> Iterator[_Sheet]:
    """Give axes to draw on; at the end the SVG is the sheet's only text. Glyphs that matplotlib lacks are the browser's to draw."""
    with warnings.catch_warnings(), mpl.rc_context(STYLE):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        sheet = _Sheet(figure.add_subplot(), [])
        yield sheet
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
        sheet.text.append(_inline(drawn.getvalue(), name, title))


def _inline(svg: str, name: str, title: str) -> str:
    """Make a file's SVG fit to stand in a page: no prologue or style of its own, its ids prefixed, as wide as its column."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg).replace("url(#", f"url(#{name}-")
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r"font: ([^;\"]*?)(\d+(?:\.\d+)?px) [^;\"]*", r"font: \1\2 var(--font)", svg)
    view = re.search(r'viewBox="[^"]*"', svg)
    spaces = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"'
    head = f'<svg {spaces} {view[0] if view else ""} role="img" class="plot"'
    spoken = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'{head} aria-label="{spoken}" style="stroke-linejoin:round;stroke-linecap:butt">' + svg[svg.index(">") + 1 :]
