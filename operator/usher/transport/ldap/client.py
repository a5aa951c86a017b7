"""python-ldap's blocking half: what it takes and gives, in types of ours. Runs in the thread of its connection."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import ldap
from ldap.controls import RequestControl, ResponseControl
from ldap.ldapobject import SimpleLDAPObject
from ldap.syncrepl import SyncreplConsumer
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from usher.core.errors import IncompleteRead

Attributes: TypeAlias = dict[str, list[bytes]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: its distinguished name, and its attributes as the directory spells them."""

    dn: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An entry that is new or changed since the cookie, with the entryUUID by which the directory knows it."""

    uuid: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Deleted:
    """Entries that were deleted, or do not answer to the filter any more."""

    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """Entries that are there and unchanged."""

    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """The end of a phase. Where `absent_are_gone`, whoever was not named in it does not exist any more."""

    absent_are_gone: bool


@dataclass(frozen=True, slots=True)
class Cookie:
    """Where the next refresh may begin."""

    text: str


SyncPart: TypeAlias = Refreshed | Deleted | Present | PhaseEnd | Cookie
MAX_CHANGES_BYTES: Final = 4 * 1024 * 1024
_BATCH: Final = 1.0
_URI: Final = "ldap://relay"
"""Names the connection in libldap's own words; nothing is resolved or connected from it."""


class ChangesControl(RequestControl, ResponseControl):  # type: ignore[misc]  # python-ldap has no types
    """LDAP_SERVER_DIRSYNC_OID (MS-ADTS 3.1.1.3.4.1.3): what changed in a naming context since the cookie.

    Without flags: whoever asks needs the right to replicate, and sees deleted entries; lists come whole.
    """

    controlType = "1.2.840.113556.1.4.841"  # noqa: N815 - the library's name

    def __init__(self, cookie: bytes = b"") -> None:
        super().__init__(self.controlType, criticality=True)
        self.cookie, self.more = cookie, False

    def encodeControlValue(self) -> bytes:  # noqa: N802 - the library's name
        """Flags, bytes of an answer at the most, and the cookie."""
        return _encoded(0, MAX_CHANGES_BYTES, self.cookie)

    def decodeControlValue(self, encodedControlValue: bytes) -> None:  # noqa: N802, N803 - the library's names
        """Whether there is more, a number without a meaning, and the next cookie."""
        value, _ = decoder.decode(encodedControlValue)
        self.more, self.cookie = bool(int(value[0])), bytes(value[2])


def _encoded(flags: int, size: int, cookie: bytes) -> bytes:
    value = univ.Sequence()
    for place, part in enumerate((univ.Integer(flags), univ.Integer(size), univ.OctetString(cookie))):
        value.setComponentByPosition(place, part)
    data: bytes = encoder.encode(value)
    return data


class Client(SimpleLDAPObject, SyncreplConsumer):  # type: ignore[misc]  # python-ldap has no types
    """A connection over the descriptor of a socket. Every method may raise ldap.LDAPError."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(_URI, fileno=descriptor)
        self._parts: list[SyncPart] = []
        for option, value in (
            (ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3),
            (ldap.OPT_REFERRALS, ldap.OPT_OFF),
            (ldap.OPT_DEREF, ldap.DEREF_NEVER),
            (ldap.OPT_SIZELIMIT, 0),
            (ldap.OPT_TIMELIMIT, 0),
            (ldap.OPT_RESTART, ldap.OPT_ON),
        ):
            self.set_option(option, value)

    def bind(self, dn: str, password: str) -> None:
        """A simple bind (RFC 4513 5.1.3)."""
        self.result3(self.simple_bind(dn, password), all=1)

    def search(
        self, base: str, filter_: str, attributes: Sequence[str], control: Any
    ) -> tuple[list[Entry], Sequence[Any]]:
        """One page, and the controls of its end. References to other directories are left out."""
        message = self.search_ext(base, ldap.SCOPE_SUBTREE, filter_, list(attributes), serverctrls=[control])
        _, data, _, controls = self.result3(message, all=1)
        return [Entry(dn, found) for dn, found in data if dn is not None], controls

    def changed(self, root: str, cookie: bytes, attributes: Sequence[str]) -> tuple[list[Entry], ChangesControl]:
        """One answer to a search for changes below the root of a naming context, deleted entries among them."""
        control = ChangesControl(cookie)
        message = self.search_ext(root, ldap.SCOPE_SUBTREE, "(objectClass=*)", list(attributes), serverctrls=[control])
        known = {control.controlType: ChangesControl}
        _, data, _, controls = self.result3(message, all=1, resp_ctrl_classes=known)
        answered = [one for one in controls if isinstance(one, ChangesControl)]
        if not answered:
            raise IncompleteRead("the directory does not say up to where it told its changes")
        return [Entry(dn, found) for dn, found in data if dn is not None], answered[0]

    def read(self, dn: str, attributes: Sequence[str]) -> list[Entry]:
        """One entry by its name."""
        message = self.search_ext(dn, ldap.SCOPE_BASE, "(objectClass=*)", list(attributes))
        _, data, _, _ = self.result3(message, all=1)
        return [Entry(name, found) for name, found in data if name is not None]

    def forget(self) -> None:
        """Closes the descriptor. What the directory says to that means nothing any more."""
        with suppress(ldap.LDAPError):
            self.unbind_ext_s()

    # --- content synchronization

    def start_refresh(self, base: str, filter_: str, attributes: Sequence[str], cookie: str | None) -> int:
        """The number of the message under which the parts come."""
        self._parts = []
        number: int = self.syncrepl_search(
            base,
            ldap.SCOPE_SUBTREE,
            mode="refreshOnly",
            cookie=cookie,
            filterstr=filter_,
            attrlist=list(attributes),
        )
        return number

    def take_parts(self, message: int, limit: int) -> tuple[list[SyncPart], bool]:
        """The parts of at most `limit` messages, or of what comes in a second, and whether there are more to come.

        Raises IncompleteRead for an end without the word that it is one (RFC 4533 3.3.1, Sync Done).
        """
        more, until = True, time.monotonic() + _BATCH
        for _ in range(limit):
            known = len(self._parts)
            more = self.syncrepl_poll(msgid=message, all=0)
            if not more and not any(isinstance(part, PhaseEnd) for part in self._parts[known:]):
                raise IncompleteRead("the directory ended its refresh without saying what it was")
            if not more or time.monotonic() > until:
                break
        parts, self._parts = self._parts, []
        return parts, more

    def syncrepl_set_cookie(self, cookie: str) -> None:
        """Called by `syncrepl_poll`."""
        self._parts.append(Cookie(str(cookie)))

    def syncrepl_get_cookie(self) -> None:
        """Called by `syncrepl_search` where it is given none: there is none."""

    def syncrepl_present(self, uuids: Sequence[str] | None, refreshDeletes: bool = False) -> None:  # noqa: FBT001, FBT002, N803 - the library's signature
        """Called by `syncrepl_poll`."""
        self._parts.append(PhaseEnd(not refreshDeletes) if uuids is None else Present(tuple(uuids)))

    def syncrepl_delete(self, uuids: Sequence[str]) -> None:
        """Called by `syncrepl_poll`."""
        self._parts.append(Deleted(tuple(uuids)))

    def syncrepl_entry(self, dn: str, attributes: Attributes, uuid: str) -> None:
        """Called by `syncrepl_poll`."""
        self._parts.append(Refreshed(str(uuid), Entry(dn, attributes)))
