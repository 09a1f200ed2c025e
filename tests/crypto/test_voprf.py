"""Oblivious hashing: the RFC's vectors through the code that runs, one key for all answers, partial sums, nothing to link by."""

from __future__ import annotations

import hashlib
import json
import pickle
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import shared

from tandem.arguments import Seeded
from tandem.crypto import group, voprf
from tandem.crypto.voprf import Mode
from tandem.errors import ForeignElement, KeySwitched

SEED, INFO = b"\xa3" * 32, b"test key"
BLIND_1 = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
BLIND_2 = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
INPUT_1, INPUT_2 = "00", "5a" * 17
OUTPUT_1 = (
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
)
OUTPUT_2 = (
    "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
    "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"
)
VOPRF_1 = (
    "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
    "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
)

# RFC 9497, A.1.1 and A.1.2: mode, inputs, blinds, blinded, evaluated, proof scalar, proof, outputs
PRINTED = [
    (Mode.OPRF, [INPUT_1], [BLIND_1], ["609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c"],
     ["7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e"], None, None,
     ["527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6"]),
    (Mode.OPRF, [INPUT_2], [BLIND_1], ["da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418"],
     ["b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25"], None, None,
     ["f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73"]),
    (Mode.VOPRF, [INPUT_1], [BLIND_1], [VOPRF_1[0]], [VOPRF_1[1]], BLIND_2,
     "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
     [OUTPUT_1]),
    (Mode.VOPRF, [INPUT_2], [BLIND_1], ["cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"],
     ["60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"], BLIND_2,
     "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
     [OUTPUT_2]),
    (Mode.VOPRF, [INPUT_1, INPUT_2], [BLIND_1, BLIND_2],
     [VOPRF_1[0], "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654"],
     [VOPRF_1[1], "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a"],
     "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
     "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
     [OUTPUT_1, OUTPUT_2]),
]


class Loop:
    """An engine that is a loop, and counts its tasks."""

    def __init__(self) -> None:
        self.tasks = 0

    def map(self, task, items):
        for item in items:
            self.tasks += 1
            yield pickle.loads(pickle.dumps(task))(item)  # noqa: S301 - our own task: what a worker process would be sent

    def begin(self, task, items):
        return iter([task(item) for item in items])

    def accumulate(self, start):
        raise NotImplementedError


class Queue:
    """Chance that gives the scalars of a vector: 32 bytes widened to 64."""

    def __init__(self, *scalars: str) -> None:
        self.data = b"".join(bytes.fromhex(scalar) + bytes(32) for scalar in scalars)

    def draw(self, count: int) -> bytes:
        drawn, self.data = self.data[:count], self.data[count:]
        return drawn

    def fork(self, *label):
        return self


KEY = voprf.derive_key_pair(SEED, INFO)
OTHER = voprf.derive_key_pair(SEED, b"another key")


def unhex(values):
    return [bytes.fromhex(value) for value in values]


def blind(inputs, engine, chance, mode=Mode.VOPRF):
    blinds, slices = voprf.begin_blinding(inputs, engine, chance, mode)
    return blinds, [point for part in slices for point in part]


def ask(inputs, blinds, points, evaluated, proof=None, public=None, weights=b"w"):
    """The seeker's whole side once the answers are in; an honest proof about her M unless another is given."""
    opened = list(voprf.begin_opening(inputs, blinds, points, evaluated, Loop(), Seeded(weights)))
    M, Z = group.add(part.weighed for part in opened), group.add(part.answered for part in opened)
    voprf.verify(public or KEY.public, M, Z, voprf.prove(KEY, M, Seeded(b"r")) if proof is None else proof)
    return [output for part in opened for output in part.outputs]


