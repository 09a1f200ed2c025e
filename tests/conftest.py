"""Loaded before any test: tandem must come before grpc, which reads its TLS settings when it is imported."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

import tandem  # noqa: F401 - for what its import sets

# The gate must say the same of the same code: it draws the same examples every time. By hand every run draws new ones. How long an example
# takes says something of the machine and what else it does: no test fails by it.
settings.register_profile("hand", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "hand")

# A shell starts what it puts into the background with SIGINT ignored, and our processes would inherit that: Ctrl-C could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
