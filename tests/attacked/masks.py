"""Attacks on masks and slots tried (K8, K9)."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
from attacks.k08_around_the_mask import MASK_BITS, above_the_mask, difference, marks, one_each
from attacks.k09_beyond_the_slots import edges, undeclared, undeclared_bins

from attacked.results import Result, Size, rate
from attacked.sealed_sums import SealedSums, key, made
from attacked.views import changed
from attacked.weak.masks import per_slot, used_again
from attacked.weak.slots import Narrow, no_top_noise
from tandem.arguments import Seeded, below
from tandem.crypto.slots import Layout, Slot
from tandem.errors import TandemError
from tandem.sums.solver import totals
from tandem.wire.messages import Sealed

VARIABLES = 10
WIDTH = 78


def _world(bits: int, seed: int) -> tuple[SealedSums, int]:
    """Return a session over rows of zeros, slots of 78 bits, and how many slots (hence targets) fit."""
    slots = (bits - 3) // WIDTH
    world = made(key(bits), 40, (3,) * VARIABLES, seed, slots=slots, reach=(1 << 62) - 1, cap=1 << 14)
    return replace(world, rows=np.zeros_like(world.rows)), slots


def _numbered(size: Size, sessions: int) -> range:
    """Return the seeds of so many sessions: others for another seed of the run."""
    return range(1000 * size.seeds[0], 1000 * size.seeds[0] + sessions)


def _cheating(world: SealedSums, cheat) -> SealedSums:
    return replace(world, corrupt={"sealer": lambda role: changed(role, Sealed, cheat)})


def around(size: Size, *, weak: bool = False) -> Result:
    """K8: targets all of whose ten bins are read from above the mask."""
    hits = trials = 0
    for seed in _numbered(size, -(-(26 if weak else 200) // ((size.key_bits - 3) // WIDTH))):
        world, slots = _world(size.key_bits, seed)
        assert world.layout.width == WIDTH
        with per_slot(WIDTH, slots, MASK_BITS) if weak else nullcontext():
            view = _cheating(world, above_the_mask(world.n, WIDTH, slots)).play().sealer
        found = marks(view, world.n, WIDTH, world.bins, slots)
        hits += sum(found[t] == world.codes[t].tolist() for t in range(slots))
        trials += slots
    return rate("targets read, ten variables each", hits, trials)


around_weak = partial(around, weak=True)


def again(size: Size, *, weak: bool = False) -> Result:
    """K8: targets all of whose ten bins are read from the difference of two passes."""
    hits = trials = 0
    for seed in _numbered(size, -(-(26 if weak else size.of(100, 200)) // ((size.key_bits - 3) // WIDTH))):
        world, slots = _world(size.key_bits, seed)
        views = []
        for number, one in enumerate((world, _cheating(world, one_each(world.n, WIDTH, slots)))):
            with used_again() if weak else nullcontext():
                views.append(replace(one, seed=b"pass %d %d" % (seed, number)).play().sealer)
        found = difference(*views, world.n, WIDTH, world.bins, slots)
        hits += sum(found[t] == world.codes[t].tolist() for t in range(slots))
        trials += slots
    return rate("targets read, ten variables each", hits, trials)


again_weak = partial(again, weak=True)


def silent(size: Size, shape: type[Layout] = Layout) -> Result:
    """K9: sums at the edges, through packing, top noise and mask, against exact integers: wrong ones that nothing was said of."""
    rng, chance, n = np.random.default_rng(size.seeds[0]), Seeded(b"silent %d" % size.seeds[0]), int(key(512).public.n)
    wrong, cases = 0, size.of(4_000, 20_000)
    for _ in range(cases):
        reach = [int(rng.integers(1, 1 << int(rng.integers(1, 31)))) for _ in range(int(rng.integers(1, 6)))]
        slots = tuple(Slot(f"x{i}", -top if rng.random() < 0.7 else 0, top) for i, top in enumerate(reach))
        layout = shape(slots, int(rng.integers(1, 1 << int(rng.integers(1, 21)))), 512)
        parts = edges(layout, rng)
        exact = [sum(count * row[s] for count, row in parts) for s in range(len(slots))]
        packed = [
            sum(count * plain for (count, _), plain in zip(parts, column, strict=True))
            for column in layout.pack(np.array([row for _, row in parts]))
        ]
        masks = [below(chance, n) for _ in packed]
        shares = [(plain + layout.top_noise(chance, part) + mask) % n for part, (plain, mask) in enumerate(zip(packed, masks, strict=True))]
        try:
            plain = [(share - mask) % n for share, mask in zip(shares, masks, strict=True)]
            wrong += totals(layout, plain, np.array([sum(count for count, _ in parts)]))[0].tolist() != exact
        except TandemError:
            pass
    return rate("sums wrong in silence", wrong, cases)


silent_weak = partial(silent, shape=Narrow)


def smuggled(size: Size, *, weak: bool = False) -> Result:
    """K9: rows whose eight codes the bank and the coordinator read above the declared slots."""
    rows = 500
    world = made(key(max(1024, size.key_bits)), rows, (4,) * 8, size.seeds[0], reach=(1 << 11) - 1)
    world = _cheating(world, undeclared(world.n, world.layout, rows))
    with no_top_noise() if weak else nullcontext():
        played = world.play()
    found = undeclared_bins(played.solver.with_(played.sealer), world.n, world.layout, rows, world.bins)
    return rate("rows read above the slots", sum(one == other for one, other in zip(found, world.codes.tolist(), strict=True)), rows)


smuggled_weak = partial(smuggled, weak=True)