def composites(key, points, evaluated):
    """M and Z of RFC 9497, section 2.2.1, whose weights both sides hash: what its vectors' proofs are about. Our seeker draws hers."""
    context = b"OPRFV1-" + bytes([key.mode]) + b"-ristretto255-SHA512"
    lengths = [len(part).to_bytes(2, "big") + part for part in (key.public, b"Seed-" + context)]
    seed = hashlib.sha512(b"".join(lengths)).digest()
    weights = [
        group.hash_to_scalar(
            b"\0\x40" + seed + index.to_bytes(2, "big") + b"\0\x20" + C + b"\0\x20" + D + b"Composite", b"HashToScalar-" + context
        )
        for index, (C, D) in enumerate(zip(points, evaluated, strict=True))
    ]
    return group.weigh(weights, points), group.weigh(weights, evaluated)


def check_vector(mode, inputs, blinds, blinded, evaluated, proof_scalar, proof, outputs):
    key, engine, inputs = voprf.derive_key_pair(SEED, INFO, mode), Loop(), unhex(inputs)
    drawn, points = blind(inputs, engine, Queue(*blinds), mode)
    assert drawn == unhex(blinds)
    assert points == unhex(blinded)
    answered = voprf.answer(key, points, engine)
    assert answered == unhex(evaluated)
    if proof is not None:
        M, Z = composites(key, points, answered)
        assert voprf.prove(key, M, Queue(proof_scalar)).hex() == proof
        voprf.verify(key.public, M, Z, bytes.fromhex(proof))
    opened = list(voprf.begin_opening(inputs, drawn, points, answered, engine, Seeded(b"w")))
    assert [output for part in opened for output in part.outputs] == unhex(outputs)
    assert [voprf.evaluate_direct(key, value) for value in inputs] == unhex(outputs)
    assert voprf.tag_batch(key, inputs) == b"".join(output[:16] for output in unhex(outputs))


@pytest.mark.parametrize("vector", PRINTED)
def test_vectors_printed_in_the_rfc(vector):
    check_vector(*vector)


def test_keys_printed_in_the_rfc():
    assert voprf.derive_key_pair(SEED, INFO, Mode.OPRF).secret.hex() == "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e"
    assert KEY.secret.hex() == "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
    assert KEY.public.hex() == "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"


def test_vectors_of_the_working_group():
    suites = [suite for suite in json.loads(shared("rfc9497/allVectors.json").read_text())
              if suite["identifier"] == "ristretto255-SHA512" and suite["mode"] in (0, 1)]
    assert [len(suite["vectors"]) for suite in suites] == [2, 3]
    for suite in suites:
        key = voprf.derive_key_pair(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]), Mode(suite["mode"]))
        assert key.secret.hex() == suite["skSm"]
        assert key.public.hex() == suite.get("pkSm", key.public.hex())
        for case in suite["vectors"]:
            lists = (case[name].split(",") for name in ("Input", "Blind", "BlindedElement", "EvaluationElement"))
            given_proof = case.get("Proof", {"r": None, "proof": None})
            check_vector(Mode(suite["mode"]), *lists, given_proof["r"], given_proof["proof"], case["Output"].split(","))


def asked(count: int, chance=None):
    inputs = [b"+86138%08d" % at for at in range(count)]
    blinds, points = blind(inputs, Loop(), chance or Seeded(b"blinds"))
    return inputs, blinds, points, voprf.answer(KEY, points, Loop())


@settings(max_examples=5, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.binary(min_size=1, max_size=8))
def test_asking_equals_evaluating_directly(inputs, seed):
    blinds, points = blind(inputs, Loop(), Seeded(seed))
    assert ask(inputs, blinds, points, voprf.answer(KEY, points, Loop())) == [voprf.evaluate_direct(KEY, value) for value in inputs]


def test_several_slices_equal_one_slice(monkeypatch):
    inputs, blinds, points, evaluated = asked(23)
    engine = Loop()
    monkeypatch.setattr(voprf, "SLICE", 5)
    assert asked(23)[2] == points
    assert voprf.answer(KEY, points, engine) == evaluated
    assert engine.tasks == 5
    assert ask(inputs, blinds, points, evaluated) == [voprf.evaluate_direct(KEY, value) for value in inputs]


