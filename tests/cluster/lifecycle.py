"""Clusters come up, are shared by processes, and go with the last one that used them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import programs
from cluster.control_plane import ControlPlane
from cluster.kind import KindCluster, docker_answers
from cluster.places import ClusterError, Places, alone
from cluster.processes import Stamp


def say(line: str) -> None:
    """Progress, on standard error: the results of a command are on standard output."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def build() -> None:
    """Makes all programs that a cluster without Docker needs."""
    programs.ensure((*programs.control_plane(), *programs.clients()), say)


def up(name: str) -> Path:
    """Starts or repairs the cluster for a person, who ends it; gives its kubeconfig."""
    places = Places(name)
    with alone(places.lock):
        _raise_up(places)
        places.kept.touch()
    return places.kubeconfig


def down(name: str) -> None:
    """Ends its processes and removes all that it stored."""
    places = Places(name)
    with alone(places.lock):
        _remove(places)


def is_up(name: str) -> bool:
    """Whether the cluster can be used."""
    return _backend(Places(name)).is_up


@contextmanager
def used(name: str) -> Iterator[Path]:
    """The kubeconfig of the cluster while this process uses it.

    The last process to leave ends the cluster, unless a person started it. A killed process can't leave; it counts no
    longer as one that uses it, so that the next one to leave ends the cluster.
    """
    places = Places(name)
    with alone(places.lock):
        _raise_up(places)
        mine = places.users / str(os.getpid())
        stamp = Stamp.of(os.getpid())
        if stamp is None:
            raise ClusterError("this process does not find itself")
        stamp.write(mine)
    try:
        yield places.kubeconfig
    finally:
        with alone(places.lock):
            mine.unlink(missing_ok=True)
            if places.root.exists() and not places.kept.exists() and not _users(places):
                _remove(places)


def _raise_up(places: Places) -> None:
    backend = _backend(places)
    if isinstance(backend, ControlPlane):
        build()
    if backend.is_up:
        return
    try:
        _start(places, backend)
    except BaseException:
        backend.end()  # nobody would know of a half-started cluster; its folder keeps what it said
        raise


def _start(places: Places, backend: ControlPlane | KindCluster) -> None:
    """Starts what is missing; a control plane that won't start with what it stored starts without."""
    try:
        backend.start()
    except ClusterError as error:
        if not isinstance(backend, ControlPlane):
            raise
        say(f"Starting {places.name} anew, without what it stored. {error}")
        _clear(places)
        backend.start()


def _backend(places: Places) -> ControlPlane | KindCluster:
    """What runs the cluster already; else kind where Docker answers, else processes of our own."""
    if places.kind.exists():
        return KindCluster(places)
    if places.ports.exists() or not docker_answers():
        return ControlPlane(places)
    return KindCluster(places) if programs.can_have(programs.kind()) else ControlPlane(places)


def _users(places: Places) -> list[Stamp]:
    """The processes that use the cluster and still run."""
    stamps = [Stamp.read(file) for file in places.users.iterdir()] if places.users.exists() else []
    return [stamp for stamp in stamps if stamp is not None and stamp.runs]


def _clear(places: Places) -> None:
    """Ends the processes and removes what they stored; who uses the cluster stays known."""
    _backend(places).end()
    for path in places.root.iterdir():
        if path.is_dir() and path != places.users:
            shutil.rmtree(path)
        elif path.is_file() and path != places.kept:
            path.unlink()


def _remove(places: Places) -> None:
    if places.root.exists():
        _backend(places).end()
        shutil.rmtree(places.root)
    places.lock.unlink(missing_ok=True)
