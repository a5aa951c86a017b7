"""What a directory may say instead of what it was asked: each ends in an error that says what to do, and in no time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from directory.configuration import PEOPLE, READER, Account
from directory.fake import (
    SYNC_DONE,
    SYNC_STATE,
    FakeDirectory,
    Question,
    answered,
    done,
    entry,
    fake_directory,
    message,
    page_control,
)
from directory.slapd import Slapd
from directory.sources import Source, settings
from usher.core.errors import CycleError, IncompleteRead, SpecError, UsherError, WatermarkExpired
from usher.core.model.resources import ResourceType
from usher.sources.ldap import reader
from usher.sources.ldap.settings import Changes
from usher.transport.ldap import connection

pytestmark = pytest.mark.usefixtures("nothing_stays")

NAME = "grace.hopper"
UUID = bytes(range(16))
TEXT = "00010203-0405-0607-0809-0a0b0c0d0e0f"
ADDED, CURRENT = (b"\x30\x15\x0a\x01" + state + b"\x04\x10" + UUID for state in (b"\x01", b"\x00"))
ENDED = b"\x30\x08\x04\x03abc\x01\x01\xff"


def person(number: int, uid: str = NAME, **others: Any) -> bytes:
    attributes = {"entryUUID": [uid.encode()], "uid": [uid.encode()]}
    return entry(number, f"uid={uid},{PEOPLE}", attributes, **others)


def searching(*says: Callable[[int], bytes | None]) -> Callable[[Question], Awaitable[bytes | None]]:
    """Says this to the searches for people, the last one again and again; the rest is as usual."""
    asked = 0

    async def answer(question: Question) -> bytes | None:
        nonlocal asked
        if question.kind != "searchRequest" or str(question.content["baseObject"]) != PEOPLE:
            return answered(question)
        asked += 1
        return says[min(asked, len(says)) - 1](question.number)

    return answer


def source_of(fake: FakeDirectory, account: Account = READER, **others: Any) -> Source:
    return Source(settings(fake.url, account, **others), account.password.encode())


async def refused(source: Source) -> UsherError:
    """The error of a read; it has a few seconds, and tells no person and no password."""
    with pytest.raises(UsherError) as caught:
        async with asyncio.timeout(10):
            await source.read()
    shown = str(caught.value)
    assert NAME not in shown
    assert source.password.decode(errors="replace") not in shown or not source.password
    return caught.value


async def answer_to(answer: Callable[[Question], Awaitable[bytes | None]], **others: Any) -> UsherError:
    async with fake_directory(answer) as fake:
        return await refused(source_of(fake, **others))


# --- the account


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (Account(READER.dn, "wrong"), "look at bindDN, and at the password in the Secret"),
        (Account(f"cn={NAME},{PEOPLE}", "wrong"), "look at bindDN, and at the password in the Secret"),
        (Account(NAME, "wrong"), "bindDN names none"),
        (Account(READER.dn, "a\0b"), "the password holds a NUL byte"),
    ],
)
async def test_a_refused_account_is_told_with_the_fields(directory: Slapd, account: Account, words: str) -> None:
    error = await refused(Source.of(directory, account))

    assert isinstance(error, CycleError)
    assert error.reason == "CredentialsRejected"
    assert words in str(error)


@pytest.mark.parametrize("password", [b"", b"\n", b"\r\n"])
async def test_an_empty_password_is_refused_before_it_becomes_an_anonymous_bind(password: bytes) -> None:
    async with fake_directory(searching(done)) as fake:
        error = await refused(replace(source_of(fake), password=password))

    assert error.reason == "CredentialsRejected"
    assert "empty" in str(error)
    assert fake.questions == []


async def test_a_password_that_is_no_text_is_refused() -> None:
    async with fake_directory(searching(done)) as fake:
        error = await refused(replace(source_of(fake), password=b"\xff\xfe"))

    assert error.reason == "CredentialsRejected"
    assert fake.connections == 0


async def test_a_password_keeps_all_but_the_line_end_of_a_file(directory: Slapd) -> None:
    with_line_end = replace(Source.of(directory), password=READER.password.encode() + b"\n")

    assert (await with_line_end.read()).resources
    assert (await refused(replace(with_line_end, password=with_line_end.password + b" "))).reason == (
        "CredentialsRejected"
    )


async def test_a_bind_dn_with_a_nul_is_told_at_its_field(directory: Slapd) -> None:
    error = await refused(Source.of(directory, Account(READER.dn + "\0", "x")))

    assert isinstance(error, SpecError)
    assert error.path == "bindDN"


# --- results


@pytest.mark.parametrize(
    ("code", "kind", "reason", "words"),
    [
        (1, IncompleteRead, "IncompleteRead", "no success"),
        (3, IncompleteRead, "IncompleteRead", "limit of the account"),
        (4, IncompleteRead, "IncompleteRead", "limit of the account"),
        (8, CycleError, "SourceUnreachable", "use ldaps://"),
        (10, SpecError, "BaseNotFound", "refers to another one"),
        (11, IncompleteRead, "IncompleteRead", "lower pageSize"),
        (12, CycleError, "ControlUnknown", "does not offer this way of reading"),
        (13, CycleError, "SourceUnreachable", "use ldaps://"),
        (32, SpecError, "BaseNotFound", "hides it from the account"),
        (50, CycleError, "CredentialsRejected", "look at bindDN"),
        (51, CycleError, "SourceUnreachable", "did not answer whole"),
        (52, CycleError, "SourceUnreachable", "did not answer whole"),
        (80, IncompleteRead, "IncompleteRead", "no success"),
        (123, IncompleteRead, "IncompleteRead", "no success"),
    ],
)
async def test_a_search_that_ends_without_success_is_no_read(
    code: int, kind: type[UsherError], reason: str, words: str
) -> None:
    error = await answer_to(searching(lambda number: person(number) + done(number, code=code)))

    assert isinstance(error, kind)
    assert error.reason == reason
    assert words in str(error)


async def test_a_limit_in_the_middle_of_the_pages_is_no_read() -> None:
    error = await answer_to(
        searching(
            lambda number: person(number) + done(number, b"more"),
            lambda number: person(number, "b") + done(number, None, code=3),
        )
    )

    assert isinstance(error, IncompleteRead)
    assert "Time limit" in str(error)


async def test_a_search_that_does_not_say_whether_it_is_whole_is_no_read() -> None:
    error = await answer_to(searching(lambda number: person(number) + done(number, None)))

    assert isinstance(error, IncompleteRead)


async def test_references_to_other_directories_are_left_out() -> None:
    reference = b"ldap://127.0.0.1:9/dc=elsewhere"

    def says(number: int) -> bytes:
        body = b"\x04" + bytes([len(reference)]) + reference
        inner = b"\x02\x01" + bytes([number]) + b"\x73" + bytes([len(body)]) + body
        return person(number) + b"\x30" + bytes([len(inner)]) + inner + done(number)

    async with fake_directory(searching(says)) as fake:
        found = await source_of(fake).read()
    assert [each.id for each in found.resources] == [NAME]


# --- rubbish


@pytest.mark.parametrize(
    "said",
    [
        lambda _: b"HTTP/1.1 400 Bad Request\r\nServer: grace.hopper\r\n\r\n",
        lambda _: b"\x30\x84\x7f\xff\xff\xff\x02\x01",
        lambda number: person(number)[:20],
        lambda _: b"\x30\x03\x02\x01\x63",
        lambda number: person(number) + entry(number, "x", {}).replace(b"\x04\x01x", b"\x04\x01\xff") + done(number),
        lambda number: entry(number, "cn=x", {"x": [b"1"]}).replace(b"\x04\x01x", b"\x04\x01\xff") + done(number),
        lambda number: message(number, "searchResDone", dict.fromkeys(page_control(b""), b"\x30\x02\x04\x00")),
        lambda _: None,
    ],
)
async def test_what_is_no_answer_ends_the_read(
    monkeypatch: pytest.MonkeyPatch, said: Callable[[int], bytes | None]
) -> None:
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 0.25)
    error = await answer_to(searching(said))

    assert isinstance(error, CycleError | IncompleteRead)
    assert "127.0.0.1" in str(error) or "page" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        lambda number: person(number) + message(number, "searchResDone"),
        lambda number: person(number, controls={SYNC_STATE: ADDED[:10]}) + message(number, "searchResDone"),
        lambda number: person(number, controls={SYNC_STATE: CURRENT}) + _ended(number),
        lambda number: person(number, controls={SYNC_STATE: ADDED}) + _ended(number),
        lambda number: message(number, "searchResDone", {SYNC_DONE: b"\x04\x00"}),
    ],
)
async def test_a_refresh_that_contradicts_itself_is_no_read(said: Callable[[int], bytes]) -> None:
    error = await answer_to(searching(said), changes=Changes.SYNCREPL)

    assert isinstance(error, CycleError | IncompleteRead)


def _ended(number: int) -> bytes:
    return message(number, "searchResDone", {SYNC_DONE: ENDED})


async def test_a_refresh_needs_entries_that_are_marked_and_an_end_that_says_so() -> None:
    def says(number: int) -> bytes:
        attributes = {"entryUUID": [TEXT.upper().encode()], "uid": [b"a"]}
        return entry(number, "uid=a", attributes, controls={SYNC_STATE: ADDED}) + _ended(number)

    async with fake_directory(searching(says)) as fake:
        found = await source_of(fake, changes=Changes.SYNCREPL).read()
    assert [each.id for each in found.resources] == [TEXT]
    assert '"cookie":"abc"' in found.watermark


@pytest.mark.parametrize(("code", "kind"), [(4096, WatermarkExpired), (53, WatermarkExpired), (2, WatermarkExpired)])
async def test_a_cookie_that_is_refused_asks_for_a_whole_read(code: int, kind: type[UsherError]) -> None:
    def whole(number: int) -> bytes:
        return _ended(number)

    async with fake_directory(searching(whole, lambda number: done(number, None, code=code))) as fake:
        source = source_of(fake, changes=Changes.SYNCREPL)
        since = (await source.read()).watermark
        with pytest.raises(kind):
            await source.changes(since)


async def test_a_directory_without_content_synchronization_is_told_at_the_field() -> None:
    error = await answer_to(searching(lambda number: done(number, None, code=12)), changes=Changes.SYNCREPL)

    assert isinstance(error, SpecError)
    assert error.path == "changes"


# --- too much, and too little


async def test_a_server_that_is_silent_does_not_hold_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 0.2)

    async def silent(_: Question) -> bytes:
        return b""

    for answer in (silent, searching(lambda _: b""), searching(person), searching(lambda number: person(number)[:9])):
        error = await answer_to(answer)
        assert error.reason == "SourceUnreachable"
        assert "did not answer whole" in str(error)


async def test_a_refresh_that_stays_silent_does_not_hold_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 0.2)
    error = await answer_to(searching(lambda _: b""), changes=Changes.SYNCREPL)

    assert error.reason == "SourceUnreachable"


async def test_an_answer_of_more_than_is_allowed_is_cut_off_with_a_way_out(
    directory: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_PAGE", 200_000)
    error = await refused(Source.of(directory, page_size=1_000))

    assert isinstance(error, IncompleteRead)
    assert "lower pageSize" in str(error)
    assert len((await Source.of(directory, page_size=50).read()).resources) > 1_000


async def test_an_endless_answer_is_cut_off_without_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_PAGE", 1_000_000)

    def endless(number: int) -> bytes:
        return person(number, "x" * 1_000) * 10_000

    error = await answer_to(searching(endless))
    assert isinstance(error, IncompleteRead)
    assert "lower pageSize" in str(error)


async def test_empty_pages_without_an_end_are_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_EMPTY_PAGES", 5)
    error = await answer_to(searching(lambda number: done(number, b"again")))

    assert isinstance(error, IncompleteRead)
    assert "6 empty pages" in str(error)


async def test_pages_without_an_end_are_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ENTRIES", 5)
    error = await answer_to(searching(lambda number: person(number, f"p{number}") + done(number, b"again")))

    assert isinstance(error, IncompleteRead)
    assert "more than 5 entries" in str(error)


@pytest.mark.parametrize("changes", [Changes.MODIFY_TIMESTAMP, Changes.SYNCREPL])
async def test_a_read_that_takes_too_long_is_none(monkeypatch: pytest.MonkeyPatch, changes: Changes) -> None:
    monkeypatch.setattr(connection, "READ_TIMEOUT", -1.0)
    says = _ended if changes is Changes.SYNCREPL else lambda number: done(number, b"again")
    error = await answer_to(searching(says), changes=changes)

    assert isinstance(error, IncompleteRead)
    assert "had not come to its end" in str(error)


# --- stopping


@pytest.mark.parametrize("kind", ["bindRequest", "searchRequest"])
async def test_a_read_that_is_cancelled_in_the_middle_of_a_question_leaves_nothing(kind: str) -> None:
    asked = asyncio.Event()

    async def silent(question: Question) -> bytes:
        if question.kind != kind:
            return answered(question)
        asked.set()
        return b""

    async with fake_directory(silent) as fake:
        reading = asyncio.create_task(source_of(fake).read())
        await asked.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(2):
                await reading
        for _ in range(100):
            if not fake.open:
                break
            await asyncio.sleep(0.01)
        assert fake.open == 0


@pytest.mark.parametrize("turns", range(8))
async def test_a_read_that_is_cancelled_twice_leaves_nothing(turns: int) -> None:
    asked = asyncio.Event()

    async def silent(question: Question) -> bytes:
        if question.kind != "searchRequest":
            return answered(question)
        asked.set()
        return b""

    async with fake_directory(silent) as fake:
        reading = asyncio.create_task(source_of(fake).read())
        await asked.wait()
        reading.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_whoever_stops_reading_early_leaves_nothing() -> None:
    answer = searching(lambda number: person(number, f"p{number}") + done(number, b"more"))
    async with fake_directory(answer) as fake, source_of(fake).open() as opened:
        async for _ in opened.fetch(ResourceType.USER, None):
            break


async def test_the_next_page_is_asked_for_while_one_is_worked_at() -> None:
    def says(number: int) -> bytes:
        return person(number, f"p{number}") + done(number, b"more" if number < 4 else b"")

    async with fake_directory(searching(says)) as fake, source_of(fake).open() as opened:
        reading = aiter(opened.fetch(ResourceType.USER, None))
        await anext(reading)
        async with asyncio.timeout(5):
            while [each.kind for each in fake.questions].count("searchRequest") < 2:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.005)
        assert len([item async for item in reading]) == 3
