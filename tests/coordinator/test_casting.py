"""The coordinator holds rosters, stages and contracts too, and goes on from what it kept, one pass back at most."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from measured_site import make_measured
from three_parties import CUSTOMERS, make_coordinator, make_site

from tandem.contract import COORDINATOR
from tandem.errors import ContractError, Enumeration, OtherContent, OutOfTurn, Replayed
from tandem.node import checkpoints
from tandem.node.casting import VERSION
from tandem.node.ledger_store import Ledger
from tandem.train.solver import Known
from tandem.wire.messages import Opening

SESSION = bytes(16)
TRAIN = Opening(VERSION, "train", 1, ("rows",), (300,), bytes(range(32)))
SECOND, CARD, LOOK = replace(TRAIN, stage=2), replace(TRAIN, script="card", stage=3), replace(TRAIN, script="describe", stage=0)


class Node:
    """A coordinator with its ledger; `again` starts it anew on the same folder."""

    def __init__(self, site):
        self.site, self.told, self.job, self.attempt = site, [], bytes(16), 0
        self.start()

    def start(self):
        self.ledger = Ledger(self.site.folder(COORDINATOR) / "ledger.sqlite")
        self.node = make_coordinator(self.site, self.ledger, self.told.append, seed=f"{self.attempt}".encode())

    def again(self):
        self.ledger.close()
        self.start()

    def opening(self, opening):
        self.attempt += 1
        return replace(opening, job=self.job, attempt=self.attempt)

    def cast(self, opening):
        return self.node.cast(self.site.contract, SESSION, self.opening(opening))

    def close(self):
        self.ledger.close()


def known(value):
    return Known(theta_b=np.full(2, float(value)))


def begins_from(cast):
    """Return what the solver starts from: theta_b tells."""
    return cast.playing.gi_frame.f_locals["known"].theta_b.tolist()


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, layout={"passes": 2})


@pytest.fixture
def node(site):
    with closing(Node(site)) as node:
        yield node


def test_stages_follow_each_other_and_a_job_begins_at_its_first_pass(node):
    for opening in (SECOND, replace(TRAIN, stage=0), CARD):
        with pytest.raises(OutOfTurn):
            node.cast(opening)
    node.cast(TRAIN).finish(Known())
    node.cast(SECOND).finish(Known())
    assert node.cast(CARD).script.name == "card"
    node.job = b"another job, new"
    for opening in (SECOND, CARD):
        with pytest.raises(OutOfTurn, match="a job that is not known here"):
            node.cast(opening)
    node.cast(TRAIN).finish(Known())
    node.cast(SECOND)


def test_a_look_is_one_look_a_job_under_whatever_number_it_is_opened(node, tmp_path):
    """S3: other labels, or other results, under another stage would be another look that no cap counts."""
    assert node.cast(LOOK).role == "solver"
    for stage in (1, 7):
        with pytest.raises(OutOfTurn, match=f"describe as stage {stage}, where it is stage 0"):
            node.cast(replace(LOOK, stage=stage))
    with closing(Node(make_measured(tmp_path / "measured"))) as measuring:
        measure = replace(LOOK, script="measure")
        assert measuring.cast(measure).role == "solver"
        with pytest.raises(OutOfTurn, match="measure as stage 1, where it is stage 0"):
            measuring.cast(replace(measure, stage=1))


def test_exact_errors_come_before_the_card(tmp_path):
    errors = replace(TRAIN, script="errors", stage=2)
    with closing(Node(make_site(tmp_path, layout={"passes": 1, "se": "exact"}))) as node:
        for early in (errors, replace(errors, stage=1)):
            with pytest.raises(OutOfTurn):
                node.cast(early)
        node.cast(TRAIN).finish(known(1))
        with pytest.raises(OutOfTurn):
            node.cast(replace(CARD, stage=2))
        made = node.cast(errors)
        assert (made.script.name, made.role) == ("errors", "solver")
        made.finish(known(2))
        node.again()
        again = node.cast(errors)  # the bank did not keep that it was played
        assert begins_from(again) == [1.0, 1.0]
        again.finish(known(2))
        assert node.cast(CARD).script.name == "card"


def test_another_roster_is_another_job(node):
    node.cast(TRAIN).finish(Known())
    with pytest.raises(OutOfTurn, match="another roster"):
        node.cast(replace(SECOND, roster=bytes(32)))


def test_after_a_restart_the_job_goes_on_from_what_was_known(node):
    node.cast(TRAIN).finish(known(1))
    node.again()
    assert begins_from(node.cast(SECOND)) == [1.0, 1.0]
    node.again()
    node.cast(SECOND).finish(known(2))
    node.again()
    assert begins_from(node.cast(CARD)) == [2.0, 2.0]


def test_a_pass_that_the_bank_did_not_keep_is_played_again_from_where_it_began(node):
    node.cast(TRAIN).finish(known(1))
    node.cast(SECOND).finish(known(2))
    node.again()
    again = node.cast(SECOND)
    assert begins_from(again) == [1.0, 1.0]
    again.finish(known(2))
    assert begins_from(node.cast(CARD)) == [2.0, 2.0]


def test_once_a_stage_has_begun_the_one_before_is_closed(node):
    """Else a bank could see a pass's answer, go back, polish otherwise, and see another (S3)."""
    node.cast(TRAIN).finish(known(1))
    node.cast(TRAIN).finish(known(1))
    node.cast(SECOND)
    with pytest.raises(OutOfTurn):
        node.cast(TRAIN)
    node.cast(SECOND).finish(known(2))
    with pytest.raises(OutOfTurn):
        node.cast(TRAIN)


