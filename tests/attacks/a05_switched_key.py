"""A5, by the telco: answer part of a query under another key, and see in the roster who is missing.

Whoever matched once and is missing now was asked in that part. With one run for each binary digit of the row number, the telco has the
bank's row order: and rows in time, branch or risk order say who is who. Source: key consistency as an attack on an OPRF without a proof,
RFC 9497, section 7.1; the weights of a batched proof under which errors would cancel, docs/decisions/0011.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from attacked.views import View, changed

from tandem.crypto import group, voprf
from tandem.wire.messages import Answer, Proof, Query, Weighed

Points = list[bytes]
Tampering = Callable[[Points, Points], Points]
"""(elements asked, honest answers) -> what is answered."""
OTHER = voprf.derive_key_pair(bytes(range(32)), b"another")


def answering(role: Any, tampering: Tampering) -> Any:
    """Play a holder whose answers go through `tampering`; everything else is as shipped."""
    points: list[bytes] = []

    def heard(message: Any) -> None:
        if isinstance(message, Query):
            points[:] = group.split(message.points)

    return changed(role, Answer, lambda answer: Answer(b"".join(tampering(list(points), group.split(answer.points)))), heard)


def part_under(rows: Callable[[int], bool]) -> Tampering:
    """Answer the rows that fit under another key."""
    def tamper(points: Points, honest: Points) -> Points:
        both = enumerate(zip(points, honest, strict=True))
        return [group.multiply(OTHER.secret, point) if rows(at) else answer for at, (point, answer) in both]

    return tamper


def exchanged(_: Points, honest: Points) -> Points:
    """Answer the first two rows in each other's place."""
    return [honest[1], honest[0], *honest[2:]]


def cancelling(_: Points, honest: Points) -> Points:
    """Add an error to the first answer and take it off the second: unseen if all weights were equal."""
    error = (7).to_bytes(group.WIDTH, "little"), (group.ORDER - 7).to_bytes(group.WIDTH, "little")
    both = [group.add((answer, group.multiply_base(one))) for answer, one in zip(honest[:2], error, strict=True)]
    return [*both, *honest[2:]]


def doubled(_: Points, honest: Points) -> Points:
    """Answer the first row twice as large."""
    return [group.add((honest[0], honest[0])), *honest[1:]]


def everything(points: Points, _: Points) -> Points:
    """Answer all rows under the other key."""
    return [group.multiply(OTHER.secret, point) for point in points]


def with_its_proof(role: Any, chance: Any) -> Any:
    """Answer everything under the other key, with that key's own proof."""
    weighed: list[bytes] = []

    def heard(message: Any) -> None:
        if isinstance(message, Weighed):
            weighed[:] = [message.point]

    proving = changed(role, Proof, lambda proof: replace(proof, proof=voprf.prove(OTHER, weighed[0], chance)), heard)
    return answering(proving, everything)


KINDS: dict[str, Tampering] = {
    "half": part_under(lambda at: at % 2 == 0), "one row": part_under(lambda at: at == 0), "all": everything, "exchanged": exchanged,
    "cancelling": cancelling, "doubled": doubled,
}


def order(whole: View, runs: list[View]) -> dict[bytes, int]:
    """Return the row of each customer: run b was answered under the other key where digit b of the row number is 1."""
    def people(view: View) -> set[bytes]:
        return {view.inputs["behind"][position] for position in view.inputs["roster"]}

    there = [people(run) for run in runs]
    return {person: sum(1 << digit for digit, seen in enumerate(there) if person not in seen) for person in people(whole)}
