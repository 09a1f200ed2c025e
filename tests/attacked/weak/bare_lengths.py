"""Weak: frames travel as long as they are, not filled up."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tandem.wire import codec


@contextmanager
def bare_lengths():
    """Play sessions whose frames are as long as what they say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "bucket", lambda length: length)
        yield
