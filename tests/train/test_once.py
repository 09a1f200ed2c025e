"""Before anything is answered, whoever keeps the job is asked about what the answer hangs on; the same content has the same digest."""

from __future__ import annotations

import pytest
from loopback_study import Wire, make_study, replace, tampered

from tandem.errors import OtherContent
from tandem.train import sealer
from tandem.wire.messages import Own, Statistics

ANSWERS = {
    "describe solver": {"Statistics"}, "train solver": {"Statistics", "Step"}, "train summer": {"Scores"}, "card summer": {"Scores"},
}


def study(count=1200, **how):
    return replace(make_study(count, passes=1), **how)


def play(one, script):
    if script == "describe":
        return one.describe()
    progress, known = one.train()
    return one.card(known) if script == "card" else (progress, known)


def refusing(name):
    def once(digest, items=1):
        raise OtherContent(f"{len(digest)} bytes, {items}")

    return lambda asked: once if asked == name else lambda *_: None


@pytest.mark.parametrize("name", list(ANSWERS))
def test_nothing_is_answered_that_the_keeper_of_the_job_refuses(name):
    script, wire = name.split()[0], Wire()
    one = study(once=refusing(name), alter=wire)
    if name.endswith("solver"):
        # The sealer is told, and the summer is not: to it all goes on as always (T7).
        results = play(one, script)
        told = results["solver"] if script == "describe" else results[1].failed
        assert told == "32 bytes, 1"
        assert {len(message.bins) for message in wire.messages(Statistics)} == {0}
        return
    with pytest.raises(OtherContent, match="32 bytes, 1"):
        play(one, script)
    answers = [kind for _, _, kind, _ in wire.view(name.split()[1]) if kind in ANSWERS[name]]
    assert len(answers) == (1 if script == "card" else 0)  # a card comes after a pass, whose scores were answered


@pytest.mark.parametrize("name", ["train summer", "card summer"])
def test_open_scores_hang_on_the_points_as_sealed_ones_on_their_table(name):
    opened = {"terms": replace(study().terms, open_weights=True)}
    script, wire = name.split()[0], Wire()
    with pytest.raises(OtherContent, match="32 bytes, 1"):
        play(study(**opened, once=refusing(name), alter=wire), script)
    assert sum(kind == "OpenScores" for _, _, kind, _ in wire.view("summer")) == (1 if script == "card" else 0)
    one = study()
    y = one.rows.y.copy()
    y[one.rows.train.argmax()] ^= 1
    assert digests(name, **opened) == digests(name, **opened) != digests(name, **opened, rows=replace(one.rows, y=y))


def digests(name, **how):
    found = []
    one = study(**how)
    one = replace(one, once=lambda asked: lambda digest, *_: found.append(digest) if asked == name else None)
    play(one, name.split()[0])
    return found


@pytest.mark.parametrize("name", list(ANSWERS))
def test_a_step_played_again_with_fresh_randomness_hangs_on_the_same(name):
    """Seals, masks and session ids differ; the solver's and the summer's kept seeds do not."""
    one = study()
    kept = one.chance

    def fresh(self, *label):
        return kept(*label) if label[0] in {"solver", "kept"} else kept("again", *label)

    first, second = digests(name), []
    again = replace(one, once=lambda asked: lambda digest, *_: second.append(digest) if asked == name else None)
    again.chance = fresh.__get__(again)
    play(again, name.split()[0])
    assert first == second
    assert len(first) == 1


@pytest.mark.parametrize("name", ["describe solver", "train solver", "train summer"])
def test_other_labels_are_another_content(name):
    one = study()
    y = one.rows.y.copy()
    y[one.rows.train.argmax()] ^= 1
    assert digests(name) != digests(name, rows=replace(one.rows, y=y))


def test_another_wish_and_another_own_block_are_another_content():
    assert digests("describe solver") != digests("describe solver", choice=sealer.Choice(min_iv=0.01))

    def corrupt(name, _, role):
        said = tampered(role, said=lambda one: replace(one, ridge=2 * one.ridge) if isinstance(one, Own) else one)
        return said if name == "sealer" else role

    assert digests("train solver") != digests("train solver", corrupt=corrupt)
