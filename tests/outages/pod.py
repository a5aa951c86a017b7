"""`usher operator` as a process that can be stopped, continued, and started again as the kubelet would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from machine.commit import ROOT

PATIENCE: Final = 120.0
_HASTY: Final = """
import usher.state.postgres as server
import usher.state.tenure as tenure
server.LEASE, tenure.BEAT, tenure._CERTAIN, tenure._OURS = 6, 2.0, 3.0, 5.0
from usher.cli.main import main
main()
"""
"""The operator with a fifth of its patience for whoever else has the state: the proportions stay what they are."""


@dataclass(slots=True)
class Operator:
    """One Pod. `folder` gets the log; `arguments` are those behind `usher operator`, without --listen."""

    folder: Path
    name: str
    arguments: Sequence[str]
    port: int
    hasty: bool = False
    exits: list[int] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """All that it said, over all starts."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def start(self) -> None:
        """Does not wait until it is ready."""
        main = ("-c", _HASTY) if self.hasty else ("-m", "usher.cli.main")
        command = [sys.executable, *main, "operator", *self.arguments, f"--listen=127.0.0.1:{self.port}"]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT / "operator")}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment | {"HOME": str(self.folder)},
                start_new_session=True,
            )

    def attend(self) -> None:
        """What a kubelet does: a process that has ended is started again. `exits` has the codes."""
        code = self.exit_code
        if code is not None:
            self.exits.append(code)
            self.start()

    def is_ready(self) -> bool:
        """Whether its probe says so."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def await_ready(self) -> None:
        """Raises AssertionError with its last words when it ends, or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            assert self.exit_code is None, self.last_words()
            assert time.monotonic() < deadline, self.last_words()
            time.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        os.kill(self.pid, number)

    def end(self) -> None:
        """SIGTERM, and SIGKILL for one that does not heed it; fine when it does not run, or never did."""
        if self._process is None or self._process.poll() is not None:
            return
        self.send(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def lines(self) -> list[dict[str, object]]:
        """Its log; what is no JSON, such as a last error, is under `text`."""
        found: list[dict[str, object]] = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"text": line})
        return found

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
