"""What the demo tells: people go into an app, the app follows a change, and then nothing is written any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.app import App
from demo.directory import Directory
from demo.people import GROUPS, JOINER, LEAVER, MOVER, NEW_TITLE, TEAM, coming_in, dn_of, joining, moving
from demo.programs import Program
from demo.shell import Shell
from demo.stage import NAMESPACE
from demo.terminal import Terminal

EXAMPLE: Final = "examples/ldap"
EXAMPLE_DIRECTORY: Final = "ldaps://ldap.example.com"
EXAMPLE_PASSWORD: Final = "put-the-password-of-the-account-here"
EXAMPLE_APP: Final = "https://app.example.com/scim/v2"
EXAMPLE_TOKEN: Final = "put-the-token-of-your-app-here"
EDITED: Final = ("source", "connector", "secrets")
AUTHORITY: Final = "directory-ca"
LAST_CYCLE: Final = "jsonpath={.status.lastCycle.users}"
FOLLOW_TIMEOUT: Final = 60.0
CONDITIONS: Final = r'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
NO_CONTRACTORS: Final = '{"spec": {"ldap": {"users": {"filter": "(&(uid=*)(!(employeeType=Contractor)))"}}}}'


class NeverHappened(Exception):
    """The app did not get where it was expected in time."""


@dataclass(frozen=True, slots=True)
class Story:
    """Told once on a stage that is ready. `folder` has the reader's own copy of the example."""

    folder: Path
    shell: Shell
    directory: Directory
    app: App
    operator: Program

    @property
    def terminal(self) -> Terminal:
        """Where it is told."""
        return self.shell.terminal

    @property
    def manifests(self) -> str:
        """The copy of the example, as it is written in a command."""
        return str((self.folder / "my-app").relative_to(self.shell.root))

    def provision(self) -> None:
        """500 people who have no account yet, and 20 groups."""
        mine = self.manifests
        self.shell.show("cp", "-r", EXAMPLE, mine)
        edits = {
            EXAMPLE_DIRECTORY: self.directory.url,
            EXAMPLE_PASSWORD: self.directory.password,
            EXAMPLE_APP: self.app.url,
            EXAMPLE_TOKEN: self.app.token,
        }
        words = [word for old, new in edits.items() for word in ("-e", f"s|{old}|{new}|")]
        self.shell.show("sed", "-i", *words, *(f"{mine}/{name}.yaml" for name in EDITED))
        authority = ("configmap", AUTHORITY, "-n", NAMESPACE, f"--from-file=ca.crt={self.directory.authority}")
        self.shell.save(f"{mine}/ca.yaml", "kubectl", "create", *authority, "--dry-run=client", "-o", "yaml")
        begin = time.monotonic()
        self.shell.show("kubectl", "apply", "-f", mine)
        self.shell.show("kubectl", "wait", "pconn/app", "--for=condition=InSync", "--timeout=90s")
        total, _ = self.app.accounts(1)
        groups, _ = self.app.groups(1)
        self.terminal.fact(
            f"{total} accounts and {groups} groups, {time.monotonic() - begin:.1f} s after they were asked for"
        )

    def look(self) -> None:
        """What Kubernetes says, and what the app itself says."""
        self.shell.show("kubectl", "get", "pconn")
        self.shell.show("kubectl", "get", "idsrc")
        self.shell.show("kubectl", "get", "pconn", "app", "-o", CONDITIONS)
        total, accounts = self.app.accounts(5)
        self.terminal.say(f"The app itself (GET {self.app.url}/Users) has {total} accounts, among them:")
        for account in accounts:
            state = "active" if account.active else "disabled"
            self.terminal.output(f"{account.user_name:<28} {account.display_name:<26} {account.title[:26]:<26} {state}")
        total, groups = self.app.groups(5)
        self.terminal.say(f"And (GET {self.app.url}/Groups) {total} groups, among them:")
        for group in groups:
            self.terminal.output(f"{group.name:<28} {len(group.members)} members")

    def follow(self) -> None:
        """Three changes in the directory, and how long the app takes to follow each, from before the first command."""
        before = self.app.account(MOVER)
        begin = time.monotonic()
        self.directory.show("ldapadd", given=joining())
        self.directory.show("ldapmodify", given=coming_in())
        self.directory.show("ldapmodify", given=moving())
        self.directory.show("ldapdelete", dn_of(LEAVER))
        expected: dict[str, Callable[[], bool]] = {
            f"joiner  {JOINER} has an account": self._has_joined,
            f"member  {JOINER} is in {TEAM}": self._has_come_in,
            f"mover   {MOVER} is {NEW_TITLE}, was {before.title if before else 'unknown'}": self._has_moved,
            f"leaver  {LEAVER} is disabled": self._has_left,
            f"leaver  {LEAVER} is in no group": self._is_in_no_group,
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
        self.terminal.say("In another terminal, in this folder:")
        self.terminal.typed(f"export KUBECONFIG={self.shell.kubeconfig} LDAPCONF={self.shell.ldap}")
        self.terminal.typed(f"export PATH={self.shell.tools}:$PWD/.venv/bin:$PATH")
        self.terminal.typed("kubectl get pconn --watch")
        self.terminal.say("Change something in the directory, and look what the app makes of it:")
        account = " ".join(self.directory.account)
        self.terminal.typed(f"ldapsearch {account} -LLL '(title=Counsel)' uid")
        self.terminal.typed(f"ldapdelete {account} {dn_of(JOINER)}")
        self.terminal.say("Stop it, and go on:")
        self.terminal.typed("""kubectl patch pconn app --type merge -p '{"spec": {"suspend": true}}'""")
        self.terminal.typed("""kubectl patch pconn app --type merge -p '{"spec": {"suspend": false}}'""")
        self.terminal.say("Let 90 contractors fall out of the filter: over the budget, and held until it is approved:")
        self.terminal.typed(f"kubectl patch idsrc directory --type merge -p '{NO_CONTRACTORS}'")
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
        account = self.app.account(JOINER)
        return account is not None and account.active

    def _has_come_in(self) -> bool:
        account, team = self.app.account(JOINER), self.app.group(TEAM)
        return account is not None and team is not None and account.id in team.members

    def _is_in_no_group(self) -> bool:
        account, (_, groups) = self.app.account(LEAVER), self.app.groups(GROUPS)
        return account is not None and not any(account.id in group.members for group in groups)

    def _has_moved(self) -> bool:
        account = self.app.account(MOVER)
        return account is not None and account.title == NEW_TITLE

    def _has_left(self) -> bool:
        account = self.app.account(LEAVER)
        return account is not None and not account.active
