"""The coordinator holds rosters, stages and contracts too, and forgets a job with the process."""

from __future__ import annotations

from dataclasses import replace

import pytest
from three_parties import CUSTOMERS, make_coordinator, make_site

from tandem.errors import ContractError, Enumeration, OutOfTurn
from tandem.node.casting import VERSION
from tandem.train.solver import Known
from tandem.wire.messages import Opening

SESSION = bytes(16)
TRAIN = Opening(VERSION, "train", 1, ("rows",), (300,), bytes(range(32)))


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, layout={"passes": 2})


def cast(node, site, opening):
    return node.cast(site.contract, SESSION, opening)


def test_stages_follow_each_other_and_a_new_first_pass_begins_a_new_job(site):
    node = make_coordinator(site)
    for opening in (replace(TRAIN, stage=2), replace(TRAIN, stage=0), replace(TRAIN, script="card", stage=3)):
        with pytest.raises(OutOfTurn):
            cast(node, site, opening)
    cast(node, site, TRAIN).finish(Known())
    cast(node, site, replace(TRAIN, stage=2)).finish(Known())
    with pytest.raises(OutOfTurn):
        cast(node, site, replace(TRAIN, stage=2))
    assert cast(node, site, replace(TRAIN, script="card", stage=3)).script.name == "card"
    cast(node, site, TRAIN).finish(Known())
    cast(node, site, replace(TRAIN, stage=2))


def test_exact_errors_come_before_the_card(tmp_path):
    site = make_site(tmp_path, layout={"passes": 1, "se": "exact"})
    node = make_coordinator(site)
    errors = replace(TRAIN, script="errors", stage=2)
    for early in (errors, replace(errors, stage=1)):
        with pytest.raises(OutOfTurn):
            cast(node, site, early)
    cast(node, site, TRAIN).finish(Known())
    with pytest.raises(OutOfTurn):
        cast(node, site, replace(TRAIN, script="card", stage=2))
    made = cast(node, site, errors)
    assert (made.script.name, made.role) == ("errors", "solver")
    made.finish(Known())
    assert cast(node, site, replace(TRAIN, script="card", stage=3)).script.name == "card"


def test_another_roster_is_another_job(site):
    node = make_coordinator(site)
    cast(node, site, TRAIN).finish(Known())
    with pytest.raises(OutOfTurn):
        cast(node, site, replace(TRAIN, stage=2, roster=bytes(32)))


def test_a_session_that_failed_can_be_played_again(site):
    node = make_coordinator(site)
    for opening in (TRAIN, replace(TRAIN, stage=2)):
        failed, again = cast(node, site, opening), cast(node, site, opening)
        assert (again.role, again.script) == (failed.role, failed.script) == ("solver", failed.script)
        assert again.playing is not failed.playing
        again.finish(Known())
    with pytest.raises(OutOfTurn):  # what ended well is not played again
        cast(node, site, replace(TRAIN, stage=2))


def test_the_roster_has_its_cap_and_its_digest_one_width(site):
    node = make_coordinator(site)
    with pytest.raises(Enumeration, match=f"a roster of {CUSTOMERS + 1}, caps.roster is {CUSTOMERS}"):
        cast(node, site, replace(TRAIN, sizes=(CUSTOMERS + 1,)))
    for width in (0, 31, 33, 64):
        with pytest.raises(OutOfTurn, match="wrong width"):
            cast(node, site, replace(TRAIN, roster=bytes(width)))


def test_a_scoring_contract_needs_no_solver(site):
    site.amend({"kind": "scoring", "training": "11" * 32, "card": "22" * 32})
    with pytest.raises(ContractError, match="it needs no solver"):
        cast(make_coordinator(site), site, TRAIN)


def test_a_failed_check_is_told_to_the_operator(site):
    told = []
    node = make_coordinator(site, told.append)
    cast(node, site, TRAIN).finish(Known(failed="variable t01: its bins do not add up"))
    cast(node, site, replace(TRAIN, script="describe", stage=0)).finish("")
    cast(node, site, replace(TRAIN, script="describe", stage=0)).finish("a bin is negative")
    assert told == [
        f"contract {site.contract.id[:8]}: CHECK FAILED: variable t01: its bins do not add up",
        f"contract {site.contract.id[:8]}: CHECK FAILED: a bin is negative",
    ]
