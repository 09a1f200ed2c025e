"""The contract as a value: what bank, telco and, unless the bank solves for itself, a coordinator agreed on, as their signatures cover it.

Nothing is negotiated at run time. The digest of the canonical bytes is in every frame, so a changed field is another contract and its
frames are refused. The bank drafts, the telco adds its two fields (`oprf_key`, `variables`), then each signs; the file travels as a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AfterValidator, Field, ValidationError, model_validator

from tandem.contract import signing
from tandem.contract.auditor import Auditor
from tandem.contract.fields import (
    Digest,
    DigestOrNone,
    Identity,
    Licence,
    Line,
    Moment,
    Pins,
    Sentence,
    SignatureOrNone,
    Value,
    complaint,
    moment,
)
from tandem.contract.layout import LATER, Layout
from tandem.contract.levels import Columns
from tandem.contract.measurement import Measurement
from tandem.contract.noise import Noise, noise
from tandem.errors import ContractError

Role = Literal["bank", "telco", "coordinator"]
BANK: Role = "bank"
TELCO: Role = "telco"
COORDINATOR: Role = "coordinator"
ROLES: tuple[Role, ...] = (BANK, TELCO, COORDINATOR)

PROTOCOL: Literal[1] = 1
"""Version of the protocols; both sides must speak the same."""

SLOT_BITS = 32
"""V: width of one row's slot in a pack of scores (protocols, part 4)."""
PASS_NOISE_BITS = 25
"""b in a training pass: low bits of each slot that noise covers."""
CARD_NOISE_BITS = 23
"""b under the final card."""


def _oprf_key(point: str) -> str:
    if point and not point.strip("0"):
        raise ValueError("must not be zero: under the identity every hash is public (A6)")
    return point


class Party(Value):
    """A party's public side. `tls_pin`: SHA-256 of its certificate's public key (two while it is replaced); `signing_key`: Ed25519."""

    name: Line
    tls_pin: Pins
    signing_key: Digest


class Telco(Party):
    """The party that holds subscribers. In a draft `oprf_key` is "" and `variables` 0: it fills both when it signs."""

    oprf_key: Annotated[DigestOrNone, AfterValidator(_oprf_key)] = ""
    """Public key of the oblivious hash, ristretto255: pins the one key that every answer is proved under (A5)."""
    variables: int = Field(default=0, ge=0, le=1000)
    """d_t: variables it offers; it always works with all of them."""


class Caps(Value):
    """Upper bounds, each enforced by the side it protects."""

    identifiers: int = Field(ge=1, le=100_000_000)
    """|Y|: identifiers the bank may ask for, over the contract's life (telco)."""
    table: int = Field(ge=1, le=(1 << 32) - 1)
    """|X|: tags the telco may offer (bank); a cover group that lost people keeps all its tags."""
    roster: int = Field(ge=1, le=100_000_000)
    """N: rows both work with (telco); customers and their cover, up to layout.cover rows for a customer."""
    disclosure_bits: int = Field(ge=1, le=10_000)
    """Bits a person, of scores and of told columns, that the bank may read over the contract's life (telco)."""
    trainings: int = Field(default=1, ge=1, le=100)
    """Jobs (trainings, or scorings under a scoring contract) over the contract's life (telco)."""


class Signatures(Value):
    """Ed25519 signatures in hex, "" where a party has not signed. Not part of the canonical bytes."""

    bank: SignatureOrNone = ""
    telco: SignatureOrNone = ""
    coordinator: SignatureOrNone = ""


