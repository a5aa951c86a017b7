"""The file under the store: who may read it, who has it, and what to tell when it can't be used."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from usher.core.errors import CycleError, scrub

PRIVATE: Final = 0o600
"""Mode of the state file: it names people."""


def unusable(name: str, why: str) -> CycleError:
    """The one error of a store that can't go on. `why` must not name people."""
    return CycleError(
        f"the state in {name} can't be used: {scrub(why)}. Check free space and permissions of its volume; if the file "
        "itself is the cause, move it away with its -wal and -shm, and put a copy in its place. Without a copy, "
        "the next cycle matches again, but people who left since the last sync stay active at the app: nobody "
        "remembers whose account was whose",
        reason="StateUnusable",
    )


@contextmanager
def locked(path: Path) -> Iterator[Path]:
    """Holds `<path>.lock` for this process alone, and makes the state file, private (mode 0600), where there is none.

    Gives the path without links in it. The lock file stays: once removed, a third process could lock a new file of that
    name beside the holder of the old one.
    Raises CycleError: `StateLocked` while another holder is there, `StateUnusable` where the files can't be opened, and
    for an empty file: we make none, so it was cut off, and with it went every link.
    """
    path = path.resolve()
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = _open_private(lock)
    except OSError as error:
        raise unusable(str(path), _reason(error)) from error
    try:
        _take(descriptor, path)
        try:
            size = _size_of(path)
        except OSError as error:
            raise unusable(str(path), _reason(error)) from error
        if size == 0:
            raise unusable(str(path), "it is empty (0 bytes), which a state never is: its content was lost")
        yield path
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _open_private(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)


def _size_of(path: Path) -> int:
    """Bytes of the state file, which is made where there is none."""
    if not path.exists():
        _make(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    """A database without tables, whole or not at all: whoever is killed here leaves no empty file behind."""
    with closing(sqlite3.connect(":memory:")) as nothing:
        nothing.execute("PRAGMA user_version = 0")  # makes the first page
        content = nothing.serialize()
    new = path.with_name(f"{path.name}.new")
    descriptor = _open_private(new)
    try:
        os.ftruncate(descriptor, 0)
        with open(descriptor, "wb", closefd=False) as opened:
            opened.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)


def _take(descriptor: int, path: Path) -> None:
    try:
        # Not lockf: a record lock excludes no second store in this process, and any close of the file drops it.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise CycleError(
            f"the state file {path} is in use by process {holder or 'unknown'}: stop that one first, or give this one "
            "a state file of its own",
            reason="StateLocked",
        ) from error
    except OSError as error:
        raise unusable(str(path), f"its lock can't be taken: {_reason(error)}") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
