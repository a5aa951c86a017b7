"""The demo's directory: a private slapd with TLS, and what the ldap tools need to find and change it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ldap

from demo.people import COUNT, GROUPS, MOVER
from demo.programs import Program, ProgramEnded
from demo.shell import Shell
from directory.certificates import Certificates
from directory.configuration import ADMIN, READER, SUFFIX, Settings
from directory.population import groups, people
from directory.slapd import Slapd

START_TIMEOUT: Final = 30.0
REMEMBERED: Final = 1_000
"""Changes that it remembers: whoever was deleted is told one by one while it does."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A running directory. Everything that it writes is in `folder`; `shell` runs what a person would type."""

    slapd: Slapd
    folder: Path
    shell: Shell

    @classmethod
    def start(cls, folder: Path, shell: Shell) -> Directory:
        """With people and groups in it. Raises SlapdError or ProgramEnded; a later demo ends it after a kill."""
        slapd = Slapd(folder / "directory", Settings(certificates=Certificates.issue(), session_log=REMEMBERED))
        everybody = people(COUNT)
        slapd.load([*everybody, *groups(GROUPS, everybody)])
        program = Program(folder, "directory")
        program.start(slapd.command, shell.root)
        _await_answer(program, slapd)
        shell.ldap.write_text(
            f"URI {slapd.tls_url}\nBASE {SUFFIX}\nTLS_CACERT {folder / 'directory' / 'ca.pem'}\n", encoding="utf-8"
        )
        password = folder / "admin.password"
        password.touch(mode=0o600)
        password.write_text(ADMIN.password, encoding="ascii")  # without a line end, which would belong to the password
        return cls(slapd, folder, shell)

    @property
    def url(self) -> str:
        """Encrypted from the start."""
        return self.slapd.tls_url

    @property
    def password(self) -> str:
        """Of the account that Usher reads with: it may change nothing."""
        return READER.password

    @property
    def authority(self) -> str:
        """The file with the certificate authority, as it is written in a command."""
        return self._written("directory/ca.pem")

    @property
    def account(self) -> tuple[str, ...]:
        """The options of the ldap tools that name the administrator."""
        return ("-x", "-D", ADMIN.dn, "-y", self._written("admin.password"))

    def look(self) -> None:
        """Where it is, what it holds, and what it knows of one person."""
        self.shell.terminal.fact(f"slapd at {self.url}, {COUNT} people and {GROUPS} groups")
        self.show("ldapsearch", "-LLL", f"(uid={MOVER})", "cn", "uid", "mail", "title")

    def show(self, tool: str, *words: str, given: str | None = None) -> None:
        """Runs one of the ldap tools as the administrator, on the terminal. Raises CommandFailed."""
        self.shell.show(tool, *self.account, *words, given=given)

    def _written(self, name: str) -> str:
        return str((self.folder / name).relative_to(self.shell.root))


def _await_answer(program: Program, slapd: Slapd) -> None:
    """Until a bind is answered."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with slapd.session(READER):
                return
        except ldap.SERVER_DOWN:
            program.require()
            if time.monotonic() > deadline:
                raise ProgramEnded(program) from None
        time.sleep(0.02)
