"""How many bytes a study puts on each link: the same frames, counted instead of made.

Sizes follow from numbers of rows, bins and columns alone, since nothing on the wire is compressed or as long as its content. Only what the
solver releases (statistics, card) is estimated: as if no bin were withheld. Fields are those of proto/tandem/wire.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tandem.align.script import ALIGN, QUERY_LENGTH, ROSTER_LENGTH, TAGS_LENGTH
from tandem.align.tags import WIDTH as TAG
from tandem.crypto import group, voprf
from tandem.crypto.proof import CHALLENGES
from tandem.plan.job import Job
from tandem.session.script import Script
from tandem.sums.terms import chunk_length
from tandem.train.script import CARD, DESCRIBE, TRAIN, order
from tandem.train.summer import PAIRS_A_CHUNK
from tandem.wire.codec import LENGTH, bucket
from tandem.wire.messages import JOB_WIDTH

DIGEST, SESSION, REAL = 32, 16, 8
"""Bytes of a digest, of a session's number, and of a real."""

ALIAS = "t01"

Sizes = Mapping[tuple[str, str], list[int]]
"""(message, listener) -> bytes of each such message."""

Bytes = dict[tuple[str, str], int]
"""(speaker, listener) -> bytes of all frames."""


def frames(script: Script, said: Sizes, size: str, value: int, stage: int, roster: int) -> Bytes:
    """Return the bytes of one session on each link, opening, ends and closings included. `said` must name every turn of the script."""
    found: Bytes = {}
    numbers: dict[tuple[str, str], int] = {}

    def speak(speaker: str, listener: str, line: int, kind: str, payload: int) -> None:
        way = (speaker, listener)
        found[way] = found.get(way, 0) + frame(speaker, line, numbers.get(way, 0), kind, payload)
        numbers[way] = numbers.get(way, 0) + 1

    opening = (
        text("1") + text(script.name) + number(stage) + text(size) + packed([value]) + data(roster)
        + data(JOB_WIDTH) + number(1)
    )
    for caller, called in script.dials:
        speak(caller, called, 0, "Opening", opening)
    for line, turns in enumerate(script.lines):
        for turn in turns.turns:
            for payload in said[turn.message.__name__, turn.listener]:
                speak(turn.speaker, turn.listener, line, turn.message.__name__, payload)
            if turns.repeats:
                speak(turn.speaker, turn.listener, line, "End", 0)
    for role in script.roles:
        peers = script.peers(role)
        closing = sum(map(text, peers)) + 2 * len(peers) * data(DIGEST)
        for peer in peers:
            speak(role, peer, len(script.lines), "Closing", closing)
    return found


def align(job: Job) -> Bytes:
    """Return the bytes of the alignment."""
    queries = _parts(job.asked, QUERY_LENGTH)
    return frames(ALIGN, {
        ("Tags", "seeker"): [data(TAG * part) for part in _parts(job.table, TAGS_LENGTH)],
        ("Shelved", "holder"): [number(job.table) + data(DIGEST)],
        ("Query", "holder"): [data(group.WIDTH * part) for part in queries],
        ("Answer", "seeker"): [data(group.WIDTH * part) for part in queries],
        ("Weighed", "holder"): [data(group.WIDTH)],
        ("Proof", "seeker"): [data(voprf.PROOF_WIDTH)],
        ("Roster", "holder"): [data(4 * part) for part in _parts(job.matched, ROSTER_LENGTH)],
    }, "ids", job.asked, 0, 0)


def describe(job: Job) -> Bytes:
    """Return the bytes of statistics alone."""
    return frames(DESCRIBE, {**_sums(job, job.statistics.ciphertexts), **_masked(job, job.statistics.ciphertexts), **_released(job)},
                  "rows", job.matched, 0, DIGEST)


def train(job: Job, stage: int) -> Bytes:
    """Return the bytes of training pass `stage`."""
    p = job.columns + 1
    said = {
        **_sums(job, job.layout.ciphertexts), **_masked(job, job.layout.ciphertexts), **_released(job), **_score(job),
        ("Own", "solver"): [reals(p * p) + reals(p) + reals(p) + 1 + REAL],
        ("Step", "sealer"): [1 + REAL + reals(p)],
        ("Polish", "solver"): [2 + 1 + REAL + reals(p)],
    }
    return frames(TRAIN, said, "rows", job.matched, stage, DIGEST)


