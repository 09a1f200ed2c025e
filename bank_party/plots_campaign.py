"""The pictures of a campaign: groups with their intervals, the funnel, lift, value segments and what was offered.

Groups keep one colour, one marker and one place throughout; in grey they differ by lightness, and every mark has its words beside it.
What is not known is drawn as nothing and written "-".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bank_party.evaluation import Interval
from bank_party.plots_sheet import FAINT, INK, WIDTH, Sheet, canvas, short
from tandem.pages import NONE

GROUP_COLOURS = {"control": "#b1bac6", "low": "#c9822b", "high": "#0b6e75"}
GROUP_MARKERS = {"control": "o", "low": "s", "high": "D"}
OTHERS = (("#6f8fb5", "^"), ("#8a6fae", "v"), ("#3f4a59", "P"))
"""Colours and markers of groups by other names, in their order."""
SEGMENT_COLOURS = {"maintain": "#6f9bc4", "lost cause": "#a7afb9", "potential": "#d99a4a", "key": "#2f8f8a"}
PLAIN = "#5b7fa6"
"""Colour of a segment by another name, and of bars that are no group's."""
DECK: dict[str, Any] = {
    "marker": "D", "markersize": 6.5, "linestyle": "none", "color": "white", "markeredgecolor": INK, "markeredgewidth": 1.2, "zorder": 5
}
"""How a mark of the deck's looks."""
POINT: dict[str, Any] = {"markersize": 5.5, "markeredgecolor": INK, "markeredgewidth": 0.5}
UNIT = 72 * WIDTH
SIZE = 10.0
"""Units of a label's letters."""
ACROSS = 3
"""Entries of a legend in one line."""
LONGEST = 18
"""Letters of a label; the table has it whole."""


class Rated(NamedTuple):
    """A group's words, its name in the file, and its rate."""

    label: str
    name: str
    rate: Interval | None


class Row(NamedTuple):
    """A row of points: its words, and a rate a group."""

    label: str
    rates: Sequence[Interval | None]


class Part(NamedTuple):
    """A segment's words, its name in the file, its share of people, and the deck's range."""

    label: str
    name: str
    share: float
    deck: tuple[float, float] | None


def group_colour(name: str, at: int) -> str:
    """Return a group's colour; `at` is its place among the groups."""
    return GROUP_COLOURS.get(name, OTHERS[at % len(OTHERS)][0])


def group_plot(groups: Sequence[Rated], deck: Sequence[tuple[int, float]], deck_label: str, x: str, title: str) -> str:
    """Draw a bar a group with its interval; `deck` holds (place, value) of the deck's marks."""
    labels = [f"{short(one.label, LONGEST)}\n{_percent(one.rate.value)}" if one.rate else one.label for one in groups]
    with _rows("groups", title, labels, 0.55, legend=len(deck[:1])) as sheet:
        top = max([one.rate.high for one in groups if one.rate] + [value for _, value in deck], default=0.0) or 1.0
        for at, one in enumerate(groups):
            if one.rate is None:
                _write(sheet.axes, 0.0, at, NONE)
                continue
            sheet.axes.barh(at, one.rate.value, 0.62, color=group_colour(one.name, at))
            _reach(sheet.axes, at, one.rate)
        for number, (at, value) in enumerate(deck):
            label = deck_label if number == 0 else None
            sheet.axes.plot(value, at, **DECK, label=label)
        _share_axis(sheet.axes, top * 1.06, x)
        _legend(sheet.axes, shown=bool(deck))
    return sheet.text[0]


def funnel_plot(steps: Sequence[str], groups: Sequence[tuple[str, str, Sequence[float | None]]], x: str, title: str) -> str:
    """Draw the share of those contacted that came to each step; `groups` are (words, name, a share a step)."""
    with _rows("funnel", title, steps, 0.3 + 0.19 * len(groups), legend=len(groups)) as sheet:
        top = max((share for _, _, found in groups for share in found if share is not None), default=0.0) or 1.0
        width = 0.84 / len(groups)
        for number, (label, name, found) in enumerate(groups):
            for at, share in enumerate(found):
                place = at + (number - (len(groups) - 1) / 2) * width
                colour = group_colour(name, number)
                sheet.axes.barh(place, share or 0.0, width * 0.9, color=colour, label=short(label, LONGEST) if at == 0 else None)
                _write(sheet.axes, share or 0.0, place, _percent(share), small=True)
        _share_axis(sheet.axes, top * 1.2, x)
        _legend(sheet.axes, shown=True)
    return sheet.text[0]


