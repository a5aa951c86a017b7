"""`make demo`: people go from a directory into an app, on a throw-away cluster, and everything that happens is shown.

python tests/demo/demo.py [--exit] [--name NAME]
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # not this folder, where this very file would hide the package

from cluster import lifecycle
from cluster.places import ClusterError, Places, programs_folder
from cluster.programs import clients, locate
from demo.directory import Directory
from demo.programs import Program, ProgramEnded
from demo.shell import CommandFailed, Shell
from demo.stage import NAMESPACE, Stage
from demo.story import NeverHappened, Story
from demo.terminal import Terminal
from directory.slapd import SlapdError

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = ("operator", "app", "directory")
"""In the order in which they are ended: the operator while its ends still answer."""


@dataclass(slots=True)
class Demo:
    """One demo from its first to its last line. `step` is what it is doing, `part` whose log tells of a failure."""

    name: str
    terminal: Terminal
    step: str = ""
    part: str = ""
    begin: float = field(default_factory=time.monotonic)

    @property
    def folder(self) -> Path:
        return ROOT / "build" / self.name

    @property
    def programs(self) -> list[Program]:
        return [Program(self.folder, name) for name in PROGRAMS]

    def run(self) -> Story:
        """All steps, in order."""
        self._enter("A throw-away Kubernetes API server", part="")
        admin = lifecycle.up(self.name)
        for client in clients():
            locate(client)
        shell = self._shell(admin)
        stage = Stage(self.folder, shell, self.terminal)
        self._enter("A directory", part="directory")
        directory = Directory.start(self.folder, shell)
        directory.look()
        self._enter("An app with a SCIM endpoint", part="app")
        app = stage.start_app()
        self.terminal.fact(f"scim2-server at {app.url}, {app.accounts(1)[0]} accounts")
        self._enter("Usher, with the rights that its chart gives it", part="operator")
        operator = stage.start_operator(stage.install())
        story = Story(self.folder, shell, directory, app, operator)
        self._enter("From the directory into the app")
        story.provision()
        self._enter("How it went")
        story.look()
        self._enter("A day later")
        story.follow()
        self._enter("And when nothing changes")
        story.rest()
        return story

    def stay(self, story: Story) -> None:
        """Until Ctrl-C."""
        with suppress(KeyboardInterrupt):
            self._enter("It is all yours, until Ctrl-C")
            story.invite()
            while True:
                time.sleep(1)
                for program in self.programs:
                    program.require()
        self.terminal.heading("Everything is being removed.")

    def clean_up(self) -> None:
        """Ends every program by its pid and removes everything that a demo of this name wrote."""
        for program in self.programs:
            program.end()
        lifecycle.down(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def tell_failure(self, error: Exception) -> None:
        """Which step failed and why, and what the part in question said last."""
        self.terminal.trouble(f"\n{self.step}: failed. {error}")
        program = error.program if isinstance(error, ProgramEnded) else Program(self.folder, self.part)
        if program.log.exists():
            self.terminal.say(f"The last lines of the log of the {program.name}:")
            self.terminal.say(program.last_words())

    def _enter(self, step: str, part: str | None = None) -> None:
        self.step = step
        self.part = self.part if part is None else part
        self.terminal.heading(f"[{time.monotonic() - self.begin:4.0f} s] {step}")

    def _shell(self, admin: Path) -> Shell:
        """With a copy of the administrator's kubeconfig, in whose context the example's namespace is the default."""
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o700)
        kubeconfig = self.folder / "kubeconfig"
        shutil.copyfile(admin, kubeconfig)
        kubeconfig.chmod(0o600)
        shell = Shell(ROOT, kubeconfig, self.folder / "ldap.conf", programs_folder(), self.terminal)
        shell.run("kubectl", "config", "set-context", "--current", "--namespace", NAMESPACE)
        self.terminal.say(f"export KUBECONFIG={kubeconfig}")
        self.terminal.say(f"export LDAPCONF={shell.ldap}")
        return shell


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Holds the lock of this name; a killed demo leaves none. Raises BlockingIOError."""
    path = ROOT / "build" / f".{name}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does, with everything cleaned up; Ctrl-C also where it was ignored."""
    raise KeyboardInterrupt


def tell(demo: Demo, ends: str) -> int:
    """Runs the demo and cleans up, whatever happens; the exit code."""
    demo.clean_up()
    try:
        story = demo.run()
        if ends == "by itself":
            demo.terminal.heading(f"Done in {time.monotonic() - demo.begin:.0f} s. Everything is being removed.")
            return 0
        demo.stay(story)
    except (ClusterError, CommandFailed, ProgramEnded, NeverHappened, SlapdError, OSError) as error:
        demo.tell_failure(error)
        return 1
    except KeyboardInterrupt:
        demo.terminal.say("\nInterrupted: everything is being removed.")
        return 130
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.clean_up()
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exit", action="store_true", help="end by itself instead of waiting for Ctrl-C")
    parser.add_argument("--name", default="demo", help="demos of different names run side by side (default: demo)")
    options = parser.parse_args()
    terminal = Terminal()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with only_one(Places(options.name).name):
            return tell(Demo(options.name, terminal), "by itself" if options.exit else "on Ctrl-C")
    except ClusterError as error:
        terminal.trouble(str(error))
        return 1
    except BlockingIOError:
        terminal.trouble(f"A demo called {options.name} is running already: end it with Ctrl-C, or say --name other")
        return 1


if __name__ == "__main__":
    sys.exit(main())
