"""What changed in Active Directory, by DirSync (MS-ADTS 3.1.1.3.4.1.3).

A search for changes covers a whole naming context, and shows of each entry what changed: so it only names who is to be
looked at. These are read whole, by the filter and below the base of the source: who is not found there was deleted, was
moved away, or does not answer to the filter, and is gone. Of the deleted there are tombstones, which say so.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

from usher.contracts.source import Evidence, SourceChange, Watermark
from usher.core.errors import CycleError, IncompleteRead, SpecError, WatermarkExpired
from usher.core.model.resources import SourceId
from usher.sources.ldap.marks import read_cookie, write_cookie
from usher.sources.ldap.values import compared_dn
from usher.transport.ldap.client import Entry
from usher.transport.ldap.connection import DirectoryConnection, Search

MAX_CHANGED: Final = 5_000
"""Entries; when more have changed, everything is read."""
CHUNK: Final = 50
"""Entries that are asked for by one filter."""
_FOLDERS: Final = "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain))"
_ID: Final = "objectGUID"


class DirSync:
    """The changes of one resource type; `search` is what everybody of the type answers to."""

    def __init__(self, connection: DirectoryConnection, search: Search, scope: str) -> None:
        self._connection, self._search, self._scope = connection, search, scope
        self._changed: dict[SourceId, bytes] = {}
        self._deleted: set[SourceId] = set()
        self._named: list[bytes] = []
        self.gone: list[SourceChange] = []

    async def begin(self, former: Watermark | None) -> Watermark:
        """Where changes begin that come after now. From a former watermark that is near; from none, it takes long."""
        root = await self._root()
        for cookie in (b"" if former is None else _known_cookie(former, self._scope), b""):
            try:
                async for _, cookie_behind in self._parts(root, cookie, (_ID,)):
                    cookie = cookie_behind  # noqa: PLW2901 - the loop ends with it
                    await asyncio.sleep(0)
                return self._watermark(cookie)
            except WatermarkExpired:
                continue
        raise IncompleteRead("the directory refuses to tell its changes")

    async def since(self, watermark: Watermark) -> Watermark:
        """Learns who changed since then; where the next read begins. Raises WatermarkExpired."""
        cookie, root = _cookie(read_cookie(watermark, self._scope)), await self._root()
        async for entries, cookie_behind in self._parts(root, cookie, ("*",)):
            for entry in entries:
                self._note(entry)
            cookie = cookie_behind
            await asyncio.sleep(0)
        await self._refuse_moved_folders(root)
        return self._watermark(cookie)

    async def entries(self) -> AsyncIterator[Sequence[Entry]]:
        """Those who changed and are there, whole. Afterwards `gone` has the others."""
        left = dict(self._changed)
        async for page in self._by_ids(self._search, list(left.values())):
            for entry in page:
                left.pop(_id_of(entry)[0], None)
            yield page
        self.gone = [SourceChange(one, None, self._evidence(one)) for one in left]

    def _note(self, entry: Entry) -> None:
        source_id, raw = _id_of(entry)
        self._changed[source_id] = raw
        deleted = entry.attributes.get("isDeleted") == [b"TRUE"]
        if deleted:
            self._deleted.add(source_id)
        else:
            self._deleted.discard(source_id)  # who was told twice: the newest word counts
        if "name" in entry.attributes and not deleted:
            self._named.append(raw)
        if len(self._changed) > MAX_CHANGED:
            raise WatermarkExpired("so much has changed that everything is read")

    def _evidence(self, source_id: SourceId) -> Evidence:
        return Evidence.TOLD if source_id in self._deleted else Evidence.ABSENT

    async def _refuse_moved_folders(self, root: str) -> None:
        """Who is in a folder that moved did not change, and may be inside or outside of the base now."""
        folders = Search(root, _FOLDERS, (_ID,), self._search.page_size)
        async for page in self._by_ids(folders, self._named):
            if page:
                raise WatermarkExpired("a folder is new, or has another name or place")

    async def _by_ids(self, search: Search, ids: Sequence[bytes]) -> AsyncIterator[Sequence[Entry]]:
        for start in range(0, len(ids), CHUNK):
            wanted = "".join(f"({_ID}={_escaped(one)})" for one in ids[start : start + CHUNK])
            one = Search(search.base, f"(&{search.filter}(|{wanted}))", search.attributes, search.page_size)
            async for page in self._connection.pages(one):
                yield page

    async def _parts(
        self, root: str, cookie: bytes, attributes: Sequence[str]
    ) -> AsyncIterator[tuple[Sequence[Entry], bytes]]:
        try:
            async for part in self._connection.changed(root, cookie, attributes):
                yield part
        except CycleError as error:
            if error.reason != "CredentialsRejected":  # the bind was taken: it is about this search
                raise
            message = (
                "the account may not ask for changes: grant it the right Replicating Directory Changes on the domain,"
                " or take the line out"
            )
            raise SpecError(message, path="changes", reason="AccessDenied") from error

    async def _root(self) -> str:
        """The naming context in which the base is. Raises SpecError where the directory has no such control."""
        entry = await self._connection.entry("", ["namingContexts"])
        values = [] if entry is None else [one.decode() for found in entry.attributes.values() for one in found]
        base = compared_dn(self._search.base)
        fitting = [one for one in values if f",{base}".endswith(f",{compared_dn(one)}")]
        if not fitting:
            raise SpecError("no naming context of the directory holds the base of this source", path="changes")
        return max(fitting, key=len)

    def _watermark(self, cookie: bytes) -> Watermark:
        return write_cookie(self._scope, b64encode(cookie).decode())


def _known_cookie(watermark: Watermark, scope: str) -> bytes:
    try:
        return _cookie(read_cookie(watermark, scope))
    except WatermarkExpired:
        return b""


def _cookie(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NoBase64 as error:
        raise WatermarkExpired("the watermark is none of a directory") from error


def _id_of(entry: Entry) -> tuple[SourceId, bytes]:
    values = next((found for name, found in entry.attributes.items() if name.lower() == _ID.lower()), [])
    if len(values) != 1 or len(values[0]) != 16:
        raise IncompleteRead("the directory tells a change of an entry without saying of which", detail=entry.dn)
    return SourceId(str(UUID(bytes_le=values[0]))), values[0]


def _escaped(value: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in value)
