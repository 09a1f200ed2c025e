"""Peak memory of each process of a study: what it has at rest, and what grows with rows, bins and columns.

What a process has at rest was measured in the very process, or in one that read the same file; the largest holders of the rest are counted
here. Bytes throughout; the constants were set so that scripts/plan_check agrees.
"""

from __future__ import annotations

from tandem.plan import work
from tandem.plan.job import Job
from tandem.plan.model import Machines
from tandem.wire.codec import PAYLOAD_LIMIT

NUMBER = 56
"""Bytes that a big number takes beside its limbs: object, allocator, place in a list."""

REMEMBERED = 110
"""Bytes that one remembered randomiser takes: a whole number and its place in a set, which doubles as it grows."""

ROW = 300
"""Bytes of a roster row that hang on neither columns nor slots: what is read, drawn and kept of it as plain Python numbers."""

PREPARED, FITTED, PACKED = 4, 5, 5
"""Copies of a row's columns while they are coded, of the training rows' while they are fitted, and of its slots before they are sealed."""

SEALING = 26 << 20
"""Bytes that a worker takes to seal a full message: exponents as bits, and as indices. More bits, fewer rows: as many under any key."""

MESSAGES = 12
"""Full messages on their way through a process at once: at both ends of pipes and streams, as frame and as payload."""

CELL = 8
"""Bytes of a number of the solver's matrices."""


def peaks(job: Job, machines: Machines) -> dict[str, int]:
    """Return the peak memory by process. The sealer's was measured with its file read, its workers' with the tables of its key."""
    on = machines
    rows, ciphertexts = job.matched, job.layout.ciphertexts
    messages = MESSAGES * PAYLOAD_LIMIT
    columns, slots = 8 * (job.columns + 1), 8 * len(job.layout.slots)
    fitted = job.training * FITTED * columns
    each = ROW + columns + max(PREPARED * columns, fitted, PACKED * slots + REMEMBERED * ciphertexts)
    full = min(1.0, rows * ciphertexts * job.width / PAYLOAD_LIMIT)
    number = job.width + NUMBER
    fold = work.folding(job, job.layout, on.summer.workers)
    codes = rows * len(job.bins)
    powers = job.total * job.slots * number
    cells = job.total**2 * CELL
    return {
        "sealer": max(on.sealer.peak, on.sealer.resident + round(rows * each) + messages),
        "sealer worker": on.sealer.worker + round(full * SEALING),
        "summer": max(on.summer.peak, on.summer.resident + 2 * codes + powers + 3 * job.packs * number + messages),
        "summer worker": on.summer.worker + fold.cells * number + 3 * job.packs * number + 3 * PAYLOAD_LIMIT,
        "solver": max(on.solver.peak, on.solver.resident + 8 * cells + job.total * number + messages // 4),
    }
