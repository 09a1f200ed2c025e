"""Group S: the bank against the telco's codes."""

from __future__ import annotations

from functools import partial

from attacked import aimed_measurements, aimed_trainings, code_trials, probed_scores
from attacked.catalogue import Line
from attacked.contract_sentences import printed
from attacked.probed_scores import SOLVES
from attacked.results import ALL, NONE, Gate, at_guess, at_least
from attacked.weak.no_min_class import without_min_class
from attacked.weak.open_sums import unmasked, without_top_noise
from attacked.weak.quiet_slots import without_noise, without_noise_above
from attacked.weak.unchecked_measurement import each_alone, unchecked
from attacked.weak.unrounded import any_weight, full_length, full_precision

MOST = at_least(0.8)
"""Of levels: where his is too small to be told, as some are, that hides him on the fixture as well."""
BEYOND_GUESSING = Gate("more than guessing: the sentence is true", lambda found: found.low > found.baseline)


def _two_sentences() -> str:
    """Return what is said of aimed totals, and of differences."""
    aimed = printed("can seal crafted rows and aim totals at single rows")()
    return f"{aimed} {printed('differ in a few customers', 'rounding and the cap on jobs bound it')()}"


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
        "S1m", "a measurement in which one person is sealed as many", "bank", "blocked", "totals held against nothing",
        partial(aimed_measurements.counted_often, around=unchecked), MOST, aimed_measurements.counted_often, NONE,
    ),
    Line(
        "S2", "label of one", "bank", "blocked", "no min_class",
        partial(code_trials.label_of_one, around=without_min_class), ALL, code_trials.label_of_one, NONE,
    ),
    Line(
        "S3a", "four targets in one training", "bank", "printed", "theta at full precision, all other checks on",
        partial(aimed_trainings.targets_read, count=4, ridge=aimed_trainings.HEAVY, around=full_precision, studies=(2, 15)), ALL,
        partial(aimed_trainings.targets_read, count=4, studies=(3, 15)), BEYOND_GUESSING, _two_sentences,
    ),
    Line(
        "S3b", "two targets in one training", "bank", "printed", "theta at full precision, all other checks on",
        partial(aimed_trainings.targets_read, count=2, ridge=aimed_trainings.HEAVY, around=full_precision, studies=(2, 15)), ALL,
        partial(aimed_trainings.targets_read, count=2, studies=(3, 15)), BEYOND_GUESSING, _two_sentences,
    ),
    Line(
        "S3c", "one target in one training", "bank", "printed", "theta at full precision, all other checks on",
        partial(aimed_trainings.targets_read, count=1, ridge=aimed_trainings.HEAVY, around=full_precision, studies=(2, 15)), ALL,
        partial(aimed_trainings.targets_read, count=1, studies=(3, 15)), BEYOND_GUESSING, _two_sentences,
    ),
    Line(
        "S3d", "one target, read from the length of theta after a pass", "bank", "blocked", "length at full precision, the card rounded",
        partial(aimed_trainings.targets_read, count=1, ridge=aimed_trainings.HEAVY, around=full_length, by_length=True, studies=(2, 15)),
        ALL,
        partial(aimed_trainings.targets_read, count=1, ridge=aimed_trainings.HEAVY, by_length=True, studies=(3, 15)), at_guess(),
    ),
    Line(
        "S3m", "a measurement's small level, by subtraction", "bank", "blocked", "each small level withheld by itself",
        partial(aimed_measurements.small_levels, around=each_alone), ALL, aimed_measurements.small_levels, NONE,
    ),
    Line(
        "S4", "all weight on one", "bank", "blocked", "no least weight of a group",
        partial(aimed_trainings.one_row_weighed, around=any_weight), at_least(0.75), aimed_trainings.one_row_weighed, NONE,
    ),
    Line(
        "S7a", "tables from elsewhere, altered, replayed", "bank", "blocked", "signatures not looked at",
        partial(probed_scores.forged, verify=probed_scores.unverified), ALL, probed_scores.forged, NONE,
    ),
    Line(
        "S7b", "probing table: whole code vectors", "bank as solver", "bounded", "no noise in the slots",
        partial(probed_scores.vectors_read, around=without_noise), ALL, probed_scores.vectors_read, NONE,
    ),
    Line(
        "S7c", "probing table above the last slot", "bank as solver", "blocked", "no noise in empty slots",
        partial(probed_scores.written_above, around=without_noise_above), ALL, probed_scores.written_above, NONE,
    ),
    Line(
        "S7d", "probing table aimed above the noise", "bank as solver", "printed", "no noise in the slots",
        partial(probed_scores.vectors_read, around=without_noise), ALL, probed_scores.bits_read, probed_scores.AS_TOLD,
        printed("bits a person from every table of points that it seals", **SOLVES),
    ),
    Line(
        "S9", "coordinator with bank", "bank and coordinator", "printed", "no noise above the declared slots",
        partial(code_trials.by_a_league, around=without_top_noise), ALL, code_trials.up_to_the_declared_bits, ALL,
        printed("Coordinator and bank together can read the telco's codes"),
    ),
)