def ratio_plot(
    rows: Sequence[tuple[str, str, Interval | None]], deck: Sequence[float | None], labels: tuple[str, str], x: str, title: str
) -> str:
    """Draw ratios with their intervals over the line of no difference; `labels`: of that line and of the deck's marks."""
    labelled = [f"{short(label, LONGEST)}\n\u00d7\u202f{one.value:.2f}" if one else label for label, _, one in rows]
    with _rows("ratio", title, labelled, 0.55, legend=2) as sheet:
        ends = [1.0, *(end for _, _, one in rows if one for end in (one.low, one.high)), *(value for value in deck if value is not None)]
        sheet.axes.axvline(1.0, color=FAINT, linewidth=1.0, linestyle=(0, (3, 2)), label=labels[0])
        marked = False
        for at, ((_, name, one), value) in enumerate(zip(rows, deck, strict=True)):
            if value is not None:
                label, marked = None if marked else labels[1], True
                sheet.axes.plot(value, at, **DECK, label=label)
            if one is None:
                _write(sheet.axes, 1.0, at, NONE)
                continue
            _reach(sheet.axes, at, one)
            sheet.axes.plot(one.value, at, GROUP_MARKERS.get(name, "o"), markersize=7, color=group_colour(name, at), zorder=4)
        low, high = min(ends), max(ends)
        sheet.axes.set_xlim(max(0.0, low - 0.1 * (high - low) - 0.05), high + 0.1 * (high - low) + 0.05)
        sheet.axes.xaxis.set_major_locator(MaxNLocator(6))
        sheet.axes.set_xlabel(x)
        _legend(sheet.axes, shown=True)
    return sheet.text[0]


def points_plot(name: str, rows: Sequence[Row], groups: Sequence[tuple[str, str]], x: str, title: str) -> str:
    """Draw a row of points with their intervals, a point a group; `groups` are (words, name)."""
    with _rows(name, title, [row.label for row in rows], 0.26 + 0.14 * len(groups), legend=len(groups)) as sheet:
        apart = 0.62 / len(groups)
        for number, (label, group) in enumerate(groups):
            colour, marker = group_colour(group, number), GROUP_MARKERS.get(group, OTHERS[number % len(OTHERS)][1])
            for at, row in enumerate(rows):
                place, one = at + (number - (len(groups) - 1) / 2) * apart, row.rates[number]
                if one is not None:
                    sheet.axes.plot([one.low, one.high], [place, place], color=colour, linewidth=1.6)
                    sheet.axes.plot(one.value, place, marker, color=colour, **POINT)
            sheet.axes.plot([], [], marker, color=colour, label=short(label, LONGEST), **POINT)
        for line in range(1, len(rows)):
            sheet.axes.axhline(line - 0.5, color="#eef1f4", linewidth=0.8, zorder=0)
        top = max((one.high for row in rows for one in row.rates if one), default=0.0) or 1.0
        _share_axis(sheet.axes, top * 1.06, x)
        _legend(sheet.axes, shown=True)
    return sheet.text[0]


def share_plot(parts: Sequence[Part], deck_label: str, x: str, title: str) -> str:
    """Draw each segment's share, with the deck's range beside it as a bracket."""
    with _rows("segments", title, [one.label for one in parts], 0.55, legend=1) as sheet:
        marked = False
        for at, one in enumerate(parts):
            sheet.axes.barh(at - 0.06, one.share, 0.5, color=SEGMENT_COLOURS.get(one.name, PLAIN))
            if one.deck:
                low, high = one.deck
                label, marked = None if marked else deck_label, True
                sheet.axes.plot([low, high], [at + 0.33] * 2, color=INK, linewidth=1.3, marker="|", markersize=7, label=label)
            _write(sheet.axes, one.share, at - 0.06, _percent(one.share), bold=True)
        top = max([one.share for one in parts] + [one.deck[1] for one in parts if one.deck], default=0.0) or 1.0
        _share_axis(sheet.axes, top * 1.18, x)
        _legend(sheet.axes, shown=marked)
    return sheet.text[0]


