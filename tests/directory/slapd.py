"""A private slapd: one process on 127.0.0.1 with a folder and ports of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import ldap
import ldap.modlist

from directory.configuration import ADMIN, PLAIN, READER, Account, Settings, base_entries, write
from directory.entries import Attributes, Entry, encoded, to_ldif

_PATIENCE: Final = 15.0
"""Seconds in which it has to answer, or to end after SIGTERM."""
_POLL: Final = 0.01
_TAIL: Final = 15


class SlapdError(Exception):
    """slapd or slapadd does not do what was asked; the message ends with the program's own last words."""


class Slapd:
    """One instance. `with` starts it and closes it; data that is loaded before, and what it writes, stays in `folder`.

    The folder belongs to whoever gave it, and is made when it is missing. Ports are chosen once and held until
    `close`, so that nobody else gets them while the process is down; clients are refused then.
    """

    def __init__(self, folder: Path, settings: Settings = PLAIN) -> None:
        self.folder = folder
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = [_hold_port() for _ in range(1 if settings.certificates is None else 2)]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Of LDAP in the clear, and of StartTLS."""
        found: int = self._ports[0].getsockname()[1]
        return found

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Of LDAP over TLS; IndexError without certificates."""
        return f"ldaps://127.0.0.1:{self._ports[1].getsockname()[1]}"

    @property
    def authority(self) -> str:
        """The certificate (PEM) of the authority by which clients know the server; ValueError without certificates."""
        if self.settings.certificates is None:
            raise ValueError("this instance has no certificates")
        return self.settings.certificates.authority

    @property
    def pid(self) -> int:
        """Of the running process. Raises SlapdError when there is none."""
        if self._process is None or not self.runs:
            raise SlapdError("slapd is not running")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process is there; it may have ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def command(self) -> tuple[str, ...]:
        """What `start` runs, in the foreground; `load` has to come first if something else runs it."""
        urls = [self.url, *([self.tls_url] if self.settings.certificates else [])]
        words = "none"  # messages of any level, such as why it does not start; 0 would leave those out too
        return (_program("slapd"), "-d", words, "-f", str(self.folder / "slapd.conf"), "-h", " ".join(urls))

    def load(self, entries: Iterable[Entry]) -> None:
        """Adds entries, parents first, while the process is down. Raises SlapdError; some may be there then."""
        if self.runs:
            raise SlapdError("load needs slapd stopped: slapadd writes into its files")
        self._prepare()
        self._slapadd(entries)

    def start(self) -> None:
        """Returns when a bind is answered. Raises SlapdError with the words of slapd when that doesn't happen."""
        if self.runs:
            raise SlapdError("slapd is running already")
        self._prepare()
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
            )
        try:
            self._await_bind(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Ends it in order and waits; fine when it is not running. Raises SlapdError when it had to be killed."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise SlapdError(f"slapd (pid {process.pid}) did not end in {_PATIENCE:.0f} s and was killed") from None
        self._process = None

    def kill(self) -> None:
        """SIGKILL; fine when it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Ends the process and gives the ports away. The folder stays, for its owner to remove."""
        try:
            self.stop()
        finally:
            for held in self._ports:
                held.close()

    @contextmanager
    def session(self, account: Account = ADMIN) -> Iterator[Any]:
        """A connection of python-ldap (`LDAPObject`), bound as the account, in the clear. Raises ldap.LDAPError."""
        connection = ldap.initialize(self.url)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, _PATIENCE)
        connection.set_option(ldap.OPT_TIMEOUT, _PATIENCE)
        try:
            connection.simple_bind_s(account.dn, account.password)
            yield connection
        finally:
            connection.unbind_s()

    def add(self, dn: str, attributes: Attributes) -> None:
        """Adds an entry, as the administrator, as all that follow. Raises ldap.LDAPError, as they do."""
        with self.session() as admin:
            admin.add_s(dn, ldap.modlist.addModlist({name: encoded(values) for name, values in attributes.items()}))

    def modify(self, dn: str, attributes: Attributes) -> None:
        """Gives attributes these values instead of those that they have; none removes the attribute."""
        changes = [(ldap.MOD_REPLACE, name, encoded(values) or None) for name, values in attributes.items()]
        with self.session() as admin:
            admin.modify_s(dn, changes)

    def rename(self, dn: str, new_rdn: str, new_superior: str | None = None) -> None:
        """Gives the entry another RDN, in the same place or another; the value of the old one is gone."""
        with self.session() as admin:
            admin.rename_s(dn, new_rdn, new_superior)

    def delete(self, dn: str) -> None:
        """Removes an entry that has no children."""
        with self.session() as admin:
            admin.delete_s(dn)

    @property
    def _log(self) -> Path:
        return self.folder / "slapd.log"

    def _prepare(self) -> None:
        """Writes the configuration, and the base entries into an empty directory."""
        try:
            write(self.folder, self.settings)
            empty = not any((self.folder / "data").iterdir())
        except OSError as error:
            raise SlapdError(f"a folder that slapd cannot have: {error}") from error
        if empty:
            self._slapadd(base_entries())

    def _slapadd(self, entries: Iterable[Entry]) -> None:
        ldif = self.folder / "load.ldif"
        with ldif.open("w", encoding="utf-8") as file:
            file.writelines(to_ldif(entries))
        command = [_program("slapadd"), "-q", "-w", "-f", str(self.folder / "slapd.conf"), "-l", str(ldif)]
        done = subprocess.run(command, capture_output=True, env=_environment(), check=False)
        ldif.unlink()
        if done.returncode != 0:
            raise SlapdError(f"slapadd ended with {done.returncode}:\n{_tail(done.stderr)}")

    def _await_bind(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with self.session(READER):
                    return
            except ldap.SERVER_DOWN as error:
                if process.poll() is not None:
                    raise SlapdError(f"slapd ended with {process.returncode}:\n{self._words()}") from error
                if time.monotonic() > deadline:
                    raise SlapdError(f"slapd does not answer at {self.url}:\n{self._words()}") from error
            time.sleep(_POLL)

    def _words(self) -> str:
        return _tail(self._log.read_bytes())


def _hold_port() -> socket.socket:
    """A port that is bound but does not listen: with SO_REUSEADDR on both sides slapd can listen there, others can't.

    A probe that is closed again, as elsewhere in these tests, would let the port go to somebody else between `kill`
    and `start`. Connections are refused while nobody listens.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def _program(name: str) -> str:
    """Where the program is, be /usr/sbin in the PATH or not. Raises SlapdError."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise SlapdError(f"missing: {name} (Debian has it in the package slapd)")
    return found


def _environment() -> dict[str, str]:
    """Nothing of the user's: neither ldap.conf nor variables of libldap have a say."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LDAPNOINIT": "1"}


def _tail(output: bytes) -> str:
    return "\n".join(output.decode("utf-8", errors="replace").splitlines()[-_TAIL:])
