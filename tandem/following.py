"""Run a command of `tandem` for another process, and stop it, as SIGTERM would, when that process is gone: even one that was killed.

It holds the other end of our standard input, which ends with it. Workers follow in turn (`engine.pool`).
"""

from __future__ import annotations

import os
import signal
import threading

from tandem import cli


def follow() -> None:
    """Wait until standard input ends, and tell this process to stop."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=follow, daemon=True).start()
    cli.main()
