"""What the demo tells: people go into an app, the app follows a change, and then nothing is written any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from demo.app import App
from demo.people import JOINER_NAME, LEAVER, MOVER, NEW_TITLE, change_people
from demo.programs import Program
from demo.shell import Shell
from demo.stage import Stage
from demo.terminal import Terminal

EXAMPLE_URL: Final = "https://app.example.com/scim/v2"
EXAMPLE_TOKEN: Final = "put-the-token-of-your-app-here"
LAST_CYCLE: Final = "jsonpath={.status.lastCycle.users}"
FOLLOW_TIMEOUT: Final = 60.0
CONDITIONS: Final = r'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'


class NeverHappened(Exception):
    """The app did not get where it was expected in time."""


@dataclass(frozen=True, slots=True)
class Story:
    """Told once on a stage that is ready. `manifests` is the reader's own copy of the example."""

    stage: Stage
    shell: Shell
    terminal: Terminal
    app: App
    operator: Program

    @property
    def manifests(self) -> str:
        """The copy of the example, as it is written in a command."""
        return str((self.stage.folder / "my-app").relative_to(self.shell.root))

    def provision(self) -> None:
        """500 people who have no account yet."""
        mine = self.manifests
        self.shell.show("cp", "-r", "examples/quickstart", mine)
        edits = [f"s|{EXAMPLE_URL}|{self.app.url}|", f"s|{EXAMPLE_TOKEN}|{self.app.token}|"]
        self.shell.show(*("sed", "-i", "-e", edits[0], "-e", edits[1], f"{mine}/connector.yaml", f"{mine}/token.yaml"))
        begin = time.monotonic()
        self.shell.show("kubectl", "apply", "-f", mine)
        self.shell.show("kubectl", "wait", "pconn/app", "--for=condition=InSync", "--timeout=90s")
        total, _ = self.app.accounts(1)
        self.terminal.fact(f"{total} accounts, {time.monotonic() - begin:.1f} s after the first command")

    def look(self) -> None:
        """What Kubernetes says, and what the app itself says."""
        self.shell.show("kubectl", "get", "pconn")
        self.shell.show("kubectl", "get", "idsrc")
        self.shell.show("kubectl", "get", "pconn", "app", "-o", CONDITIONS)
        total, accounts = self.app.accounts(5)
        self.terminal.say(f"The app itself (GET {self.app.url}/Users) has {total} accounts, among them:")
        for account in accounts:
            state = "active" if account.active else "disabled"
            self.terminal.output(f"{account.user_name:<36} {account.display_name:<22} {account.title[:22]:<22} {state}")

    def follow(self) -> None:
        """An edit of the CSV, and how long the app takes to follow."""
        manifest = self.shell.root / self.manifests / "people.yaml"
        edit = change_people(manifest)
        self.terminal.say(f"In {self.manifests}/people.yaml somebody joins, somebody moves, somebody leaves:")
        for sign, lines in (("-", edit.removed), ("+", edit.added)):
            for line in lines:
                self.terminal.output(f"{sign} {line}")
        before = self.app.account(MOVER)
        begin = time.monotonic()
        self.shell.show("kubectl", "apply", "-f", f"{self.manifests}/people.yaml")
        expected: dict[str, Callable[[], bool]] = {
            f"joiner  {JOINER_NAME} has an account": self._has_joined,
            f"mover   {MOVER} is {NEW_TITLE}, was {before.title if before else 'unknown'}": self._has_moved,
            f"leaver  {LEAVER} is disabled": self._has_left,
        }
        while expected:
            for what in [what for what, happened in expected.items() if happened()]:
                self.terminal.fact(f"{time.monotonic() - begin:4.1f} s  {what}")
                del expected[what]
            self._wait_a_little(begin, ", ".join(expected))

    def rest(self) -> None:
        """The next cycle finds nothing to do; counted at the app."""
        before = self.app.requests()
        now = str(int(time.time()))
        self.shell.show(
            "kubectl", "annotate", "pconn", "app", "--overwrite", f"provisioning.usher.dev/requestedAt={now}"
        )
        self.shell.show(
            *("kubectl", "wait", "pconn/app", f"--for=jsonpath={{.status.lastHandledReconcileAt}}={now}"),
            "--timeout=60s",
        )
        self.shell.show("kubectl", "get", "pconn", "app", "-o", LAST_CYCLE)
        after = self.app.requests()
        writes = after.writes - before.writes
        self.terminal.fact(f"The app counted in that cycle: {after.reads - before.reads} read, {writes} written")
        if writes:
            raise NeverHappened("a cycle without a change wrote to the app")

    def invite(self) -> None:
        """What the reader can try now."""
        people = f"{self.manifests}/people.yaml"
        self.terminal.say("In another terminal, in this folder:")
        self.terminal.typed(f"export KUBECONFIG={self.shell.kubeconfig} PATH={self.shell.tools}:$PWD/.venv/bin:$PATH")
        self.terminal.typed("kubectl get pconn --watch")
        self.terminal.say("Stop it, and go on:")
        self.terminal.typed("""kubectl patch pconn app --type merge -p '{"spec": {"suspend": true}}'""")
        self.terminal.typed("""kubectl patch pconn app --type merge -p '{"spec": {"suspend": false}}'""")
        self.terminal.say("Dismiss all of Sales, 80 people: that is over the budget, and held until it is approved:")
        self.terminal.typed(f"sed -i /,Sales,/d {people} && kubectl apply -f {people}")
        self.terminal.typed("kubectl get pconn app -o 'jsonpath={.status.plan}'")
        self.terminal.typed("usher approve app $(kubectl get pconn app -o 'jsonpath={.status.plan.hash}')")
        self.terminal.say("What the app has, by its own API:")
        accept = f"-H 'Authorization: Bearer {self.app.token}'"
        self.terminal.typed(f"curl -s {accept} '{self.app.url}/Users?count=3'")

    def _wait_a_little(self, begin: float, what: str) -> None:
        self.operator.require()
        if time.monotonic() - begin > FOLLOW_TIMEOUT:
            raise NeverHappened(f"did not come within {FOLLOW_TIMEOUT:.0f} s: {what}")
        time.sleep(0.05)

    def _has_joined(self) -> bool:
        account = self.app.account(JOINER_NAME)
        return account is not None and account.active

    def _has_moved(self) -> bool:
        account = self.app.account(MOVER)
        return account is not None and account.title == NEW_TITLE

    def _has_left(self) -> bool:
        account = self.app.account(LEAVER)
        return account is not None and not account.active