class Contract(Value):
    """Terms and signatures. Made by `Contract.read`, so that every fault is a ContractError that names the field."""

    format: Literal[1]
    protocol: Literal[1] = PROTOCOL
    id: Identity
    """16 random bytes that the bank drew when it drafted."""
    epoch: int = Field(default=1, ge=1, le=1_000_000)
    """Part of the oblivious key's derivation: a new epoch, new tags."""
    kind: Literal["training", "scoring", "measurement"]
    purpose: Literal["marketing", "credit"]
    licence: Licence = ""
    """Number of the credit-reporting licence; needed where purpose is credit."""
    description: Sentence
    training: DigestOrNone = ""
    """Scoring: digest of the contract that the card was trained under."""
    card: DigestOrNone = ""
    """Scoring: digest of the card."""
    identifier: Literal["phone", "sha256", "md5", "sm3", "text"]
    start: Moment
    expiry: Moment
    bank: Party
    telco: Telco
    coordinator: Party | None = None
    """Absent where the bank solves."""
    auditor: Auditor | None = None
    """Who may have sealed rows opened afterwards, if anybody."""
    caps: Caps
    layout: Layout
    measurement: Measurement | None = None
    """What is counted, under a measurement contract; no other has it."""
    tells: Columns = ()
    """Scoring: columns of the telco's table whose level it tells of each person of the roster."""
    signatures: Signatures = Signatures()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.coordinator is None and self.solver == COORDINATOR:
            raise ValueError('coordinator is missing: add it, as `tandem contract new` writes it, or choose layout.solver = "bank"')
        if self.coordinator is not None and self.solver == BANK:
            raise ValueError('coordinator must be left out where layout.solver is "bank": there is none to sign')
        parties = [self.party(role) for role in self.roles]
        if len({party.signing_key for party in parties}) < len(parties):
            raise ValueError("signing_key must differ between bank, telco and coordinator: each party signs for itself")
        if self.auditor is not None and self.auditor.signing_key in {party.signing_key for party in parties}:
            raise ValueError("auditor.signing_key must be the key of no party: whoever audits takes no part")
        pins = [pin for party in parties for pin in party.tls_pin]
        if len(set(pins)) < len(pins):
            raise ValueError("tls_pin must differ between bank, telco and coordinator: a pin says who speaks")
        return self

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if (self.kind == "scoring") != bool(self.card) or (self.kind == "scoring") != bool(self.training):
            raise ValueError("card and training must both be given for a scoring contract, and for no other")
        if (self.kind == "measurement") != (self.measurement is not None):
            raise ValueError("measurement must be given for a measurement contract, and for no other")
        if self.measurement is not None and (self.layout.epsilon or self.telco.variables not in {0, len(self.measurement.segments)}):
            raise ValueError("telco.variables must be the number of measurement.segments, and layout.epsilon empty: no noise is drawn here")
        if self.auditor is not None and self.kind == "scoring":
            raise ValueError('auditor must be left out where kind is "scoring": the bank seals no rows there')
        if self.tells and self.kind != "scoring":
            raise ValueError('tells must be left out unless kind is "scoring": levels are told of people who are scored')
        if self.tells and self.layout.cover > 1:
            raise ValueError("tells does not go with layout.cover above 1: it would tell of people who are no customers of the bank")
        return self

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if moment(self.start) >= moment(self.expiry):
            raise ValueError("expiry must come after start")
        if self.purpose == "credit" and not self.licence:
            raise ValueError("licence must be given where purpose is credit: a credit study needs its licence number")
        if self.caps.roster > min(self.caps.table, self.caps.identifiers * self.layout.cover):
            raise ValueError("caps.roster must not exceed caps.identifiers times layout.cover, or caps.table: nobody else can be named")
        if self.layout.min_matched * self.layout.cover > self.caps.roster:
            raise ValueError("layout.min_matched times layout.cover must not exceed caps.roster: no study could start")
        if self.caps.disclosure_bits < self.job_bits:
            raise ValueError(f"caps.disclosure_bits must be at least {self.job_bits}: that is what one job discloses a person")
        return self

    @classmethod
    def read(cls, fields: Mapping[str, Any], where: str = "contract") -> Contract:
        """Return the contract with these fields (as TOML gives them). Raises ContractError naming each wrong field, and `where`."""
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as failure:
            raise ContractError(f"{where}: {complaint(failure)}") from None

    def amended(self, changes: Mapping[str, Any]) -> Contract:
        """Return the contract with the `changes` (sections merge field by field), checked as a whole. Signatures stay, but may not hold."""
        fields: dict[str, Any] = self.model_dump()
        for name, value in changes.items():
            fields[name] = {**(fields[name] or {}), **value} if isinstance(value, Mapping) else value
        return Contract.read(fields)

    @cached_property
    def canonical(self) -> bytes:
        """JSON of the terms: keys sorted, no spaces, UTF-8, whole numbers and text only; without the signatures."""
        terms = self.model_dump(exclude={"signatures"})
        for name in LATER:  # a contract without them has the digest that it had before there were such fields
            if terms["layout"][name] == Layout.model_fields[name].default:
                del terms["layout"][name]
        for name in ("measurement", "auditor"):
            if terms[name] is None:
                del terms[name]
        if not self.tells:
            del terms["tells"]
        return json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def digest(self) -> bytes:
        """The 32 bytes by which every frame names this contract."""
        return signing.digest(self.canonical)

    @property
    def solver(self) -> Role:
        """Who solves: coordinator or bank."""
        return self.layout.solver

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who takes part and signs: the three, or two where the bank solves."""
        return tuple(role for role in ROLES if self.filled_by(role) == role)

    def filled_by(self, role: Role) -> Role:
        """Return who does the work of `role` under this contract: itself, or the bank for a coordinator that there is not."""
        return self.solver if role == COORDINATOR else role

    def party(self, role: Role) -> Party:
        """Return the party that plays `role`. Raises ContractError for a coordinator where there is none."""
        parties: dict[Role, Party | None] = {BANK: self.bank, TELCO: self.telco, COORDINATOR: self.coordinator}
        found = parties[role]
        if found is None:
            raise ContractError(f'contract {self.id}: it has no {role}: layout.solver is "{self.solver}"')
        return found

    def role_of_pin(self, pin: str) -> Role:
        """Return whose TLS key has this SHA-256 (hex). Raises ContractError if nobody's: a certificate's name is no identity."""
        return self._role(lambda party: pin in party.tls_pin, "TLS key")

    def role_of_key(self, signing_key: str) -> Role:
        """Return whose signing key this is (hex). Raises ContractError if nobody's."""
        return self._role(lambda party: signing_key == party.signing_key, "signing key")

    def _role(self, owns: Callable[[Party], bool], what: str) -> Role:
        for role in self.roles:
            if owns(self.party(role)):
                return role
        raise ContractError(f"contract {self.id}: the {what} belongs to no party of it: use the keys whose card it was drafted with")

    # What follows from the terms

    @property
    def complete(self) -> bool:
        """Whether the telco has filled in its two fields."""
        return bool(self.telco.oprf_key) and self.telco.variables > 0

    @property
    def pass_bits(self) -> int:
        """Bits a person that the scores of one training pass disclose: V - b."""
        return SLOT_BITS - PASS_NOISE_BITS

    @property
    def card_bits(self) -> int:
        """Bits a person that one scoring with the card discloses: V - b."""
        return SLOT_BITS - CARD_NOISE_BITS

    @property
    def told_bits(self) -> int:
        """Bits a person that the told columns disclose, all together."""
        return sum(column.bits for column in self.tells)

    @property
    def job_bits(self) -> int:
        """Bits a person of one whole job: all passes and the card; the card and told columns under a scoring contract; else none."""
        if self.kind == "measurement":
            return 0
        return self.card_bits + self.told_bits + (self.layout.passes * self.pass_bits if self.kind == "training" else 0)

    @property
    def jobs(self) -> int:
        """How many jobs the caps on trainings and on bits both allow."""
        return min(self.caps.trainings, self.caps.disclosure_bits // self.job_bits) if self.job_bits else self.caps.trainings

    @property
    def noise(self) -> Noise | None:
        """What the telco's noise is to be in each job; None where none is asked for, or, as in a draft, no variables are named."""
        layout, variables = self.layout, self.telco.variables
        if not layout.epsilon or not variables or self.kind != "training":
            return None
        return noise(float(layout.epsilon), float(layout.delta), self.jobs, variables)

    @property
    def rows_cap(self) -> int:
        """Most rows a roster may have."""
        return self.caps.roster

    @property
    def totals(self) -> int:
        """Independent totals of one slot over the telco's variables: d_t * (B - 1), and with exact errors one a pair of variables."""
        d = self.telco.variables
        return d * (self.layout.bins - 1) + (d * (d - 1) // 2 if self.layout.se == "exact" else 0)

    # Signing, and what a node asks before it handles a frame

    def signed(self, key: Ed25519PrivateKey) -> Contract:
        """Return the contract with the signature of the party that owns `key`. Raises ContractError for a draft or a stranger's key."""
        role = self.role_of_key(signing.public_hex(key))
        if not self.complete:
            raise ContractError(
                f"contract {self.id}: telco.oprf_key and telco.variables are not filled in: the telco completes and signs the draft first"
            )
        return self.amended({"signatures": {role: signing.sign(key, self.canonical)}})

    def signature_fault(self, role: Role) -> str:
        """Return what is wrong with the signature of `role`, "" if it holds."""
        signature: str = getattr(self.signatures, role)
        if not signature:
            return f"the {role} has not signed"
        if not signing.signed_by(self.party(role).signing_key, signature, self.canonical):
            return f"the signature of the {role} does not fit: a field was changed after it signed, or another key signed"
        return ""

    def live(self, now: datetime) -> None:
        """Pass if the contract is complete, signed by all its parties and start <= now < expiry. Raises ContractError: what is not so."""
        faults = [fault for role in self.roles if (fault := self.signature_fault(role))]
        if not self.complete:
            faults.insert(0, "it is a draft: telco.oprf_key and telco.variables are not filled in")
        if faults:
            raise ContractError(f"contract {self.id}: {'; '.join(faults)}: have it signed with `tandem contract sign`")
        if now < moment(self.start):
            raise ContractError(f"contract {self.id}: start is {self.start}, which has not come: wait, or correct this machine's clock")
        if now >= moment(self.expiry):
            raise ContractError(f"contract {self.id}: expiry was {self.expiry}: draft a new contract and have it signed")

    def require(self, *, kind: str | None = None, purpose: str | None = None, digest: bytes | None = None) -> None:
        """Pass if the contract is of this kind and purpose and has this digest. Raises ContractError naming the field that differs."""
        for field, asked, agreed in (("kind", kind, self.kind), ("purpose", purpose, self.purpose)):
            if asked is not None and asked != agreed:
                raise ContractError(f'contract {self.id}: {field} is "{agreed}", but "{asked}" was asked: use a contract made for it')
        if digest is not None and digest != self.digest:
            raise ContractError(f"contract {self.id}: the other side names another digest: compare the files with `tandem contract verify`")
