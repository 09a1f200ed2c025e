"""A study from file to card: load, align, train, score; what it ends with goes to disk whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bank_party import carried, coding, own_score
from bank_party.conduct import Conductor
from bank_party.config import StudyConfig
from bank_party.jobs import fingerprint
from bank_party.load import Customers, load
from bank_party.models import Model
from tandem.align.identifiers import Identifiers, normalise
from tandem.arguments import Chance
from tandem.contract import Contract
from tandem.crypto.opening import SecretKey
from tandem.describe.woe import Described, Rule
from tandem.errors import CheckFailed, ContractError, InputError
from tandem.node import disk
from tandem.node.keys import derive
from tandem.sums.terms import Integers, Reals, Terms
from tandem.train import sealer

Watch = Callable[[str, int], None]
"""(stage, its size in rows): told when a stage begins."""


@dataclass(frozen=True)
class Prepared:
    """The bank's file, read and checked against the contract before anybody is called."""

    customers: Customers
    ids: Identifiers
    labels: NDArray[np.uint8]
    earlier: Model | None = field(default=None, repr=False)
    """The model whose columns, coding and choice are carried over; `customers` has its columns alone then."""


@dataclass(frozen=True)
class Trained:
    """What a study ends with. `rows`: places in the bank's file of the matched customers, in roster order; the rest is in that order."""

    prepared: Prepared = field(repr=False)
    rows: Integers = field(repr=False)
    table_size: int
    hold_out: NDArray[np.bool_] = field(repr=False)
    model: Model
    own: list[coding.Coded] = field(repr=False)
    progress: sealer.Progress = field(repr=False)
    log_odds: dict[str, Reals] = field(repr=False)
    """By model: bank_only, joint (last pass, with its dither), joint_card."""
    points: Integers = field(repr=False)
    seconds: dict[str, float]


def prepare(config: StudyConfig, contract: Contract) -> Prepared:
    """Read the bank's file. Raises InputError for bad input, ContractError where the file does not fit the contract."""
    if contract.kind != "training":
        use = {"scoring": "score", "measurement": "measure"}[contract.kind]
        raise ContractError(f"contract {contract.id} is for {contract.kind}: use `tandem bank {use}`")
    source = config.table
    if not config.label_column:
        raise InputError('the study names no label: add label = "..." to it')
    earlier = carried.load(config, contract)
    numbers, texts = ([], []) if earlier is None else (earlier.numbers, earlier.texts)
    customers = load(source, config.folder, config.label_column, positive=config.positive, numeric=numbers, text=texts)
    if earlier is not None:
        customers = Customers(carried.of_model(earlier, customers.table), customers.labels)
    if customers.labels is None:
        raise InputError(f"{source.source}: there is no label to train on")
    columns = coding.columns_out(customers.table, config.coding) if earlier is None else carried.columns_out(earlier)
    if contract.noise is None and columns != contract.layout.bank_columns:
        raise ContractError(
            f"contract {contract.id}: layout.bank_columns is {contract.layout.bank_columns}, {source.source} gives {columns}: "
            "drop columns in the study, or draft a new contract"
        )
    ids = normalise(customers.table.ids, contract.identifier, source.keep, drop_bad=source.drop_bad)
    if len(ids) > contract.caps.identifiers:
        raise ContractError(f"contract {contract.id}: {len(ids)} customers, caps.identifiers is {contract.caps.identifiers}")
    return Prepared(customers, ids, customers.labels, earlier)


def inputs(config: StudyConfig, prepared: Prepared) -> bytes:
    """Return the digest of what a job is begun with: it can go on with the same alone."""
    wishes = config.model_dump_json(include={"coding", "choice"})
    return fingerprint(prepared.ids, prepared.customers.table, prepared.labels, wishes, *carried.digest(prepared.earlier))


def secret_key(folder: Path, contract: Contract, chance: Chance) -> SecretKey:
    """Return the contract's Paillier key: one a contract, made once and kept in the bank's own folder (0600)."""
    path = folder / f"paillier-{contract.digest.hex()[:16]}.key"
    if path.exists():
        return SecretKey.from_bytes(disk.read_private(path))
    key = SecretKey.generate(contract.layout.key_bits, chance)
    disk.write(path, key.to_bytes(), replace=False)
    return key


def trained_key(folder: Path, training: str) -> SecretKey:
    """Return the key of the contract (digest, hex) that a card was trained under. Raises InputError if it is gone."""
    path = folder / f"paillier-{training[:16]}.key"
    if not path.exists():
        raise InputError(f"{path} is missing: a card can only be read with the key that it was trained under; restore it")
    return SecretKey.from_bytes(disk.read_private(path))