def test_shares_of_the_slices_add_up_to_weighted_sums():
    inputs, blinds, points, evaluated = asked(9)
    uniform = Seeded(b"w").draw(9 * 16)
    slices = [
        (at, inputs[at : at + 4], blinds[at : at + 4], points[at : at + 4], evaluated[at : at + 4], uniform[16 * at : 16 * at + 64])
        for at in (0, 4, 8)
    ]
    shares = [voprf.open_batch(part) for part in slices]
    weights = [(2**128 + int.from_bytes(uniform[at : at + 16], "little")).to_bytes(32, "little") for at in range(0, 144, 16)]
    assert group.add(share.weighed for share in shares) == group.weigh(weights, points)
    assert group.add(share.answered for share in shares) == group.multiply(KEY.secret, group.weigh(weights, points))


@pytest.mark.parametrize("place", [0, 6, 11])
def test_key_switched_for_one_element_is_refused(place):
    inputs, blinds, points, evaluated = asked(12)
    ask(inputs, blinds, points, evaluated)  # control: honest answers are taken
    evaluated[place] = group.multiply(OTHER.secret, points[place])
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, evaluated)


def test_key_switched_for_all_is_refused():
    inputs, blinds, points, _ = asked(3)
    evaluated = voprf.answer(OTHER, points, Loop())
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, evaluated)
    M = group.add(part.weighed for part in voprf.begin_opening(inputs, blinds, points, evaluated, Loop(), Seeded(b"w")))
    theirs = voprf.prove(OTHER, M, Seeded(b"r"))
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, evaluated, theirs)
    ask(inputs, blinds, points, evaluated, theirs, OTHER.public)  # control: the same under the key that it is


def test_answers_in_another_order_are_refused():
    inputs, blinds, points, evaluated = asked(4)
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, evaluated[::-1])


def weights_of(seed: bytes, count: int) -> list[int]:
    uniform = Seeded(seed).draw(16 * count)
    return [2**128 + int.from_bytes(uniform[at : at + 16], "little") for at in range(0, len(uniform), 16)]


def test_errors_that_cancel_pass_only_for_who_knows_the_weights():
    inputs, blinds, points, evaluated = asked(2)
    first, second = weights_of(b"known", 2)
    # +T on one row, -(first / second) T on the other: nothing is left of T in Z
    ratio = -first * pow(second, -1, group.ORDER) % group.ORDER
    crooked = [group.add((evaluated[0], KEY.public)), group.add((evaluated[1], group.multiply(ratio.to_bytes(32, "little"), KEY.public)))]
    ask(inputs, blinds, points, crooked, weights=b"known")  # control: weights that the holder knows are no defence
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, crooked, weights=b"drawn afterwards")


def test_errors_that_cancel_unweighted_are_refused():
    inputs, blinds, points, evaluated = asked(2)
    minus = (group.ORDER - 1).to_bytes(32, "little")
    crooked = [group.add((evaluated[0], KEY.public)), group.add((evaluated[1], group.multiply(minus, KEY.public)))]
    assert group.add(crooked) == group.add(evaluated)  # control: the plain sums are equal
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, crooked)


def test_a_proof_about_another_sum_is_refused():
    inputs, blinds, points, evaluated = asked(2)
    with pytest.raises(KeySwitched):
        ask(inputs, blinds, points, evaluated, voprf.prove(KEY, points[0], Seeded(b"r")))


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_a_touched_proof_is_refused(at):
    _, _, points, evaluated = asked(1)
    proof = voprf.prove(KEY, points[0], Seeded(b"r"))
    voprf.verify(KEY.public, points[0], evaluated[0], proof)
    with pytest.raises(KeySwitched):
        voprf.verify(KEY.public, points[0], evaluated[0], bytes(byte ^ (1 if place == at else 0) for place, byte in enumerate(proof)))


