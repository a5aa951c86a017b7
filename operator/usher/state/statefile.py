"""The file under the store: who may read it, who has it, and what to tell when it can't be used."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from usher.core.errors import CycleError, scrub

PRIVATE: Final = 0o600
"""Mode of the state file: it names people."""


def unusable(name: str, why: str) -> CycleError:
    """The one error of a store that can't go on. `why` must not name people."""
    return CycleError(
        f"the state in {name} can't be used: {scrub(why)}. Check free space and permissions of its volume; if the file "
        "itself is the cause, move it away with its -wal and -shm: it is a cache, the next cycle matches again",
        reason="StateUnusable",
    )


@contextmanager
def locked(path: Path) -> Iterator[Path]:
    """Holds `<path>.lock` for this process alone, and makes the state file, private (mode 0600), where there is none.

    Gives the path without links in it. The lock file stays: once removed, a third process could lock a new file of that
    name beside the holder of the old one.
    Raises CycleError: `StateLocked` while another holder is there, `StateUnusable` where the files can't be opened.
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
            os.close(_open_private(path))
        except OSError as error:
            raise unusable(str(path), _reason(error)) from error
        yield path
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _open_private(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)


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
