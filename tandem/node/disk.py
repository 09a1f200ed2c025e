"""Files of our own: written whole or not at all, and secrets readable by their owner alone."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tandem.errors import InputError

PRIVATE = 0o600
PUBLIC = 0o644
OTHERS = 0o077
"""Rights of group and others."""

TEXT_LIMIT = 1 << 20
"""Bytes of a file that a person may have edited."""


def explain(failure: OSError, path: Path, doing: str) -> InputError:
    """Return what the user must know of `failure` while `doing` ("write", "read") something to `path`."""
    advice = {
        errno.ENOSPC: "the disk is full: free some space and start again",
        errno.EDQUOT: "the disk quota is used up: free some space and start again",
        errno.EACCES: "no permission: run as the owner of that folder",
        errno.EROFS: "the disk is read-only: choose another folder",
        errno.ENOENT: "it does not exist: check the path",
        errno.EISDIR: "it is a folder: name a file",
        errno.EEXIST: "it exists already: choose another name, or move it away first",
    }.get(failure.errno or 0, failure.strerror or "unknown failure")
    return InputError(f"cannot {doing} {path}: {advice}")


def make_private_folder(path: Path) -> None:
    """Make the folder with rights 0700, its parents as usual. Raises InputError if it exists and others may enter, or it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
    except OSError as failure:
        raise explain(failure, path, "make") from None
    _owned(found, path, "chmod 700")


def write(path: Path, data: bytes, mode: int = PRIVATE, *, replace: bool = True) -> None:
    """Write the file whole or not at all; see `writing`."""
    with writing(path, mode, replace=replace) as file:
        file.write(data)


@contextmanager
def writing(path: Path, mode: int = PRIVATE, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Give a file to write to that takes its name at the end of the block: whole or not at all.

    A temporary beside it (0600 from the start), synced, then renamed. Raises InputError where that fails (full disk, no permission) or,
    without `replace`, where the file exists; if that or the block fails, nothing is left behind.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            if mode != PRIVATE:
                os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(temporary).replace(path)
        else:
            path.hardlink_to(temporary)  # fails where the name is taken: no moment between looking and writing
        _sync_folder(path.parent)
    except OSError as failure:
        raise explain(failure, path, "write") from None
    finally:
        if temporary:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()


def append(path: Path, data: bytes) -> None:
    """Add to the end of a private file, made if absent; it is on the disk before this returns. Raises InputError where that fails."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, PRIVATE)
        with os.fdopen(handle, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        raise explain(failure, path, "write") from None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock on the file `path`, made if absent, while the context lasts. Raises InputError if another process holds it."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE)
    except OSError as failure:
        raise explain(failure, path, "write") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{path} is locked: another command is at work on the same contract; wait for it, or stop it") from None
        yield
    finally:
        os.close(handle)


def read_private(path: Path) -> bytes:
    """Return the bytes of a secret. Raises InputError if it is missing, or not ours, or readable by others: then it is no secret."""
    try:
        with path.open("rb") as file:
            _owned(os.fstat(file.fileno()), path, "chmod 600")
            return file.read()
    except OSError as failure:
        raise explain(failure, path, "read") from None


def require_private_folder(path: Path) -> None:
    """Pass if the folder is ours and nobody else may enter it. Raises InputError."""
    try:
        _owned(path.stat(), path, "chmod 700")
    except OSError as failure:
        raise explain(failure, path, "read") from None


def require_private(path: Path) -> None:
    """Pass if the file is ours and nobody else may read it. Raises InputError."""
    try:
        _owned(path.stat(), path, "chmod 600")
    except OSError as failure:
        raise explain(failure, path, "read") from None


def read_text(path: Path) -> str:
    """Return the text of a file of at most 1 MiB. Raises InputError if it is missing, larger, or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(TEXT_LIMIT + 1)
    except OSError as failure:
        raise explain(failure, path, "read") from None
    if len(data) > TEXT_LIMIT:
        raise InputError(f"{path} is larger than {TEXT_LIMIT} bytes: this is no file of ours")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: save it as UTF-8") from None


def _owned(found: os.stat_result, path: Path, remedy: str) -> None:
    if found.st_uid != os.geteuid():
        raise InputError(f"{path} belongs to another user: run as its owner, or `chown {os.geteuid()} {path}`")
    if stat.S_IMODE(found.st_mode) & OTHERS:
        raise InputError(f"{path} can be read or changed by others: `{remedy} {path}`")


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
