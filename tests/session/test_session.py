"""What a network or a peer may do to frames, and the name of the refusal; how the closing finds two stories told."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from puppets import CONTRACT, OPENING, SAMPLES, SESSION, walk, whole

from tandem.align.script import ALIGN
from tandem.errors import LocalProtocolError, Malformed, OutOfTurn, Oversized, Reflected, RemoteProtocolError, Replayed
from tandem.ledger.disclosure import declared
from tandem.session.session import START, Session
from tandem.session.tap import Tapped
from tandem.train.script import TRAIN
from tandem.wire.codec import ENVELOPE_LIMIT, MESSAGES, Frame, decode, encode
from tandem.wire.messages import Closing, Tags

TURNS = whole(ALIGN, 2)


def frames(script=ALIGN, turns=None):
    """Return every (speaker, listener, frame) of an honest conversation, in order."""
    found = []

    def note(*act):
        found.append(act)
        return act[2]

    walk(script, turns or whole(script, 2), note)
    return found


HONEST = frames()


def at(number, change):
    """Return an Alter that changes frame `number` of the conversation; `change` takes the frame and all before it."""
    passed = []

    def alter(speaker, listener, data):
        passed.append((speaker, listener, data))
        return change(data, passed[:-1]) if len(passed) == number + 1 else data

    return alter


def fields(**changes):
    """Return a change of header fields; the payload's digest is made to fit again."""
    return lambda data, _: replace(Frame.from_bytes(data), **changes).to_bytes()


EVERY = pytest.mark.parametrize("number", range(len(HONEST)))


def refused(number, change, error):
    with pytest.raises(error) as found:
        walk(ALIGN, TURNS, at(number, change))
    return found.value


@EVERY
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"contract": bytes(32)}, Replayed),
        ({"session": bytes(16)}, Replayed),
        ({"previous": hashlib.sha256(b"another history").digest()}, Replayed),
        ({"number": 77}, Replayed),
        ({"speaker": "solver"}, OutOfTurn),
        ({"speaker": ""}, OutOfTurn),
        ({"line": 9}, OutOfTurn),
        ({"kind": "Scores"}, OutOfTurn),
        ({"kind": "Nonsense"}, OutOfTurn),
        ({"kind": ""}, OutOfTurn),
        ({"contract": bytes(31)}, Malformed),
        ({"session": bytes(17)}, Malformed),
        ({"previous": b""}, Malformed),
    ],
)
def test_a_frame_of_another_place(number, changes, error):
    refused(number, fields(**changes), error)


@EVERY
def test_a_reflected_frame(number):
    other = HONEST[number][1]
    refused(number, fields(speaker=other), Reflected)


def test_our_own_bytes_come_back():
    """The very frame that `seeker` sent last, at once."""
    for number, (speaker, _, _) in enumerate(HONEST):
        own = [data for who, _, data in HONEST[:number] if who != speaker]
        if own:
            refused(number, lambda _, __, back=own[-1]: back, Reflected)


@EVERY
def test_an_earlier_frame_of_the_same_direction_again(number):
    speaker = HONEST[number][0]
    for who, _, data in HONEST[:number]:
        if who == speaker:
            refused(number, lambda _, __, old=data: old, Replayed)


def test_two_frames_in_the_wrong_order():
    """The second is given where the first is due."""
    for number, (speaker, _, _) in enumerate(HONEST[:-1]):
        later = [data for who, _, data in HONEST[number + 1 :] if who == speaker]
        if later:
            refused(number, lambda _, __, new=later[0]: new, Replayed)


@EVERY
def test_truncated_lengthened_empty_or_noise(number):
    for cut in (1, 2, 33, 64):
        refused(number, lambda data, _, cut=cut: data[:-cut], RemoteProtocolError)
    refused(number, lambda *_: b"", Malformed)
    refused(number, lambda data, _: data + b"\0", Malformed)
    refused(number, lambda data, _: data + b"\x7a\x00", Malformed)  # an unknown field 15, empty
    refused(number, lambda data, _: data + data, Malformed)
    refused(number, lambda data, _: hashlib.shake_256(data).digest(len(data)), Malformed)


def test_oversize():
    refused(3, lambda *_: bytes(ENVELOPE_LIMIT + 1), Oversized)


