"""What the roles say to each other: one frozen dataclass a message, the same names and fields as in proto/tandem/wire.

Ciphertexts are `Blinded` where they leave and `Foreign` where they arrive (crypto.paillier); the codec encodes nothing else in their
place, so a raw product cannot leave and foreign bytes cannot be computed with before they were admitted.
"""

from __future__ import annotations

from dataclasses import dataclass

from tandem.crypto.paillier import Blinded, Foreign

Ciphertexts = Blinded | Foreign

JOB_WIDTH = 16
"""Bytes of a job's name."""


@dataclass(frozen=True)
class Opening:
    """First on every link: what the dialling side wants to do, and how large it is."""

    version: str
    script: str
    stage: int
    size_names: tuple[str, ...]
    sizes: tuple[int, ...]
    roster: bytes
    job: bytes = bytes(JOB_WIDTH)
    attempt: int = 1


@dataclass(frozen=True)
class End:
    """A repeating line is over."""


@dataclass(frozen=True)
class Closing:
    """Last on every link: digests of what the speaker saw on each of its links."""

    peers: tuple[str, ...]
    sent: tuple[bytes, ...]
    received: tuple[bytes, ...]


@dataclass(frozen=True)
class Tags:
    """Holder to seeker: 16-byte keyed hashes, shuffled."""

    tags: bytes


@dataclass(frozen=True)
class Shelved:
    """Seeker to holder: how many tags arrived and their SHA-256, before the first query."""

    count: int
    digest: bytes


@dataclass(frozen=True)
class Query:
    """Seeker to holder: blinded elements, 32 bytes each, in row order."""

    points: bytes


@dataclass(frozen=True)
class Answer:
    """Holder to seeker: evaluated elements in the same order, 32 bytes each."""

    points: bytes


@dataclass(frozen=True)
class Weighed:
    """Seeker to holder: the sum of all elements asked, each times a secret weight, 32 bytes."""

    point: bytes


@dataclass(frozen=True)
class Proof:
    """Holder to seeker: proof of the key about `Weighed`, challenge and response (64 bytes)."""

    proof: bytes


@dataclass(frozen=True)
class Roster:
    """Seeker to holder: cover groups by position in Tags, ascending, 4 bytes little-endian each; without cover a group is one tag."""

    positions: bytes


@dataclass(frozen=True)
class Key:
    """Sealer to all that compute under its modulus n: n (little-endian) and its proof."""

    modulus: bytes
    proof: bytes


@dataclass(frozen=True)
class Shapes:
    """Summer to sealer and solver: bins of each variable, of these ordered, and (solver only) roster rows in each bin."""

    aliases: tuple[str, ...]
    bins: tuple[int, ...]
    ordered: tuple[int, ...]
    special: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Sealed:
    """Sealer to summer: sealed rows from roster position `first` on."""

    first: int
    rows: Ciphertexts


@dataclass(frozen=True)
class Shares:
    """Summer to sealer: masked bin products. Solver to sealer: masked weighted sums of `PairSums`."""

    shares: Ciphertexts


@dataclass(frozen=True)
class Opened:
    """Sealer to solver: D = P + R mod n, each as wide as n."""

    values: bytes


@dataclass(frozen=True)
class Masks:
    """Summer to solver: R of the same shares."""

    values: bytes


@dataclass(frozen=True)
class PairSums:
    """Summer to solver: sealed totals of the bins and of those pairs of bins that are told."""

    sums: Ciphertexts


@dataclass(frozen=True)
class Crossed:
    """Sealer to solver: D = P + R mod n of the solver's own `Shares`, each as wide as n."""

    values: bytes


@dataclass(frozen=True)
class Wish:
    """Sealer to solver: what totals must add up to, and which variables to keep. 0 or nothing is no wish."""

    rows: int
    events: int
    keep: tuple[str, ...]
    min_iv: float
    max_correlation: float
    max_vif: float
    monotone: bool


@dataclass(frozen=True)
class Statistics:
    """Solver to sealer: released groups of bins, WoE and IV under aliases."""

    aliases: tuple[str, ...]
    bins: tuple[int, ...]
    group: tuple[int, ...]
    groups: tuple[int, ...]
    counts: tuple[int, ...]
    events: tuple[int, ...]
    woe: tuple[float, ...]
    iv: tuple[float, ...]
    host: tuple[int, ...]
    reasons: tuple[str, ...]
    failed: str


@dataclass(frozen=True)
class Pairs:
    """Summer to solver: roster rows in each pair of bins, blanked under min_bin."""

    counts: tuple[int, ...]


