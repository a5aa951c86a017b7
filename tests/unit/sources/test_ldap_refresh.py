"""A refresh by content synchronization: every order of its parts says who is there, who is gone, or nothing at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import permutations
from typing import cast

import pytest

from usher.contracts.source import Watermark
from usher.core.errors import IncompleteRead, WatermarkExpired
from usher.core.model.resources import SourceId
from usher.sources.ldap import refresh as module
from usher.sources.ldap.marks import Times, read_cookie, write_cookie, write_times
from usher.sources.ldap.refresh import Refresh
from usher.transport.ldap.client import Cookie, Deleted, Entry, PhaseEnd, Present, Refreshed, SyncPart
from usher.transport.ldap.connection import DirectoryConnection, Search

A, B, C = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")
SEARCH = Search("dc=x", "(uid=*)", ("*",), 500)
SINCE = write_cookie("scope", "old")


def shown(uuid: str, own: str | None = None) -> Refreshed:
    return Refreshed(uuid, Entry(f"cn={uuid}", {"entryUUID": [(own or uuid).encode()]}))


class Stub:
    """Gives these parts, one by one; `cookies` are those that it was given."""

    def __init__(self, parts: Sequence[SyncPart]) -> None:
        self.parts = parts
        self.cookies: list[str | None] = []

    async def refresh(self, search: Search, cookie: str | None) -> AsyncIterator[Sequence[SyncPart]]:
        assert search is SEARCH
        self.cookies.append(cookie)
        for part in self.parts:
            yield [part]


def of(*parts: SyncPart) -> Refresh:
    return Refresh(cast(DirectoryConnection, Stub(parts)), SEARCH, "scope")


async def changes(*parts: SyncPart) -> tuple[set[str], set[str], set[str] | None]:
    """Who was shown, who is said to be deleted, and who is present."""
    refresh = of(*parts)
    entries = [entry.dn.removeprefix("cn=") async for page in refresh.since(SINCE) for entry in page]
    present = None if refresh.present is None else set(map(str, refresh.present))
    return set(entries), set(map(str, refresh.deleted)), present


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], (set(), set(), None)),
        ([PhaseEnd(False)], (set(), set(), None)),
        ([shown(A), Deleted((B,)), PhaseEnd(False)], ({A}, {B}, None)),
        ([shown(A), Present((A,)), Present((B, C)), PhaseEnd(True)], ({A}, set(), {A, B, C})),
        ([Present((A, B)), PhaseEnd(True), Deleted((B,)), shown(C), PhaseEnd(False)], ({C}, {B}, {A})),
        ([Present((A, B)), PhaseEnd(True), shown(C), PhaseEnd(True)], ({C}, set(), {A, B, C})),
        ([PhaseEnd(True)], (set(), set(), set())),
        ([shown(A), PhaseEnd(True)], ({A}, set(), {A})),
        ([Present((A.upper(),)), PhaseEnd(True)], (set(), set(), {A})),
    ],
)
async def test_phases_say_who_is_gone(
    parts: list[SyncPart], expected: tuple[set[str], set[str], set[str] | None]
) -> None:
    assert await changes(*parts) == expected


@pytest.mark.parametrize("order", list(permutations([shown(A), Present((B,)), Deleted((C,)), Cookie("new")])))
async def test_within_a_phase_the_order_says_nothing(order: tuple[SyncPart, ...]) -> None:
    assert await changes(*order, PhaseEnd(True)) == ({A}, {C}, {A, B})
    assert await changes(*order, PhaseEnd(False)) == ({A}, {C}, None)


@pytest.mark.parametrize(
    "parts",
    [
        [shown(A), Present((B,)), PhaseEnd(True)],
        [Present((A,)), PhaseEnd(True)],
        [shown(A), shown(B), Deleted((A,)), PhaseEnd(False)],
    ],
)
async def test_a_whole_read_shows_everybody_whom_it_names(parts: list[SyncPart]) -> None:
    with pytest.raises(IncompleteRead):
        _ = [page async for page in of(*parts).everything()]


@pytest.mark.parametrize("more", [[], [Present((A,)), Present((B,))], [Deleted((C,))]])
async def test_a_whole_read_is_everybody(more: list[SyncPart]) -> None:
    refresh = of(shown(A), shown(B), *more, Cookie("new"), PhaseEnd(True))

    assert [entry.dn async for page in refresh.everything() for entry in page] == [f"cn={A}", f"cn={B}"]
    assert refresh.watermark() == write_cookie("scope", "new")


async def test_the_last_cookie_counts_and_without_one_there_is_no_watermark() -> None:
    refresh = of(Cookie("one"), shown(A), Cookie("two"), PhaseEnd(False))
    _ = [page async for page in refresh.since(SINCE)]

    assert refresh.watermark() == write_cookie("scope", "two")
    assert of().watermark() is None


async def test_an_entry_that_says_another_id_than_the_directory_makes_the_read_void() -> None:
    for own in (B, ""):
        with pytest.raises(IncompleteRead) as caught:
            await changes(Refreshed(A, Entry("cn=ada", {"ENTRYUUID": [own.encode()]})))
        assert caught.value.detail == "cn=ada"
        assert "ada" not in str(caught.value)
    assert await changes(shown(A, A.upper())) == ({A}, set(), None)


async def test_ids_without_an_end_make_the_read_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IDS", 2)
    assert await changes(Present((A, B))) == (set(), set(), None)
    for more in (Present((C,)), Deleted((C,))):
        with pytest.raises(IncompleteRead):
            await changes(Present((A, B)), more)


@pytest.mark.parametrize(
    "watermark",
    [write_cookie("other", "c"), write_cookie("scope", ""), write_times("scope", Times("a", "b"))],
)
async def test_a_watermark_of_something_else_is_not_sent(watermark: Watermark) -> None:
    stub = Stub([])
    refresh = Refresh(cast(DirectoryConnection, stub), SEARCH, "scope")
    with pytest.raises(WatermarkExpired):
        _ = [page async for page in refresh.since(watermark)]
    assert stub.cookies == []


async def test_the_cookie_is_sent_as_it_came() -> None:
    stub = Stub([])
    cookie = 'rid=000,csn="\\é'
    refresh = Refresh(cast(DirectoryConnection, stub), SEARCH, "scope")
    _ = [page async for page in refresh.since(write_cookie("scope", cookie))]

    assert stub.cookies == [cookie] == [read_cookie(write_cookie("scope", cookie), "scope")]
    assert SourceId(A) not in refresh.deleted