def benefit_plot(rows: Sequence[tuple[str, float]], x: str, title: str) -> str:
    """Draw the share of people a benefit was offered to."""
    with _rows("benefits", title, [label for label, _ in rows], 0.42, legend=0) as sheet:
        for at, (_, share) in enumerate(rows):
            sheet.axes.barh(at, share, 0.6, color=PLAIN)
            _write(sheet.axes, share, at, _percent(share), bold=True)
        _share_axis(sheet.axes, (max((share for _, share in rows), default=0.0) or 1.0) * 1.2, x)
    return sheet.text[0]


class Cell(NamedTuple):
    """One cell of the segment map: the segment's words and its name in the file, and what stands below."""

    label: str
    name: str
    below: str


def map_plot(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]], x: str, y: str, title: str) -> str:
    """Draw the segment map: a square a cell, the highest row on top."""
    with canvas("map", title, 0.9 + 0.92 * len(rows)) as sheet:
        axes = sheet.axes
        for at, row in enumerate(cells):
            for place, cell in enumerate(row):
                colour = SEGMENT_COLOURS.get(cell.name, PLAIN)
                axes.add_patch(Rectangle((place - 0.48, at - 0.47), 0.96, 0.94, color=colour, alpha=0.32, linewidth=0))
                axes.text(place, at + 0.13, short(cell.label, 13), ha="center", va="center", fontweight="bold", fontsize=10.5)
                axes.text(place, at - 0.2, cell.below, ha="center", va="center", fontsize=9.5)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(-0.5, len(rows) - 0.5)
        axes.set_xticks(range(len(columns)), [short(label, 13) for label in columns])
        axes.set_yticks(range(len(rows)), [short(label, 13) for label in rows])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
    return sheet.text[0]


def _wide(text: str) -> float:
    """Return a text's width in letters' heights, as a browser's font would draw it: this machine may have no font to measure with."""
    return sum(1.0 if east_asian_width(letter) in "WF" else 0.56 for letter in text)


@contextmanager
def _rows(name: str, title: str, labels: Sequence[str], height: float, *, legend: int) -> Iterator[Sheet]:
    """Give axes with one row a label, the first on top; height: of a row, in inches. legend: entries of the legend above.

    A label may have several lines.
    """
    labels = ["\n".join(short(line, LONGEST) for line in label.split("\n")) for label in labels]
    above = 0.08 + 0.22 * -(-legend // ACROSS)
    tall = height * max(len(labels), 1) + 0.5 + above
    with canvas(name, title, tall) as sheet:
        left = (SIZE * max((_wide(line) for label in labels for line in label.split("\n")), default=0.0) + 12.0) / UNIT
        sheet.axes.set_position((left, 0.5 / tall, 0.955 - left, (tall - 0.5 - above) / tall))
        sheet.axes.set_yticks(range(len(labels)), labels)
        sheet.axes.set_ylim(len(labels) - 0.5, -0.5)
        sheet.axes.tick_params(axis="y", length=0)
        sheet.axes.grid(axis="x")
        yield sheet


def _reach(axes: Axes, at: float, one: Interval) -> None:
    reach = [[one.value - one.low], [one.high - one.value]]
    axes.errorbar(one.value, at, xerr=reach, color=INK, capsize=3, linewidth=1.2, linestyle="none", zorder=3)


def _write(axes: Axes, x: float, y: float, text: str, *, bold: bool = False, small: bool = False) -> None:
    weight, size = "bold" if bold else "normal", 9.0 if small else SIZE
    axes.annotate(text, (x, y), (8, 0), textcoords="offset points", va="center", fontsize=size, fontweight=weight)


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f}\u202f%"


def _share_axis(axes: Axes, top: float, x: str) -> None:
    axes.set_xlim(0, top)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, 1 if top < 0.05 else 0))
    axes.set_xlabel(x)


def _legend(axes: Axes, *, shown: bool) -> None:
    if shown:
        spaces = {"borderaxespad": 0.2, "handletextpad": 0.5, "columnspacing": 1.6, "borderpad": 0.1}
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=ACROSS, **spaces)