def card(job: Job) -> Bytes:
    """Return the bytes of the card and the scoring with it."""
    count = job.columns + 1 + len(job.bins)
    release = len(job.bins) * text(ALIAS) + 2 * reals(count) + packed([POINTS] * job.total) + data(DIGEST)
    said = {**_key(job), **_score(job), ("Release", "sealer"): [release]}
    return frames(CARD, said, "rows", job.matched, len(order(job.terms)), DIGEST)


POINTS = 20
"""Points of a bin, of the usual size; how many bytes they take hangs on their size."""


def frame(speaker: str, line: int, count: int, kind: str, payload: int) -> int:
    """Return the bytes of a frame around a payload, filled up as it travels."""
    fixed = data(DIGEST) + data(SESSION) + data(DIGEST) + data(DIGEST)
    return bucket(LENGTH + fixed + text(speaker) + number(line) + number(count) + text(kind) + data(payload))


def varint(value: int) -> int:
    """Return the bytes of a whole number."""
    return max(1, -(-value.bit_length() // 7))


def number(value: int) -> int:
    """Return the bytes of a field that holds a whole number: none for 0."""
    return 1 + varint(value) if value else 0


def data(length: int) -> int:
    """Return the bytes of a field that holds `length` bytes: none for an empty one."""
    return 1 + varint(length) + length if length else 0


def text(value: str) -> int:
    """Return the bytes of a field that holds a text."""
    return data(len(value.encode()))


def packed(values: Iterable[int]) -> int:
    """Return the bytes of a field that holds a list of whole numbers."""
    return data(sum(map(varint, values)))


def reals(count: int) -> int:
    """Return the bytes of a field that holds a list of reals."""
    return data(REAL * count)


def _key(job: Job) -> Sizes:
    key = [data(job.plain_width) + data(CHALLENGES * job.plain_width)]
    return {("Key", "summer"): key, ("Key", "solver"): key}


def _sums(job: Job, ciphertexts: int) -> Sizes:
    step = chunk_length(ciphertexts * job.width)
    outlines = len(job.bins) * text(ALIAS) + packed(job.bins) + packed(job.bins) + packed([1] * len(job.bins))
    counts = packed([job.matched // bins for bins in job.bins for _ in range(bins)])
    rows = round(job.training * job.matched)
    return {
        **_key(job),
        ("Shapes", "sealer"): [outlines],
        ("Shapes", "solver"): [outlines + counts],
        ("Pairs", "solver"): _pairs(job),
        ("Sealed", "summer"): [
            number(first) + data(min(step, job.matched - first) * ciphertexts * job.width) for first in range(0, job.matched, step)
        ],
        ("Wish", "solver"): [number(rows) + number(rows // 4)],
    }


def _pairs(job: Job) -> list[int]:
    """Return the sizes of the messages of pair counts: every cell as if variables were independent and bins equally full."""
    cells, size, of = job.total * (job.total + 1) // 2, 0, Counter(job.bins)
    for own, many in of.items():
        # A bin with itself; with the others of its variable, which it never meets; with those of variables of as many bins.
        size += many * (own * varint(job.matched // own) + own * (own - 1) // 2)
        size += many * (many - 1) // 2 * own**2 * varint(job.matched // own**2)
        size += sum(many * others * own * bins * varint(job.matched // (own * bins)) for bins, others in of.items() if bins > own)
    return [data(round(part * size / cells)) for part in _parts(cells, PAIRS_A_CHUNK)]


def _masked(job: Job, ciphertexts: int) -> Sizes:
    parts = _parts(job.total * ciphertexts, chunk_length(job.width))
    plain = [data(part * job.plain_width) for part in parts]
    return {("Shares", "sealer"): [data(part * job.width) for part in parts], ("Opened", "solver"): plain, ("Masks", "solver"): plain}


def _released(job: Job) -> Sizes:
    d, rows = len(job.bins), round(job.training * job.matched)
    counts = [rows // bins for bins in job.bins for _ in range(bins)]
    groups = packed([1] * job.total) + packed(job.bins)
    size = d * text(ALIAS) + packed(job.bins) + groups + packed(counts) + packed(c // 4 for c in counts) + reals(job.total) + reals(d)
    return {("Statistics", "sealer"): [size + packed([1] * d) + 2 * d]}


def _score(job: Job) -> Sizes:
    step = chunk_length(job.width)
    return {
        ("Table", "summer"): [data(part * job.width) for part in _parts(job.total, step)],
        ("Signature", "summer"): [data(2 * DIGEST)],
        ("Scores", "sealer"): [data(part * job.width) for part in _parts(job.packs, step)],
    }


def _parts(total: int, step: int) -> list[int]:
    """Return how many items each message of at most `step` carries."""
    return [min(step, total - first) for first in range(0, total, step)]