def hold_out(ids: list[bytes], share: float, seed: bytes, contract: Contract) -> NDArray[np.bool_]:
    """Return which of these customers are kept for evaluation: drawn by the bank's seed, so nobody else can tell, and the same again."""
    chance = derive(seed, "hold-out", contract.digest)
    draws = [int.from_bytes(chance.fork(value).draw(8), "big") for value in ids]
    kept: NDArray[np.bool_] = np.array(draws, dtype=np.uint64) < np.uint64(int(share * 2**64))
    return kept


@dataclass(frozen=True)
class Looked:
    """What a look before training shows: how many match, and the released statistics under aliases."""

    asked: int
    matched: int
    described: list[Described]


async def look(
    config: StudyConfig, contract: Contract, prepared: Prepared, conductor: Conductor, seed: bytes, secret: SecretKey, watch: Watch
) -> Looked:
    """Align and describe; nothing is trained. Raises what goes wrong."""
    watch("align", len(prepared.ids))
    found = await conductor.align(prepared.ids.values)
    rows = prepared.ids.rows[found.rows]
    training = ~hold_out([prepared.ids.values[row] for row in found.rows], float(contract.layout.hold_out_share), seed, contract)
    y = prepared.labels[rows].astype(np.int64)
    sealable = sealer.Rows(np.ones((len(rows), 1)), y, training, found.places, len(found.positions))
    watch("describe", sealable.count)
    described = await conductor.describe(secret, sealable, _choice(config, prepared), found.positions)
    return Looked(len(prepared.ids), len(rows), described)


async def train(
    config: StudyConfig, contract: Contract, prepared: Prepared, conductor: Conductor, seed: bytes, secret: SecretKey, watch: Watch
) -> Trained:
    """Run the study against the peers. Raises what goes wrong; nothing is written here."""
    seconds = conductor.job.seconds
    ids, layout = prepared.ids, contract.layout
    watch("align", len(ids))
    found = await conductor.align(ids.values)
    rows = ids.rows[found.rows]
    with _timed(seconds, "start"):
        out = hold_out([ids.values[row] for row in found.rows], float(layout.hold_out_share), seed, contract)
        own, x = _own_columns(config, contract, prepared, rows, ~out)
        y = prepared.labels[rows].astype(np.int64)
        whole = sealable = sealer.Rows(x, y, ~out, found.places, len(found.positions))
        if contract.noise is not None:
            sealable, alone = own_score.folded(whole, float(layout.ridge_weight))
        progress = sealer.begin(sealable, float(layout.ridge_weight))
    if contract.noise is None:
        alone = progress.theta
    for stage in range(1, layout.passes + 1):
        watch(f"pass_{stage}", sealable.count)
        progress = await conductor.train(secret, sealable, progress, _choice(config, prepared), found.positions, stage)
    if layout.se == "exact":
        per_row = Terms.of(contract).layout(secret.public).ciphertexts
        watch("errors", sealable.count + sealable.count // per_row)  # rows, then their weights alone
        await conductor.errors(secret, sealable, progress, found.positions)
    watch("score", sealable.count)
    card = await conductor.card(secret, sealable, found.positions)
    if failed := progress.failed or card.failed:
        conductor.job.end()
        raise CheckFailed(f"the study ran to its end, but a check failed and nothing was released: {failed}")
    if contract.noise is not None:
        card = own_score.unfolded(card, whole, float(layout.ridge_weight))
    codings = tuple(one.coding for one in own)
    model = Model.of(contract.digest.hex(), layout.card_step, card, codings, progress.described, alone, progress.ridge)
    log_odds = {
        "bank_only": x @ alone,
        "joint": sealable.x @ progress.theta + progress.scores,
        "joint_card": sealer.card_log_odds(x, card.theta, card.row_points),
    }
    return Trained(prepared, rows, found.table, out, model, own, progress, log_odds, card.row_points, seconds)


def _own_columns(
    config: StudyConfig, contract: Contract, prepared: Prepared, rows: Integers, training: NDArray[np.bool_]
) -> tuple[list[coding.Coded], Reals]:
    """Code the bank's own columns on its training rows alone, or as carried over; return them and x (N, 1 + d_b) in roster order."""
    table, layout = prepared.customers.table, contract.layout
    mask = np.zeros(table.rows, dtype=np.bool_)
    mask[rows[training]] = True
    rule = Rule(layout.min_bin, layout.min_class)
    if prepared.earlier is None:
        own = coding.fit(table, prepared.labels, mask, config.coding, bins=layout.bins, rule=rule)
    else:
        own = carried.coded(prepared.earlier.codings, table, prepared.labels, mask, bins=layout.bins, rule=rule)
    coded = coding.apply([one.coding for one in own], table.take(rows))
    return own, np.column_stack((np.ones(len(rows)), coded))


def _choice(config: StudyConfig, prepared: Prepared) -> sealer.Choice:
    wish = config.choice
    keep = tuple(wish.keep) if prepared.earlier is None else prepared.earlier.aliases
    return sealer.Choice(keep, wish.min_iv, wish.max_correlation, wish.max_vif, wish.monotone)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - began