@dataclass(frozen=True)
class Own:
    """Sealer to solver: Hessian, gradient and coefficients of its own columns, and the ridge."""

    hessian: tuple[float, ...]
    gradient: tuple[float, ...]
    theta: tuple[float, ...]
    ridge: float


@dataclass(frozen=True)
class Step:
    """Solver to sealer: Newton point of the sealer's columns and |theta_t|^2, rounded; or the check that failed; the ridge if chosen."""

    failed: str
    square: float
    tau: float
    theta: tuple[float, ...]
    ridge: float


@dataclass(frozen=True)
class Polish:
    """Sealer to solver: was the pass accepted; the scale for theta_t; the sealer's coefficients; at the end, is the Newton point final."""

    accepted: bool
    scale: float
    theta: tuple[float, ...]
    newton: bool


@dataclass(frozen=True)
class Release:
    """Solver to sealer, once: coefficients and standard errors, rounded, and the card's points by bin; are the errors exact."""

    failed: str
    aliases: tuple[str, ...]
    theta: tuple[float, ...]
    se: tuple[float, ...]
    points: tuple[int, ...]
    table: bytes
    exact: bool


@dataclass(frozen=True)
class Table:
    """Solver to summer: sealed points of each variable and bin."""

    points: Ciphertexts


@dataclass(frozen=True)
class Signature:
    """Solver to summer: Ed25519 over contract, session, roster, stage and table digest."""

    signature: bytes


@dataclass(frozen=True)
class Scores:
    """Summer to sealer: packs of row scores."""

    packs: Ciphertexts


@dataclass(frozen=True)
class Points:
    """Solver to summer, under open weights: points of each variable and bin in the clear, in units of the score's scale."""

    points: tuple[int, ...]


@dataclass(frozen=True)
class OpenScores:
    """Summer to sealer, under open weights: a score a row, in roster order, noise in its low bits."""

    scores: tuple[int, ...]


@dataclass(frozen=True)
class Campaign:
    """Sealer to solver: people by group and outcome, what the levels of every segment must add up to."""

    totals: tuple[int, ...]


@dataclass(frozen=True)
class Measured:
    """Solver to sealer: the told level of each code, and people by segment, told level, group and outcome; -1 where withheld."""

    joined: tuple[int, ...]
    counts: tuple[int, ...]
    failed: str


@dataclass(frozen=True)
class Told:
    """Holder to asker: of one column that the contract names, by its place there, the number of each person's level, a byte a person."""

    column: int
    levels: bytes


@dataclass(frozen=True)
class Probe:
    """Sealer to summer: bytes that mean nothing, to see how long a message takes to arrive."""

    padding: bytes


@dataclass(frozen=True)
class Offer:
    """Summer to sealer: identifiers of its table, whether they are hashed already, and bins of each variable on a sample of the table."""

    table: int
    ready: bool
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Speed:
    """A node to the sealer: how fast its machine is. Seconds of one operation with all workers busy; memory in bytes, 0 if unknown."""

    cores: int
    workers: int
    took: float
    """Seconds that measuring took."""
    hash: float
    """Hash an identifier to the group."""
    point: float
    """Multiply a point."""
    sum: float
    """Add two points."""
    power: float
    """r^n mod n^2."""
    admission: float
    """Check a ciphertext."""
    product: float
    """Multiply two ciphertexts."""
    squaring: float
    """Square a ciphertext."""
    noise: float
    """Noise of one score; one worker, as the next two."""
    cutting: float
    """Cut and code one value."""
    pairing: float
    """Count one row in one pair of variables."""
    resident: int
    """Memory that the node's own process has now."""
    peak: int
    """... and had at most."""
    worker: int
    """Memory that a worker has at rest."""
    free: int
    """Memory that the machine has free."""


@dataclass(frozen=True)
class Hello:
    """Either end of a probe: its version, the protocols it speaks, its clock in microseconds since 1970 UTC."""

    program: str
    oldest: int
    newest: int
    moment: int


@dataclass(frozen=True)
class Load:
    """Either end of a probe: bytes of no meaning, and how many to send back."""

    back: int
    data: bytes


Message = (
    Opening | End | Closing | Tags | Shelved | Query | Answer | Weighed | Proof | Roster | Key | Shapes | Sealed | Shares | Opened | Masks
    | PairSums | Crossed | Wish | Statistics | Pairs | Own | Step | Polish | Release | Table | Signature | Scores | Points | OpenScores
    | Told | Campaign | Measured | Probe | Offer | Speed | Hello | Load
)
