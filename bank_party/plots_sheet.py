"""What every picture of a report is drawn on: one size, one style, and SVG in which words stay words.

The reader's own fonts draw the words, Chinese included, so a picture never holds boxes for glyphs that this machine lacks.
Drawn 360 units wide: 1 px a unit on a telephone, a little larger in two columns on a desk. The same input gives the same text.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK, FAINT, GRID = "#243040", "#6b7785", "#e3e8ee"
COLOURS = {"bank_only": "#8b95a5", "joint": "#0b6e75", "joint_card": "#c9822b", "pooled": "#243040", "bank": "#8b95a5", "telco": "#0b6e75"}
DASHES = {"pooled": (0, (1.5, 2)), "joint_card": (0, (4, 2))}
WIDTH = 5.0
"""Inches of 72 units."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tandem",
    "font.family": ["DejaVu Sans"],
    "font.size": 11.0,
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
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "legend.fontsize": 10.0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


class Sheet(NamedTuple):
    """Axes to draw on; when the drawing ends, `text` holds the SVG."""

    axes: Axes
    text: list[str]


def shares(axes: Axes, x: str, y: str) -> None:
    """Set both axes to shares from 0 to 1, with their words."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.01)
    axes.grid(visible=True)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def short(label: str, most: int) -> str:
    """Return a label of at most so many letters."""
    return label if len(label) <= most else label[: most - 1] + "…"


@contextmanager
def canvas(name: str, title: str, height: float) -> Iterator[Sheet]:
    """Give axes to draw on; at the end the SVG is the sheet's only text. Glyphs that matplotlib lacks are the browser's to draw."""
    with warnings.catch_warnings(), mpl.rc_context(STYLE):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        drawn_on = Sheet(figure.add_subplot(), [])
        yield drawn_on
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
        drawn_on.text.append(_inline(drawn.getvalue(), name, title))


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
