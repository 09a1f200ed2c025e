"""A script is a table: every wrong order of it is refused, in speaking and in listening."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from puppets import OPENING, SAMPLES, legal, puppet, session, walk, whole

from tandem.align.script import ALIGN
from tandem.errors import LocalProtocolError, OutOfTurn, TandemError
from tandem.measure.script import MEASURE
from tandem.plan.script import PLAN, PLAN_SOLVER
from tandem.session.loopback import converse
from tandem.session.script import Script, Turn, many, one, say
from tandem.session.session import Send, Wait
from tandem.train.script import CARD, DESCRIBE, ERRORS, OPEN, SERVE, TRAIN
from tandem.wire.codec import MESSAGES, Frame, encode
from tandem.wire.messages import Answer, End, Opening, Polish, Query, Roster, Shelved, Tags

SMALL = Script(
    "small",
    (("left", "right"),),
    (
        one(say("left", "right", Tags)),
        many(say("left", "right", Query), say("right", "left", Answer)),
        many(say("right", "left", Shelved)),
        one(say("left", "right", Roster), say("right", "left", Polish)),
    ),
)
ALL = (SMALL, ALIGN, DESCRIBE, TRAIN, ERRORS, CARD, SERVE, MEASURE, PLAN, PLAN_SOLVER, *OPEN.values())


WRONG = 10_000


def turns_of(script):
    return list(dict.fromkeys(turn for line in script.lines for turn in line.turns))


def reversed_turn(turn):
    return Turn(turn.listener, turn.speaker, turn.message)


def accepted(script, turns):
    try:
        walk(script, turns)
    except (LocalProtocolError, OutOfTurn):  # whichever end notices first
        return False
    return True


@pytest.mark.parametrize("script", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_a_whole_conversation_is_played_to_its_end(script, rounds):
    turns = whole(script, rounds)
    assert legal(script, turns)
    heard = walk(script, turns)
    assert {role: len(messages) for role, messages in heard.items()} == {
        role: sum(turn.listener == role for turn in turns) for role in script.roles
    }


def test_every_order_of_a_small_script_up_to_six_turns():
    words = 0
    for length in range(7):
        for word in product(turns_of(SMALL), repeat=length):
            fit = legal(SMALL, list(word))
            # A word that does not start as the script does is refused at its first turn: enough of them are tried at shorter lengths.
            if length > 4 and not fit and word[0] != turns_of(SMALL)[0]:
                continue
            assert accepted(SMALL, list(word)) == fit, word
            words += fit
    assert words == 6  # Tags (Query Answer)^i Shelved^j Roster Polish with 2 i + j <= 3


def test_every_order_of_an_alignment_up_to_five_turns():
    for length in range(6):
        for word in product(turns_of(ALIGN), repeat=length):
            if length == 5 and word[0].message not in (Tags, Shelved):
                continue
            assert accepted(ALIGN, list(word)) == legal(ALIGN, list(word)), word


@pytest.mark.parametrize("script", [SMALL, ALIGN], ids=lambda s: s.name)
def test_no_turn_may_go_the_other_way(script):
    right = whole(script)
    for at, turn in enumerate(right):
        assert not accepted(script, [*right[:at], reversed_turn(turn), *right[at + 1 :]])


def mutants(script):
    right = whole(script)
    for at in range(len(right)):
        yield right[:at] + right[at + 1 :]
        yield [*right[: at + 1], *right[at:]]
        yield right[:at]
        if at:
            yield [*right[: at - 1], right[at], right[at - 1], *right[at + 1 :]]
        for other in turns_of(script):
            yield [*right[:at], other, *right[at + 1 :]]
            yield [*right[:at], other, *right[at:]]


@pytest.mark.parametrize("script", [TRAIN, CARD, DESCRIBE, OPEN["card"]], ids=lambda s: s.name)
def test_a_turn_left_out_doubled_swapped_or_replaced_is_refused(script):
    seen = {True: 0, False: 0}
    for turns in mutants(script):
        fit = legal(script, turns)
        assert accepted(script, turns) == fit, [turn.message.__name__ for turn in turns]
        seen[fit] += 1
    assert seen[False] > 5 * seen[True] > 0


def bent(script, rng):
    """Return a conversation of `script` with one thing wrong in it: a turn skipped, repeated, or changed for another; and which it was."""
    turns = whole(script, rng.randint(1, 3))
    at, other = rng.randrange(len(turns)), rng.randrange(len(turns))
    how = rng.choice(["skip", "repeat", "swap"])
    if how == "skip":
        return how, turns[:at] + turns[at + 1 :]
    if how == "repeat":
        return how, [*turns[:other], turns[at], *turns[other:]]
    turns[at], turns[other] = turns[other], turns[at]
    return how, turns


def of_another_session(script, rng):
    """Play `script` to a frame that is of another session, and return whether it was accepted."""
    at, count = rng.randrange(len(whole(script))), iter(range(1000))

    def stray(_speaker, _listener, data):
        return replace(Frame.from_bytes(data), session=rng.randbytes(16)).to_bytes() if next(count) == at else data

    try:
        walk(script, whole(script), stray)
    except TandemError:
        return False
    return True


def test_of_ten_thousand_wrong_orders_none_is_accepted():
    """Those that happen to be right, such as the swap of two equal turns, are the control: each is accepted."""
    rng = random.Random(58)
    wrong, right, taken = Counter(), 0, []
    while wrong.total() < WRONG:
        script = rng.choice([SMALL, ALIGN, DESCRIBE, CARD, SERVE, MEASURE])
        if rng.random() < 1 / 4:
            how, turns, got = "other session", None, of_another_session(script, rng)
        else:
            how, turns = bent(script, rng)
            got = accepted(script, turns)
        if turns is not None and legal(script, turns):
            assert got
            right += 1
            continue
        wrong[how] += 1
        taken += [(script.name, how)] if got else []
    assert taken == []
    assert wrong.total() == WRONG
    assert min(wrong[how] for how in ("skip", "repeat", "swap", "other session")) > WRONG // 10
    assert right > WRONG // 100


@pytest.mark.parametrize("script", [SMALL, ALIGN, TRAIN], ids=lambda s: s.name)
def test_a_frame_of_any_other_kind_or_line_is_out_of_turn_wherever_it_comes(script):
    """Number, history and speaker are right, so nothing but the script stands against it."""
    for role in script.roles:
        honest = record(script, role)
        waits = [at for at, act in enumerate(honest) if isinstance(act, bytes)]
        for at in waits:
            frame = Frame.from_bytes(honest[at])
            others = [replace(frame, kind=name, payload=encode(SAMPLES[name])) for name in MESSAGES if name != frame.kind]
            others += [replace(frame, line=frame.line + step) for step in (1, 2, 7)]
            others += [replace(frame, line=frame.line - 1)] if frame.line else []
            for wrong in others:
                if wrong.kind == End.__name__ and may_end(script, frame):
                    continue
                with pytest.raises(OutOfTurn):
                    replay(script, role, [*honest[:at], wrong.to_bytes()])


def may_end(script, frame):
    line = script.lines[frame.line] if frame.line < len(script.lines) else None
    first = line is not None and line.repeats and any(t.message.__name__ == frame.kind for t in line.turns)
    return first and frame.kind != Opening.__name__


def record(script, role):
    """Return the acts of `role` in an honest conversation: Send, or the bytes that came."""
    acts = []

    class Recorded:
        def __init__(self, run):
            self.run_of = run

        def run(self, playing):
            step = self.run_of(playing)
            given = None
            while True:
                try:
                    act = step.send(given)
                except StopIteration as stop:
                    return stop.value
                given = yield act
                acts.append(given if isinstance(act, Wait) else act)

    turns = whole(script)
    sessions = {name: (session(script, name), puppet(name, turns)) for name in script.roles}
    one_session, playing = sessions[role]
    sessions[role] = (Recorded(one_session.run), playing)
    converse(sessions)
    return acts


def replay(script, role, acts):
    """Give `role` the recorded bytes once more."""
    run = session(script, role).run(puppet(role, whole(script)))
    given = None
    for expected in acts:
        act = run.send(given)
        given = expected if isinstance(expected, bytes) else None
        assert isinstance(act, Send) == (given is None)
    return run.send(given)


def test_hearing_the_end_gives_none_once():
    heard = []

    def right():
        yield Tags
        while (part := (yield Query)) is not None:
            heard.append(part)
            yield SAMPLES["Answer"]
        heard.append(None)
        yield SAMPLES["Shelved"]
        yield Roster
        yield SAMPLES["Polish"]

    left = puppet("left", whole(SMALL, 2)[:5] + whole(SMALL)[3:])
    assert converse({"left": (session(SMALL, "left"), left), "right": (session(SMALL, "right"), right())})["left"]
    assert heard == [SAMPLES["Query"]] * 2 + [None]


def test_listening_again_after_the_end_is_our_own_error():
    def right():
        yield Tags
        while (yield Query):
            yield SAMPLES["Answer"]
        yield Query

    with pytest.raises(LocalProtocolError, match="before Roster"):
        converse({"left": (session(SMALL, "left"), puppet("left", whole(SMALL))), "right": (session(SMALL, "right"), right())})


def test_the_end_does_not_come_in_the_middle_of_a_round():
    """`right` owes an answer: an End in its place is out of turn."""
    def strays(speaker, _listener, data):
        frame = Frame.from_bytes(data)
        return replace(frame, kind="End", payload=b"").to_bytes() if (speaker, frame.kind) == ("right", "Answer") else data

    with pytest.raises(OutOfTurn, match="'End'"):
        walk(SMALL, whole(SMALL), strays)


@pytest.mark.parametrize("script", ALL, ids=lambda s: s.name)
def test_a_role_that_ends_early_is_told_what_it_left_out(script):
    role = script.roles[0]
    turns = whole(script)
    for at in range(len(turns)):
        if legal(script, turns[:at]):
            continue
        mine = [turn for turn in turns[:at] if role in (turn.speaker, turn.listener)]
        if mine == [turn for turn in turns if role in (turn.speaker, turn.listener)]:
            continue
        with pytest.raises((LocalProtocolError, OutOfTurn)):
            converse({name: (session(script, name), puppet(name, turns[:at] if name == role else turns)) for name in script.roles})


def test_nothing_leaves_a_role_that_strays():
    sent = []
    for wrong in (SAMPLES["Scores"], SAMPLES["Answer"], End(), "text", 7, Answer, End, str, None):
        run = session(SMALL, "left", tap=lambda seen: sent.append(seen.kind)).run(iter_role(wrong))
        assert run.send(None).peer == "right"
        with pytest.raises(LocalProtocolError):
            run.send(None)
    assert set(sent) == {"Opening"}


def iter_role(first):
    yield first


def test_the_role_is_closed_when_the_session_ends_early():
    closed = []

    def role():
        try:
            yield SAMPLES["Scores"]
        finally:
            closed.append(True)

    run = session(SERVE, "summer").run(role())
    left = record(SERVE, "summer")
    run.send(None)
    run.send(next(act for act in left if isinstance(act, bytes)))
    run.close()
    assert closed == [True]


def test_a_driver_must_give_what_is_awaited():
    run = session(SMALL, "right").run(puppet("right", whole(SMALL)))
    assert run.send(None) == Wait("left")
    with pytest.raises(LocalProtocolError, match="gave no frame"):
        run.send(None)


def test_openings_that_differ_are_refused_whatever_differs():
    for change in (
        {"version": "2"}, {"script": "other"}, {"stage": 4}, {"sizes": (8,)}, {"size_names": ("ids",)}, {"roster": bytes(31) + b"\1"},
    ):
        for role in ("sealer", "summer"):
            with pytest.raises(OutOfTurn, match="different sizes"):
                walk(TRAIN, whole(TRAIN), openings={role: replace(OPENING, **change)})


def test_who_dials_whom():
    assert TRAIN.roles == ("sealer", "summer", "solver")
    assert TRAIN.peers("summer") == ("sealer", "solver")
    assert TRAIN.called_by("sealer") == ("summer", "solver")
    assert TRAIN.called_by("solver") == ()
    assert whole(SMALL)[0].other("left") == "right"
    assert whole(SMALL)[0].other("right") == "left"


def test_the_picture_is_the_table():
    assert SMALL.picture().splitlines() == [
        "     left -> right   Tags",
        "*    left -> right   Query",
        "|   right -> left    Answer",
        "*   right -> left    Shelved",
        "     left -> right   Roster",
        "    right -> left    Polish",
    ]
    for script in ALL:
        assert len(script.picture().splitlines()) == sum(len(line.turns) for line in script.lines)


def test_no_script_lets_the_sealer_hear_masks_or_the_summer_hear_what_hangs_on_labels():
    for script in ALL[1:]:
        heard = {role: {turn.message.__name__ for turn in whole(script) if turn.listener == role} for role in script.roles}
        assert not heard.get("sealer", set()) & {"Masks", "Pairs", "Table", "Opened"}
        points = {"Points"} if script in OPEN.values() else set()
        assert heard.get("summer", set()) <= {"Key", "Sealed", "Table", "Signature", "Probe"} | points


def test_roles_that_do_not_follow_the_script_wait_for_each_other_no_longer_than_the_loopback():
    crossed = Script("crossed", (("left", "right"),), (one(say("left", "right", Tags)),))
    runs = {role: (session(crossed, role), iter_role(Tags if role == "right" else SAMPLES["Tags"])) for role in crossed.roles}
    runs["left"] = (Mute(), iter_role(Tags))
    with pytest.raises(LocalProtocolError, match="every role waits"):
        converse(runs)


class Mute:
    """A session that only listens."""

    def run(self, _):
        yield Wait("right")
