"""The same on kind, where a Docker daemon answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

from cluster import programs
from cluster.places import ClusterError, Places

_START_SECONDS: Final = 600
_ASK_SECONDS: Final = 20


def docker_answers() -> bool:
    """Whether there is a docker command whose daemon answers."""
    if shutil.which("docker") is None:
        return False
    try:
        return (
            subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=_ASK_SECONDS).returncode == 0
        )
    except subprocess.TimeoutExpired:
        return False


@dataclass(frozen=True, slots=True)
class KindCluster:
    """A cluster that kind runs in Docker under the name `usher-<name>`."""

    places: Places

    @property
    def is_up(self) -> bool:
        if not self.places.kubeconfig.exists():
            return False
        return f"usher-{self.places.name}" in self._kind("get", "clusters").split()

    def start(self) -> None:
        """Creates it; one of that name that can't be used any more is replaced."""
        self.places.create()
        self.end()
        self.places.kind.touch()
        self._kind("create", "cluster", *self._named, "--wait", "120s")

    def end(self) -> None:
        self._kind("delete", "cluster", *self._named)

    @property
    def _named(self) -> tuple[str, ...]:
        return "--name", f"usher-{self.places.name}", "--kubeconfig", str(self.places.kubeconfig)

    def _kind(self, *arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
        program = programs.locate(programs.kind())
        try:
            done = subprocess.run(
                [program, *arguments],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_START_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise ClusterError(f"kind {arguments[0]} takes more than {_START_SECONDS} s") from None
        if done.returncode != 0:
            raise ClusterError(f"kind {arguments[0]} failed:\n{done.stderr.strip()[-2000:]}")
        return done.stdout
