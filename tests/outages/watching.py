"""What the API server says of an object, from its first word to its last: nothing is missed between two looks."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from cluster.fixtures import Namespace
from cluster.programs import clients, locate

_CHUNK: Final = 65536


@dataclass(frozen=True, slots=True)
class Said:
    """A status, and how much the record of the app had when it was seen."""

    status: dict[str, Any]
    recorded: int

    def is_true(self, condition: str) -> bool:
        """Whether this condition is True."""
        return any(one["type"] == condition and one["status"] == "True" for one in self.status.get("conditions", ()))


@dataclass(slots=True)
class Watch:
    """Everything that was said of one object, past all proxies. `with` begins and ends it."""

    namespace: Namespace
    what: str
    record: Path
    said: list[Said] = field(default_factory=list)
    _ended: Event = field(default_factory=Event)
    _process: subprocess.Popen[str] | None = None
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._follow, name=f"watch {self.what}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join()

    @property
    def last(self) -> Said:
        """An empty one before there is any."""
        return self.said[-1] if self.said else Said({}, 0)

    def _follow(self) -> None:
        """The API server ends a watch after a while: the next one begins with the object as it is."""
        (kubectl,) = (locate(each) for each in clients() if each.name == "kubectl")
        command = [str(kubectl), f"--kubeconfig={self.namespace.kubeconfig}", f"--namespace={self.namespace.name}"]
        command += ["get", self.what, "--watch", "--output=json"]
        while not self._ended.is_set():
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            with self._process:
                self._listen(self._process)
            self._ended.wait(0.2)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if line == "}\n":  # kubectl indents everything that is inside of an object
                found = json.loads("".join(lines))
                lines = []
                size = self.record.stat().st_size if self.record.exists() else 0
                self.said.append(Said(found.get("status", {}), size))
