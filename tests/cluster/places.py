"""Where the throw-away clusters lie: in `~/.cache/usher-cluster`, apart from the folders of the user's own tools."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")


class ClusterError(Exception):
    """Something that a person has to do first, or a cluster that doesn't start; the message says which and how."""


def cache() -> Path:
    return Path.home() / ".cache" / "usher-cluster"


def programs_folder() -> Path:
    return cache() / "bin"


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of the cluster `name`; it holds private keys, so nobody else may look in."""

    name: str

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ClusterError(f"{self.name!r} can't name a cluster: 1 to 30 of a-z, 0-9 and -, a letter first")

    @property
    def root(self) -> Path:
        return cache() / "clusters" / self.name

    @property
    def lock(self) -> Path:
        return cache() / "clusters" / f"{self.name}.lock"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def certificates(self) -> Path:
        return self.root / "pki"

    @property
    def data(self) -> Path:
        return self.root / "etcd"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def users(self) -> Path:
        """One file for each process that uses the cluster; the last one to leave ends it."""
        return self.root / "users"

    @property
    def kept(self) -> Path:
        """Exists when a person started the cluster: then no process that used it ends it."""
        return self.root / "kept"

    @property
    def kind(self) -> Path:
        """Exists when kind runs the cluster."""
        return self.root / "kind"

    def create(self) -> None:
        for folder in (self.root, self.certificates, self.users):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Holds the lock of that name; a second process waits, and a killed one leaves nothing locked.

    Its holder may remove the file: who waited for it then takes the lock of the new file of that name.
    """
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(lock, file.fileno()):
                continue
            yield
            return


def _is_at(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(opened))
    except FileNotFoundError:
        return False