def test_a_session_that_was_superseded_keeps_nothing(node):
    old, new = node.cast(TRAIN), node.cast(TRAIN)
    with pytest.raises(OutOfTurn, match="given up"):
        old.finish(known(7))
    new.finish(known(1))
    with pytest.raises(OutOfTurn, match="given up"):
        old.finish(known(7))
    assert begins_from(node.cast(SECOND)) == [1.0, 1.0]


def test_an_attempt_number_is_used_once(node):
    node.cast(TRAIN)
    node.attempt -= 1
    with pytest.raises(Replayed, match="attempt 1 of a job whose attempt 1 was seen"):
        node.cast(TRAIN)


def test_a_step_is_begun_so_often_and_no_more(node):
    for _ in range(checkpoints.ATTEMPTS):
        node.cast(TRAIN)
    node.again()
    with pytest.raises(ContractError, match=f"step train-1 was begun {checkpoints.ATTEMPTS} times"):
        node.cast(TRAIN)


@pytest.mark.parametrize("opening", [TRAIN, LOOK])
def test_a_step_tells_what_hangs_on_one_content(node, opening):
    """A cheating bank that plays a step again with other labels gets no second answer, nor after a restart."""
    node.cast(opening).playing.gi_frame.f_locals["once"](b"these totals")
    node.again()
    once = node.cast(opening).playing.gi_frame.f_locals["once"]
    once(b"these totals")
    with pytest.raises(OtherContent):
        once(b"other totals")


def test_the_roster_has_its_cap_and_its_digest_one_width(node):
    with pytest.raises(Enumeration, match=f"a roster of {CUSTOMERS + 1}, caps.roster is {CUSTOMERS}"):
        node.cast(replace(TRAIN, sizes=(CUSTOMERS + 1,)))
    for width in (0, 31, 33, 64):
        with pytest.raises(OutOfTurn, match="wrong width"):
            node.cast(replace(TRAIN, roster=bytes(width)))


def test_a_scoring_contract_needs_no_solver(node):
    node.site.amend({"kind": "scoring", "training": "11" * 32, "card": "22" * 32})
    with pytest.raises(ContractError, match="it needs no solver"):
        node.cast(TRAIN)


def test_a_failed_check_is_told_to_the_operator(node):
    node.cast(TRAIN).finish(Known(failed="variable t01: its bins do not add up"))
    node.cast(LOOK).finish("")
    node.cast(LOOK).finish("a bin is negative")
    assert node.told == [
        f"contract {node.site.contract.id[:8]}: CHECK FAILED: variable t01: its bins do not add up",
        f"contract {node.site.contract.id[:8]}: CHECK FAILED: a bin is negative",
    ]
