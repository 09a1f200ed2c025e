"""A sealer's process that is forked from one that was ready, killed with signal 9 in the middle, and begun again: many times over.

Run as a program of its own, since a test's process has threads and must not be forked. It prints n, then a line a row: label, ciphertext.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from gmpy2 import mpz

TESTS = Path(__file__).parents[1]


def run(bits: int, cycles: int, rows: int, chance: str) -> tuple[list[mpz], list[int], int]:
    """Return all ciphertexts that got out before a kill, their labels, and n. `chance`: "system" as shipped, or "copied"."""
    command = [sys.executable, str(Path(__file__)), str(bits), str(cycles), str(rows), chance]
    search = os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=search) as program:
        n = int(program.stdout.readline(), 16)
        split = [line.split() for line in program.stdout]
    if program.returncode:
        raise RuntimeError(f"the sealing program ended with {program.returncode}")
    return [mpz(c, 16) for _, c in split], [int(label) for label, _ in split], n


def main(bits: int, cycles: int, rows: int, kind: str) -> None:
    from tandem.arguments import Seeded  # noqa: PLC0415 - the parent of this program imports the module for `run` alone
    from tandem.crypto.opening import SecretKey  # noqa: PLC0415 - as above
    from tandem.crypto.paillier import read  # noqa: PLC0415 - as above
    from tandem.node.chance import System  # noqa: PLC0415 - as above

    secret = SecretKey.generate(bits, Seeded(b"crashes"))
    secret.seal([0], Seeded(b"warm"))
    chance = System() if kind == "system" else Seeded(os.urandom(32))  # the second lies in memory, and every fork has a copy
    print(f"{int(secret.public.n):x}", flush=True)  # noqa: T201 - a program that prints
    for cycle in range(cycles):
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(out)
            labels = random.Random(cycle)
            number = 0
            while True:  # until it is killed
                drawn = [labels.randrange(2) for _ in range(25)]
                sealed = secret.seal(drawn, chance.fork("seal", number))
                values = read(sealed.encode(), secret.public.width)
                os.write(into, b"".join(b"%d %x\n" % pair for pair in zip(drawn, map(int, values), strict=True)))
                number += 1
        os.close(into)
        got, data = 0, b""
        with os.fdopen(out, "rb") as pipe:
            while got < rows:
                data += (line := pipe.readline())
                got += line.endswith(b"\n")
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.stdout.write(data.decode())
        sys.stdout.flush()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]), sys.argv[4])
