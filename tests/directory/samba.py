"""A private domain controller of Active Directory: Samba, in a network of its own, reached over a socket of a file.

Samba listens at the ports of LDAP and at no others, so it gets a network namespace; a relay on 127.0.0.1 leads to its
socket (LDAPI), where no encryption is asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import ldap
import ldap.modlist
from ldap.controls import RequestControl

from directory.configuration import Account
from directory.entries import encoded
from directory.relay import Relay
from directory.sources import Source, settings
from usher.sources.ldap.settings import Branch, Changes

DOMAIN: Final = "DC=usher,DC=test"
STAFF: Final = f"OU=Staff,{DOMAIN}"
FORMER: Final = f"OU=Former,{DOMAIN}"
ADMINISTRATOR: Final = Account(f"CN=Administrator,CN=Users,{DOMAIN}", "Admin-of-the-tests-1")
READER: Final = Account(f"CN=reader,CN=Users,{DOMAIN}", "Reader-of-the-tests-1")
"""A user like any other, without the right to replicate."""
PERSON: Final = "(&(objectCategory=person)(objectClass=user))"
ENABLED: Final = "512"
DISABLED: Final = "514"

_SHOW_DELETED: Final = "1.2.840.113556.1.4.417"
_PATIENCE: Final = 60.0
_POLL: Final = 0.05
_ROOT: Final = () if os.geteuid() == 0 else ("sudo", "-n")
_KEPT: Final = Path.home() / ".cache" / "usher-samba"
"""A domain takes ten seconds to make, with other work beside it more; a copy of one is there at once."""


class SambaError(Exception):
    """Samba does not do what was asked; the message ends with its own last words."""


class Samba:
    """One domain controller. `with` starts it and ends it. `folder`, which it makes and removes, holds its files.

    STAFF and FORMER are empty folders of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None
        self._relay = Relay(folder / "private" / "ldapi")

    def __enter__(self) -> Self:
        try:
            self._start()
            self._furnish()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self._relay.port}"

    def close(self) -> None:
        """Ends it; fine when it does not run."""
        self._relay.close()
        if self._connection is not None:
            with suppress(ldap.LDAPError):
                self._connection.unbind_s()
            self._connection = None
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        _as_root("rm", "-rf", str(self.folder))

    # --- what a domain's administrator does

    def add_user(self, name: str, folder: str = STAFF, control: str = ENABLED, **others: str) -> str:
        """The DN of a new user, without a password."""
        dn = f"CN={name},{folder}"
        attributes = {"sAMAccountName": name, "displayName": name.title(), "userAccountControl": control, **others}
        # what no password is asked of may be enabled without one
        attributes["userAccountControl"] = str(int(control) | 0x20)
        self.add(dn, {"objectClass": ["user"], **{key: [value] for key, value in attributes.items()}})
        return dn

    def add_group(self, name: str, *members: str, folder: str = STAFF) -> str:
        """The DN of a new group."""
        dn = f"CN={name},{folder}"
        self.add(dn, {"objectClass": ["group"], "sAMAccountName": [name], **({"member": members} if members else {})})
        return dn

    def add(self, dn: str, attributes: Mapping[str, Sequence[str | bytes]]) -> None:
        """A new entry."""
        self._connection.add_s(dn, ldap.modlist.addModlist({key: encoded(them) for key, them in attributes.items()}))

    def modify(self, dn: str, attributes: Mapping[str, Sequence[str | bytes]]) -> None:
        """Replaces the values of attributes; an empty sequence takes one away."""
        self._connection.modify_s(
            dn, [(ldap.MOD_REPLACE, name, encoded(values) or None) for name, values in attributes.items()]
        )

    def change_members(self, group: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Adds and takes away single members, as tools do."""
        changes: list[tuple[int, str, list[bytes]]] = []
        if add:
            changes.append((ldap.MOD_ADD, "member", encoded(add)))
        if remove:
            changes.append((ldap.MOD_DELETE, "member", encoded(remove)))
        self._connection.modify_s(group, changes)

    def move(self, dn: str, name: str, folder: str) -> str:
        """The DN under its new name and in its new place."""
        self._connection.rename_s(dn, f"CN={name}", folder)
        return f"CN={name},{folder}"

    def rename(self, dn: str, rdn: str) -> None:
        """Another name in the same place."""
        self._connection.rename_s(dn, rdn)

    def delete(self, dn: str) -> None:
        """Leaves a tombstone."""
        self._connection.delete_s(dn)

    def restore(self, guid: str, dn: str) -> None:
        """Makes an entry of a tombstone again (MS-ADTS 3.1.1.5.3.7), at this place, with what is left of it."""
        changes = [(ldap.MOD_DELETE, "isDeleted", None), (ldap.MOD_REPLACE, "distinguishedName", encoded([dn]))]
        tombstone = f"{dn.partition(',')[0]}\\0ADEL:{guid},CN=Deleted Objects,{DOMAIN}"
        self._connection.modify_ext_s(tombstone, changes, serverctrls=[RequestControl(_SHOW_DELETED, True)])

    # --- the process

    def _start(self) -> None:
        self.folder.mkdir()
        _as_root("cp", "-r", f"{_provisioned()}/.", str(self.folder))
        configuration = _write_configuration(self.folder)
        samba = f"ip link set lo up && exec {_program('samba')} -s {configuration} -F --no-process-group -M single"
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [*_ROOT, "unshare", "--net", "sh", "-c", f"{samba} --debug-stdout"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": _path()},
                start_new_session=True,
            )
        _as_root("chmod", "755", str(self.folder / "private"))
        self._connection = self._await_bind(self._process)

    def _await_bind(self, process: subprocess.Popen[bytes]) -> Any:
        until = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < until:
            connection = ldap.initialize(f"ldapi://{quote(str(self._relay.path), safe='')}")
            connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
            with suppress(ldap.SERVER_DOWN, ldap.UNAVAILABLE):
                connection.simple_bind_s(ADMINISTRATOR.dn, ADMINISTRATOR.password)
                return connection
            time.sleep(_POLL)
        words = (self.folder / "output").read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise SambaError(f"samba does not answer:\n{words}")

    def _furnish(self) -> None:
        for folder in (STAFF, FORMER):
            self.add(folder, {"objectClass": ["organizationalUnit"]})
        password = f'"{READER.password}"'.encode("utf-16-le")
        names = {"sAMAccountName": ["reader"], "userAccountControl": [ENABLED]}
        self.add(READER.dn, {"objectClass": ["user"], "unicodePwd": [password], **names})


def source_of(domain: Samba, changes: Changes = Changes.DIRSYNC, **others: Any) -> Source:
    """The source `ldap` on a domain: what is below STAFF, read by the administrator, and what else is given."""
    usual: dict[str, Any] = {
        "users": Branch(STAFF, PERSON),
        "groups": Branch(STAFF, "(objectClass=group)"),
        "id_attribute": "objectGUID",
        "changes": changes,
        **others,
    }
    account = usual.pop("account", ADMINISTRATOR)
    return Source(settings(domain.url, account, **usual), account.password.encode())


def _provisioned() -> Path:
    """The files of a new domain; they are made once on a machine. Raises SambaError."""
    made = _KEPT / "domain-1"
    if made.exists():
        return made
    _KEPT.mkdir(parents=True, exist_ok=True)
    fresh = _KEPT / f"making-{os.getpid()}"
    _as_root(
        _program("samba-tool"), "domain", "provision", "--server-role=dc", "--realm=USHER.TEST", "--domain=USHER",
        f"--adminpass={ADMINISTRATOR.password}", "--dns-backend=NONE", f"--targetdir={fresh}", "--host-name=dc1",
        "--host-ip=127.0.0.1",
    )  # fmt: skip
    with suppress(OSError):  # somebody else was faster
        fresh.rename(made)
    _as_root("rm", "-rf", str(fresh))
    return made


def _as_root(*command: str) -> None:
    """A domain's files belong to root. Raises SambaError."""
    done = subprocess.run([*_ROOT, *command], capture_output=True, text=True, check=False, env={"PATH": _path()})
    if done.returncode:
        raise SambaError(f"{command[0]} failed:\n{done.stderr[-2_000:]}")


def _write_configuration(folder: Path) -> Path:
    for name in ("pid", "ncalrpc", "cache"):
        (folder / name).mkdir(exist_ok=True)
    path = folder / "smb.conf"
    lines = {
        "netbios name": "DC1",
        "realm": "USHER.TEST",
        "workgroup": "USHER",
        "server role": "active directory domain controller",
        "server services": "ldap",
        "dcerpc endpoint servers": "",
        "interfaces": "lo",
        "bind interfaces only": "yes",
        "ldap server require strong auth": "no",
        "tls enabled": "no",
        "private dir": str(folder / "private"),
        "state directory": str(folder / "state"),
        "lock directory": str(folder),
        "cache directory": str(folder / "cache"),
        "binddns dir": str(folder / "bind-dns"),
        "pid directory": str(folder / "pid"),
        "ncalrpc dir": str(folder / "ncalrpc"),
        "log file": str(folder / "log"),
    }
    path.write_text("\n".join(["[global]", *(f"{key} = {value}" for key, value in lines.items()), ""]), "utf-8")
    return path


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _program(name: str) -> str:
    found = shutil.which(name, path=_path())
    if found is None:
        raise SambaError(f"missing: {name} (Debian has it in the package samba-ad-dc)")
    return found
