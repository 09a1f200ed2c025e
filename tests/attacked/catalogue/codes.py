"""Group S: the bank against the telco's codes."""

from __future__ import annotations

from functools import partial

from attacked import code_trials
from attacked.catalogue import Line
from attacked.contract_sentences import printed
from attacked.results import ALL, NONE
from attacked.weak.no_min_class import without_min_class
from attacked.weak.open_sums import unmasked, without_top_noise

SOLVES = {"layout": {"solver": "bank"}, "coordinator": None}
"""A contract in which the bank solves for itself."""

LINES: tuple[Line, ...] = (
    Line(
        "S1a", "numbered rows", "bank", "blocked", "sums opened by the bank, unchecked",
        partial(code_trials.by_the_bank, around=unmasked), ALL, code_trials.by_the_bank, NONE,
    ),
    Line(
        "S1b", "numbered rows, the bank its own solver", "bank", "printed", "no noise above the declared slots",
        partial(code_trials.by_a_league, around=without_top_noise), ALL, code_trials.up_to_the_declared_bits, ALL,
        printed("A bank that cheats can read bins of the roster, as chosen bits of single rows in every sum", **SOLVES),
    ),
    Line(
        "S2", "label of one", "bank", "blocked", "no min_class",
        partial(code_trials.label_of_one, around=without_min_class), ALL, code_trials.label_of_one, NONE,
    ),
    Line(
        "S9", "coordinator with bank", "bank and coordinator", "printed", "no noise above the declared slots",
        partial(code_trials.by_a_league, around=without_top_noise), ALL, code_trials.up_to_the_declared_bits, ALL,
        printed("Coordinator and bank together can read the telco's codes"),
    ),
)
