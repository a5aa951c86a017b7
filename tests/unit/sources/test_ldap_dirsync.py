"""What Active Directory tells of changes, and what follows when it tells them in another way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast
from uuid import UUID

import ldap.controls
import pytest

from usher.contracts.source import Evidence, SourceChange, Watermark
from usher.core.errors import IncompleteRead, SpecError, WatermarkExpired
from usher.core.model.resources import SourceId
from usher.sources.ldap.dirsync import DirSync
from usher.sources.ldap.marks import write_cookie
from usher.transport.ldap.client import ChangesControl, Entry
from usher.transport.ldap.connection import DirectoryConnection, Search

ADA, BOB = UUID(int=1), UUID(int=2)
SEARCH = Search("OU=Staff,DC=x", "(a=b)", ("*",), 10)
MARK = write_cookie("scope", "b2xk")


def entry(uuid: UUID, **attributes: bytes) -> Entry:
    return Entry("CN=x", {"objectGUID": [uuid.bytes_le], **{name: [value] for name, value in attributes.items()}})


def in_hex(uuid: UUID) -> str:
    return "".join(f"\\{byte:02x}" for byte in uuid.bytes_le)


class Stub:
    """Tells these changes; `there` are those whom a search finds, `asked` the searches."""

    def __init__(
        self, *parts: Sequence[Entry], there: Sequence[Entry] = (), contexts: Sequence[bytes] = (b"DC=x",)
    ) -> None:
        self.parts, self.there, self.contexts = parts, there, contexts
        self.asked: list[Search] = []
        self.cookies: list[bytes] = []
        self.attributes: Sequence[str] = ()

    async def entry(self, dn: str, attributes: Sequence[str]) -> Entry:
        return Entry(dn, {attributes[0]: list(self.contexts)})

    async def changed(
        self, root: str, cookie: bytes, attributes: Sequence[str]
    ) -> AsyncIterator[tuple[Sequence[Entry], bytes]]:
        self.cookies.append(cookie)
        self.attributes = attributes
        if cookie == b"broken":
            raise WatermarkExpired("that is none")
        for number, part in enumerate(self.parts):
            yield part, f"{root}-{number}".encode()

    async def pages(self, search: Search) -> AsyncIterator[Sequence[Entry]]:
        self.asked.append(search)
        yield [] if "organizationalUnit" in search.filter else self.there


def reading(stub: Stub, search: Search = SEARCH) -> DirSync:
    return DirSync(cast(DirectoryConnection, stub), search, "scope")


async def test_who_changed_and_is_not_found_is_gone() -> None:
    stub = Stub([entry(ADA, title=b"x")], [entry(BOB, isDeleted=b"TRUE", name=b"x")], there=[entry(ADA)])
    dirsync = reading(stub)
    mark = await dirsync.since(MARK)
    shown = [each async for page in dirsync.entries() for each in page]

    assert (shown, dirsync.gone) == ([entry(ADA)], [SourceChange(SourceId(str(BOB)), None, Evidence.TOLD)])
    assert (stub.cookies, stub.attributes) == ([b"old"], ("*",))
    assert mark == write_cookie("scope", "REM9eC0x")
    (asked,) = stub.asked
    assert asked.base == SEARCH.base
    ids = "".join(f"(objectGUID={in_hex(one)})" for one in (ADA, BOB))
    assert asked.filter == f"(&(a=b)(|{ids}))"


@pytest.mark.parametrize(
    ("told", "evidence"),
    [
        ([entry(BOB, isDeleted=b"TRUE")], Evidence.TOLD),
        ([entry(BOB, title=b"x"), entry(BOB, isDeleted=b"TRUE")], Evidence.TOLD),
        ([entry(BOB, title=b"x")], Evidence.ABSENT),
        ([entry(BOB, isDeleted=b"FALSE")], Evidence.ABSENT),
        ([entry(BOB, isDeleted=b"TRUE"), entry(BOB, title=b"x")], Evidence.ABSENT),
    ],
)
async def test_only_the_newest_tombstone_is_a_deletion_that_is_told(told: list[Entry], evidence: Evidence) -> None:
    dirsync = reading(Stub(told))
    await dirsync.since(MARK)
    assert [each async for page in dirsync.entries() for each in page] == []
    assert dirsync.gone == [SourceChange(SourceId(str(BOB)), None, evidence)]


async def test_a_change_of_an_entry_that_is_not_named_is_no_read() -> None:
    with pytest.raises(IncompleteRead):
        await reading(Stub([Entry("CN=x", {"title": [b"x"]})])).since(MARK)


async def test_a_base_outside_of_all_contexts_is_told_at_its_field() -> None:
    with pytest.raises(SpecError) as caught:
        await reading(Stub([], contexts=[b"DC=y", b"DC=xx"])).since(MARK)
    assert caught.value.path == "changes"


async def test_the_context_nearest_to_the_base_is_asked() -> None:
    stub = Stub([], contexts=[b"DC=x", b"DC=X", b"OU=Staff,DC=x", b"OU=Other,DC=x"])

    assert await reading(stub).begin(None) == write_cookie("scope", "T1U9U3RhZmYsREM9eC0w")


@pytest.mark.parametrize(
    ("former", "cookies"),
    [
        (None, [b""]),
        (MARK, [b"old"]),
        (write_cookie("scope", "YnJva2Vu"), [b"broken", b""]),
        (write_cookie("scope", "no base64"), [b""]),
        (write_cookie("another", "b2xk"), [b""]),
    ],
)
async def test_a_whole_read_begins_where_the_former_one_ended_or_at_nothing(
    former: Watermark | None, cookies: list[bytes]
) -> None:
    stub = Stub([])
    await reading(stub).begin(former)

    assert stub.cookies == cookies
    assert stub.attributes == ("objectGUID",), "what comes is not looked at, so as little as possible shall come"


def test_the_control_says_no_flags_a_size_and_the_cookie_and_reads_the_next_one() -> None:
    control = ChangesControl(b"ab")

    assert control.criticality
    assert control.encodeControlValue() == bytes.fromhex("300c020100020340000004026162")
    control.decodeControlValue(bytes.fromhex("300a02010102010004026364"))
    assert (control.more, control.cookie) == (True, b"cd")
    assert isinstance(control, ldap.controls.ResponseControl)