@pytest.mark.parametrize("proof", [bytes(63), bytes(65), b"", b"\xff" * 64, bytes(32) + group.ORDER.to_bytes(32, "little")])
def test_proofs_of_foreign_scalars_are_refused(proof):
    _, _, points, evaluated = asked(1)
    with pytest.raises(ForeignElement):
        voprf.verify(KEY.public, points[0], evaluated[0], proof)


def test_the_zero_proof_is_refused():
    _, _, points, evaluated = asked(1)
    with pytest.raises(KeySwitched):
        voprf.verify(KEY.public, points[0], evaluated[0], bytes(64))


@pytest.mark.parametrize("bad", [group.IDENTITY, b"\xff" * 32, b"\1" + bytes(31), bytes(31)])
def test_bad_points_are_refused_on_both_sides_with_their_position(bad, monkeypatch):
    monkeypatch.setattr(voprf, "SLICE", 2)
    inputs, blinds, points, evaluated = asked(5)
    with pytest.raises(ForeignElement, match="position 3 "):
        voprf.answer(KEY, [*points[:3], bad, points[4]], Loop())
    with pytest.raises(ForeignElement, match="position 3 "):
        ask(inputs, blinds, points, [*evaluated[:3], bad, evaluated[4]])
    with pytest.raises(ForeignElement):
        voprf.prove(KEY, bad, Seeded(b"r"))


def test_another_number_of_answers_is_refused():
    inputs, blinds, points, evaluated = asked(3)
    for crooked in (evaluated[:2], [*evaluated, evaluated[0]], []):
        with pytest.raises(ForeignElement, match="a query of 3"):
            ask(inputs, blinds, points, crooked)


def key_from_two_proofs(first: bytes, second: bytes) -> int:
    (c, s), (d, t) = ([int.from_bytes(proof[at : at + 32], "little") for at in (0, 32)] for proof in (first, second))
    return (s - t) * pow(d - c, -1, group.ORDER) % group.ORDER


def test_chance_played_again_does_not_give_the_key_away():
    secret, points = int.from_bytes(KEY.secret, "little"), asked(2)[2]
    again = Seeded(b"again").draw(64)
    control = [voprf.prove(KEY, point, Queue(again.hex()[:64])) for point in points]  # one r for two M
    assert key_from_two_proofs(*control) == secret
    assert key_from_two_proofs(*(voprf.prove(KEY, point, Seeded(b"again")) for point in points)) != secret


def test_two_queries_for_the_same_people_share_nothing():
    first, second = (set(asked(40, Seeded(seed))[3]) for seed in (b"job 1", b"job 2"))
    plain = {group.hash_to_group(b"+86138%08d" % at, voprf._group_dst(Mode.VOPRF)) for at in range(40)}
    assert not first & second
    assert not (first | second) & plain
    assert first == set(asked(40, Seeded(b"job 1"))[3])  # control: blinds used again give the same elements


def test_keys_of_two_purposes_share_no_tag():
    ids = [b"%d" % at for at in range(20)]
    tags = [voprf.tag_batch(voprf.derive_key_pair(SEED, info), ids) for info in (b"align", b"look-up")]
    sets = [{batch[at : at + 16] for at in range(0, len(batch), 16)} for batch in tags]
    assert not sets[0] & sets[1]


def test_a_key_does_not_print_its_secret():
    for text in (repr(KEY), str(KEY), repr(partial(voprf.evaluate_batch, KEY))):
        assert repr(KEY.secret)[2:-1] not in text
        assert "secret" not in text


@pytest.mark.parametrize(("seed", "info"), [(bytes(31), b""), (bytes(33), b""), (bytes(32), bytes(65536))])
def test_keys_are_derived_from_whole_seeds(seed, info):
    with pytest.raises(ValueError, match="a key"):
        voprf.derive_key_pair(seed, info)