@pytest.mark.parametrize("number", [0, 2, 5])
def test_every_single_bit_counts(number):
    honest = HONEST[number][2]
    for bit in range(8 * len(honest)):
        flipped = bytearray(honest)
        flipped[bit // 8] ^= 1 << bit % 8
        error = refused(number, lambda *_, flipped=flipped: bytes(flipped), RemoteProtocolError)
        assert isinstance(error, (Malformed, OutOfTurn, Replayed, Reflected))


def test_another_content_under_a_fitting_digest_is_found_by_the_next_frame():
    number = next(n for n, (_, _, data) in enumerate(HONEST) if Frame.from_bytes(data).kind == "Tags")
    forged = encode(Tags(b"other"))
    refused(number, lambda data, _: replace(Frame.from_bytes(data), payload=forged).to_bytes(), Replayed)


class Network:
    """Holds one link, changes what it carries, and puts every later frame's history right again: only the closing is left to tell."""

    def __init__(self, speaker, listener, kind, payload, closing=None):
        self.link, self.kind, self.payload, self.closing = (speaker, listener), kind, payload, closing
        self.last = START

    def __call__(self, speaker, listener, data):
        if (speaker, listener) != self.link:
            return data
        frame = replace(Frame.from_bytes(data), previous=self.last)
        if frame.kind == self.kind:
            frame = replace(frame, payload=self.payload)
        if frame.kind == "Closing" and self.closing is not None:
            frame = replace(frame, payload=self.closing(frame.payload, self.last))
        self.last = frame.digest
        return frame.to_bytes()


def test_a_link_that_was_rewritten_from_one_end_to_the_other_falls_to_the_closing():
    with pytest.raises(Replayed, match="do not agree on what passed"):
        walk(ALIGN, TURNS, Network("holder", "seeker", "Tags", encode(Tags(b"other"))))


def tell(peer, digest, which="sent"):
    """Return a change of a Closing: what it says of `peer`."""

    def change(payload, last):
        closing = decode(Closing, payload)
        values = list(getattr(closing, which))
        values[closing.peers.index(peer)] = last if digest is None else digest
        return encode(replace(closing, **{which: tuple(values)}))

    return change


def test_the_third_party_finds_a_link_on_which_even_the_closings_were_rewritten():
    """summer and sealer are each told that all is well between them; the solver compares their stories."""
    there = Network("summer", "sealer", "Shapes", encode(replace(SAMPLES["Shapes"], aliases=("x", "y"))), tell("sealer", None))
    with pytest.raises(Replayed, match="do not agree"):
        walk(TRAIN, whole(TRAIN), there)


class TwoFaced(Session):
    """A party that says another thing of one link in its closing to one peer."""

    lies_to, about, which = "solver", "summer", "sent"

    def _speak(self, peer, line, message):
        if isinstance(message, Closing) and self.role == "sealer" and peer == self.lies_to:
            values = list(getattr(message, self.which))
            values[message.peers.index(self.about)] = hashlib.sha256(b"a different story").digest()
            message = replace(message, **{self.which: tuple(values)})
        return super()._speak(peer, line, message)


@pytest.mark.parametrize("lies_to", ["solver", "summer"])
@pytest.mark.parametrize("about", ["solver", "summer"])
@pytest.mark.parametrize("which", ["sent", "received"])
def test_a_party_that_tells_its_two_peers_different_stories(lies_to, about, which):
    kind = type("Liar", (TwoFaced,), {"lies_to": lies_to, "about": about, "which": which})
    with pytest.raises(Replayed, match="do not agree"):
        walk(TRAIN, whole(TRAIN), kind=kind)
    assert walk(TRAIN, whole(TRAIN))["solver"]  # control: the same puppets, all honest


@pytest.mark.parametrize("change", [{"peers": ("summer",)}, {"sent": ()}, {"received": (bytes(32),) * 3}])
def test_a_closing_whose_lists_do_not_fit(change):
    class Torn(Session):
        def _speak(self, peer, line, message):
            return super()._speak(peer, line, replace(message, **change) if isinstance(message, Closing) else message)

    with pytest.raises(Malformed, match="differ in length"):
        walk(TRAIN, whole(TRAIN), kind=Torn)


@pytest.mark.parametrize("peers", [("nobody", "summer"), ("summer", "summer"), ()])
def test_a_closing_that_leaves_a_peer_out(peers):
    """No party may keep silent about a link: it would be the one on which it lied."""
    class Silent(Session):
        def _speak(self, peer, line, message):
            if isinstance(message, Closing) and self.role == "sealer":
                keep = len(peers)
                message = Closing(peers, message.sent[-keep:] if keep else (), message.received[-keep:] if keep else ())
            return super()._speak(peer, line, message)

    with pytest.raises((Replayed, Malformed)):
        walk(TRAIN, whole(TRAIN), kind=Silent)


def test_the_tap_sees_every_frame_before_it_leaves_and_after_it_came_in():
    seen: list[Tapped] = []
    sent = frames(TRAIN)
    walk(TRAIN, whole(TRAIN, 2), tap=seen.append)
    assert sorted(entry.frame for entry in seen if entry.sent) == sorted(data for _, _, data in sent)
    assert sorted(entry.frame for entry in seen if not entry.sent) == sorted(data for _, _, data in sent)
    assert {entry.script for entry in seen} == {"train"}
    assert {entry.stage for entry in seen} == {OPENING.stage}
    assert all((entry.kind, entry.number) == (Frame.from_bytes(entry.frame).kind, Frame.from_bytes(entry.frame).number) for entry in seen)


def test_a_frame_that_cannot_be_recorded_does_not_leave():
    sent = []

    def full(entry):
        if entry.kind == "Tags" and entry.sent:
            raise LocalProtocolError("the disk is full")

    with pytest.raises(LocalProtocolError, match="full"):
        walk(ALIGN, TURNS, lambda *act: sent.append(Frame.from_bytes(act[2]).kind) or act[2], tap=full)
    assert "Tags" not in sent


def test_a_frame_that_was_refused_is_not_recorded():
    seen = []
    with pytest.raises(Replayed):
        walk(ALIGN, TURNS, at(1, fields(contract=bytes(32))), tap=lambda entry: seen.append((entry.sent, entry.kind)))
    kind = Frame.from_bytes(HONEST[1][2]).kind
    assert (True, kind) in seen
    assert (False, kind) not in seen


def test_every_frame_names_contract_session_speaker_and_its_history():
    last = {}
    for speaker, listener, data in frames(TRAIN):
        frame = Frame.from_bytes(data)
        number, digest = last.get((speaker, listener), (0, START))
        assert (frame.contract, frame.session, frame.speaker) == (CONTRACT, SESSION, speaker)
        assert (frame.number, frame.previous) == (number, digest)
        last[speaker, listener] = (number + 1, frame.digest)


def test_every_message_has_a_declared_disclosure():
    assert [declared(name).message for name in MESSAGES] == list(MESSAGES)


def test_same_puppets_same_bytes():
    assert frames(TRAIN) == frames(TRAIN)


def test_a_frame_is_not_shown_in_a_repr():
    seen: list[Tapped] = []
    walk(ALIGN, TURNS, tap=seen.append)
    assert all("frame" not in repr(entry) for entry in seen)
