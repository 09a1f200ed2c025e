"""Loaded before any test: tandem must come before grpc, which reads its TLS settings when it is imported."""

from __future__ import annotations

import tandem  # noqa: F401 - for what its import sets
