"""Whoever plays the solver, and whoever dials it: the study ends with the same numbers, bit for bit."""

from __future__ import annotations

import numpy as np
from loopback_study import Study, make_study

from tandem.train import script


def ended(study):
    progress, known = study.train()
    card = study.card(known)
    return progress, known, card["sealer"], card["summer"][1].digest


def test_a_solver_that_dials_the_summer_gives_the_same_theta_and_scores_bit_for_bit(monkeypatch):
    one = ended(make_study(800, passes=2, min_bin=20, min_class=5))
    play = Study.play
    turned = []

    def from_the_bank(study, played: script.Script, here, roles):
        turned.append(played.turned(lambda role: role == "summer"))
        return play(study, turned[-1], here, roles)

    monkeypatch.setattr(Study, "play", from_the_bank)
    other = ended(make_study(800, passes=2, min_bin=20, min_class=5))
    assert {each.dials for each in turned} == {(("sealer", "summer"), ("sealer", "solver"), ("solver", "summer"))}
    assert np.array_equal(one[0].theta, other[0].theta)
    assert np.array_equal(one[0].scores, other[0].scores)
    assert (one[1].final, one[2].theta, one[2].points, one[3]) == (other[1].final, other[2].theta, other[2].points, other[3])
    assert np.array_equal(one[2].row_points, other[2].row_points)
