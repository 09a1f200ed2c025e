"""Group T and C: telco and coordinator against the bank."""

from __future__ import annotations

from attacked import label_trials as alone
from attacked import league_trials as league
from attacked import planted_strings
from attacked import poison_trials as poison
from attacked.catalogue import Line
from attacked.results import ALL, NONE, Gate, at_guess, at_least, at_most

SHOWN = Gate("more than none", lambda found: bool(found.hits))
NO_BETTER = Gate(
    "upper limit at most 0.01, and the report shows no gain",
    lambda found: found.high <= 0.01 and poison.SAYS in found.note and "beats" not in found.note,
)

LINES: tuple[Line, ...] = (
    Line(
        "T1a", "labels from all it sees", "telco", "blocked", "residuals in the clear",
        alone.labels_of_told_residuals, at_least(0.999), alone.labels_shipped, at_most(0.02),
    ),
    Line(
        "T1b", "labels from gradients of 20 rows", "telco", "blocked", "gradients in the clear, 20 rows, 20 variables",
        alone.labels_of_small_batches, ALL, alone.totals_in_the_telcos_view, NONE,
    ),
    Line(
        "T1c", "labels from gradients of 128 rows", "telco", "blocked", "gradients in the clear, 128 rows",
        alone.labels_of_larger_batches, at_least(0.05), alone.labels_shipped, at_most(0.02),
    ),
    Line(
        "T1d", "fields that two worlds of other labels differ in", "telco", "blocked", "residuals in the clear",
        alone.fields_of_told_residuals, SHOWN, alone.fields_shipped, NONE,
    ),
    Line(
        "T2a", "single row returned as a sum", "telco with coordinator", "printed", "both cheat: rows in place of sums",
        league.rows_in_place_of_sums, ALL, league.rows_by_difference, ALL, league.sentence_on_single_rows,
    ),
    Line(
        "T2b", "single row by difference, each alone", "telco", "blocked", "both in league, following the protocol",
        league.rows_by_difference, ALL, league.rows_by_the_telco_alone, NONE,
    ),
    Line(
        "T3a", "canary columns of one person, hidden weights", "telco", "blocked", "open weights, one-hot, no smallest bin",
        alone.single_canaries_coded_one_hot, at_least(0.999), alone.hidden_canaries, at_most(0.02),
    ),
    Line(
        "T3b", "canary columns of 50 people, hidden weights", "telco", "blocked", "open weights, one-hot, no smallest bin",
        alone.group_canaries_coded_one_hot, at_least(0.9), alone.hidden_group_canaries, at_most(0.02),
    ),
    Line(
        "T3c", "canary columns of one person, open weights", "telco", "blocked", "open weights, one-hot, no smallest bin",
        alone.single_canaries_coded_one_hot, at_least(0.999), alone.open_canaries, at_most(0.05),
    ),
    Line(
        "T3d", "variables that differ in one person, open weights", "telco", "printed", "none needed: the shipped code, open weights",
        alone.open_twins, ALL, alone.open_twins, ALL, alone.sentence_on_open_weights,
    ),
    Line(
        "T3e", "variables that differ in one person, hidden weights", "telco", "blocked", "open weights",
        alone.open_twins, ALL, alone.hidden_twins, NONE,
    ),
    Line(
        "T3f", "canary columns of 50 people, open weights", "telco", "printed", "open weights, one-hot, no smallest bin",
        alone.group_canaries_coded_one_hot, at_least(0.9), alone.open_group_canaries, at_most(0.05), alone.sentence_on_shares,
    ),
    Line(
        "T4", "which variables were kept", "telco", "blocked", "selection in the clear",
        alone.selection_shown, at_least(0.85), alone.selection_hidden, at_guess(),
    ),
    Line(
        "T5", "training row, hold-out or decoy", "telco", "blocked", "zeros sealed without rho",
        alone.kinds_of_naked_rows, at_least(0.999), alone.kinds_shipped, at_most(0.05),
    ),
    Line(
        "T6", "mix and replay", "telco", "blocked", "totals not checked",
        league.mixed_and_not_checked, ALL, league.mixed, NONE,
    ),
    Line(
        "T7a", "reaction to a row counted twice", "telco", "blocked", "visible abort",
        league.reactions_to_an_abort, ALL, league.reactions, at_guess(),
    ),
    Line(
        "T7b", "failed checks seen, open weights", "telco", "printed", "none needed: the shipped code, open weights",
        league.failures_under_open_weights, ALL, league.failures_under_open_weights, ALL, league.sentence_on_visible_failures,
    ),
    Line(
        "T7c", "failed checks seen, hidden weights", "telco", "blocked", "open weights",
        league.failures_under_open_weights, ALL, league.failures_under_hidden_weights, at_guess(),
    ),
    Line(
        "T9a", "as many totals as rows", "telco with coordinator", "blocked", "any number of totals: 1.75 a row",
        league.residuals_solved, ALL, league.residuals_refused, NONE,
    ),
    Line(
        "T9b", "one row under the bank's limit", "telco with coordinator", "blocked", "any number of totals",
        league.jobs_never_refused, ALL, league.jobs_refused, NONE,
    ),
    Line(
        "T9c", "10 rows a total, the fewest taken", "telco with coordinator", "printed", "any number of totals: 3 rows a total",
        league.nearer_rows, at_least(0.05), league.near_rows, at_least(0.02), league.sentence_on_many_totals,
    ),
    Line(
        "T10a", "poisoning: random codes", "telco", "printed", "none: honest codes, whose gain is seen",
        poison.honest_codes, at_least(0.01), poison.random_codes, NO_BETTER, poison.sentence_on_poison,
    ),
    Line(
        "T10b", "poisoning: codes inverted when scores are made", "telco", "printed", "none: honest codes, whose gain is seen",
        poison.honest_codes, at_least(0.01), poison.inverted_codes, NO_BETTER, poison.sentence_on_poison,
    ),
    Line(
        "C1a", "rows from totals", "coordinator", "blocked", "key-holding coordinator",
        league.rows_with_the_key, ALL, league.rows_from_totals, at_guess(),
    ),
    Line(
        "C1b", "identifiers, names, planted strings", "coordinator", "blocked", "column names for aliases",
        planted_strings.with_names, ALL, planted_strings.in_a_real_study, NONE,
    ),
)
