"""kubectl, helm and the ldap tools as the demo's reader would use them, always with the demo's own configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.terminal import Terminal

TIMEOUT: Final = 120.0


class CommandFailed(Exception):
    """A command ended with an error; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands in `root`. `tools` is put before PATH: there are kubectl and helm.

    `kubeconfig` is kubectl's configuration, `ldap` that of the ldap tools.
    """

    root: Path
    kubeconfig: Path
    ldap: Path
    tools: Path
    terminal: Terminal

    @property
    def environment(self) -> Mapping[str, str]:
        """The demo's configurations, no proxy on the way to 127.0.0.1, and nothing remembered in the user's home."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not (name.lower().endswith("_proxy") or name.startswith("LDAP"))
        }
        memory = self.kubeconfig.parent / "memory"
        return {
            **inherited,
            "PATH": f"{self.tools}{os.pathsep}{inherited.get('PATH', os.defpath)}",
            "KUBECONFIG": str(self.kubeconfig),
            "LDAPCONF": str(self.ldap),
            "KUBECACHEDIR": str(memory),
            "KUBERC": "off",
            **{f"HELM_{kind}_HOME": str(memory) for kind in ("CACHE", "CONFIG", "DATA")},
        }

    def show(self, *words: str, given: str | None = None) -> str:
        """Prints the command with what it is given, runs it, prints and gives what it answers. Raises CommandFailed."""
        if given is None:
            self.terminal.command(words)
        else:
            self.terminal.command((*words, "<<", "END"))
            self.terminal.given(given)
        answer = self.run(*words, given=given)
        self.terminal.output(answer)
        return answer

    def save(self, file: str, *words: str) -> None:
        """Prints and runs the command; its answer goes into the file. Raises CommandFailed."""
        self.terminal.command((*words, ">", file))
        (self.root / file).write_text(self.run(*words), encoding="utf-8")

    def run(self, *words: str, given: str | None = None) -> str:
        """What the command answers. Raises CommandFailed with what it says about its failure."""
        try:
            done = subprocess.run(
                words,
                cwd=self.root,
                env=dict(self.environment),
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{_name(words)} gave no answer within {TIMEOUT:.0f} s") from None
        if done.returncode != 0:
            raise CommandFailed(f"{_name(words)} failed:\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def _name(words: Sequence[str]) -> str:
    return " ".join(words[:3])
