"""Whatever a directory sends is a resource or an error of ours, and what is told twice is told in the same way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast
from uuid import UUID

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ldap.dn import is_dn, str2dn

from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType
from usher.core.sync.fingerprints import fingerprint
from usher.sources.ldap.entries import EntryReader, known_names
from usher.sources.ldap.marks import Times, newest_of, read_cookie, read_times, write_cookie, write_times
from usher.sources.ldap.names import BINARY, BOOKKEEPING, LOCKS, PERSON_NAMES, SECRET
from usher.sources.ldap.refresh import Refresh
from usher.sources.ldap.values import canonical_dn, compared_dn
from usher.transport.ldap.client import Cookie, Deleted, Entry, PhaseEnd, Present, Refreshed, SyncPart
from usher.transport.ldap.connection import DirectoryConnection, Search
from usher.transport.ldap.starttls import MAX_ANSWER, read_starttls_answer

UNHURRIED = settings(deadline=None)
INTERESTING = sorted({"objectGUID", "objectSid", *LOCKS, *SECRET, *BINARY, *BOOKKEEPING, *PERSON_NAMES, "member"})
NAMES = st.builds(
    lambda name, option, turned: f"{name.swapcase() if turned else name}{option}",
    st.sampled_from(INTERESTING) | st.text("abcdefghi-;", max_size=8),
    st.sampled_from(["", ";lang-de", ";binary", ";range=0-1", ";x"]),
    st.booleans(),
)
VALUES = st.lists(st.binary(max_size=40) | st.text(max_size=9).map(str.encode), max_size=3)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=8)
SECONDS = st.datetimes().map(lambda time: f"{time:%Y%m%d%H%M%S}".rjust(14, "0").encode() + b"Z")


@given(ATTRIBUTES, st.text(max_size=30), st.sampled_from(list(ResourceType)), st.sampled_from(["mail", "objectGUID"]))
@UNHURRIED
def test_any_entry_is_a_resource_or_makes_the_read_void(
    attributes: dict[str, list[bytes]], dn: str, resource_type: ResourceType, id_attribute: str
) -> None:
    reader = EntryReader(resource_type, id_attribute, "member")
    for _ in range(2):
        try:
            resource = reader.read(Entry(dn, attributes))
        except IncompleteRead as error:
            assert not dn or len(dn) < 3 or dn not in str(error)
            continue
        assert resource.id
        assert resource.attributes["objectId"] == resource.id
        fingerprint(resource.attributes)
        assert not {name.lower().partition(";")[0] for name in resource.attributes} & (SECRET | BOOKKEEPING)
        assert set(known_names(resource_type, frozenset(resource.attributes), frozenset())) == set(resource.attributes)


@given(ATTRIBUTES)
@UNHURRIED
def test_the_order_of_attributes_changes_nothing(attributes: dict[str, list[bytes]]) -> None:
    unlike = {name.lower().removesuffix(";binary"): name for name in attributes}
    given_ = {name: attributes[name] for name in unlike.values()}
    turned = dict(reversed(given_.items()))
    reader = EntryReader(ResourceType.USER, "id", "member")
    try:
        one, other = (reader.read(Entry("cn=x", {"id": [b"1"], **each})) for each in (given_, turned))
    except IncompleteRead:
        return
    assert orjson.dumps(one.attributes, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        other.attributes, option=orjson.OPT_SORT_KEYS
    )


# --- distinguished names


@given(
    st.lists(st.tuples(st.sampled_from(["cn", "OU", "dc"]), st.text(min_size=1, max_size=8)), min_size=1, max_size=3)
)
@example([("cn", "\\"), ("cn", "0")])
@UNHURRIED
def test_one_spelling_of_a_name_means_what_the_others_do(parts: list[tuple[str, str]]) -> None:
    hexed = ",".join(f"{name}={_in_hex(value)}" for name, value in parts)
    loose = " , ".join(f"{name} = {_escaped(value)}" for name, value in parts)
    canonical = canonical_dn(hexed)

    assert str2dn(canonical) == str2dn(hexed)
    assert canonical_dn(canonical) == canonical
    assert canonical_dn(loose) == canonical
    assert compared_dn(loose) == compared_dn(hexed) == compared_dn(canonical)


def _in_hex(value: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in value.encode())


def _escaped(value: str) -> str:
    return "".join(_in_hex(each) if each < " " else f"\\{each}" if each in ' "#+,;<=>\\' else each for each in value)


@given(st.text('ab=,+ \\"#;<>20\0é', max_size=20))
@UNHURRIED
def test_any_text_has_a_spelling_that_stays(text: str) -> None:
    canonical = canonical_dn(text)

    assert canonical_dn(canonical) == canonical
    assert is_dn(text) == is_dn(canonical)


# --- watermarks


@given(st.lists(SECONDS | st.binary(max_size=20), max_size=6), st.lists(SECONDS, max_size=6))
@UNHURRIED
def test_the_newest_time_is_the_latest_of_all_and_the_order_says_nothing(
    values: list[bytes], more: list[bytes]
) -> None:
    everything = [*values, *more]
    newest = ""
    for value in everything:
        newest = newest_of([value], newest)
    turned = ""
    for value in reversed(everything):
        turned = newest_of([value], turned)
    assert newest == turned
    assert newest == max((value.decode() for value in everything if _is_time(value)), default="")


def _is_time(value: bytes) -> bool:
    return len(value) == 15 and value[:14].isdigit() and value.endswith(b"Z")


@given(st.text(), st.text(), st.text(min_size=1))
@UNHURRIED
def test_watermarks_come_back_as_they_were(begin: str, newest: str, cookie: str) -> None:
    assert read_times(write_times("scope", Times(begin, newest)), "scope") == Times(begin, newest)
    assert read_cookie(write_cookie("scope", cookie), "scope") == cookie


# --- content synchronization

IDS = [str(UUID(int=number)) for number in range(4)]
SUBSETS = st.lists(st.sampled_from(IDS), max_size=3).map(tuple)
PARTS = st.one_of(
    st.sampled_from(IDS).map(lambda uuid: Refreshed(uuid, Entry("cn=x", {}))),
    SUBSETS.map(Deleted),
    SUBSETS.map(Present),
    st.booleans().map(PhaseEnd),
    st.text(max_size=3).map(Cookie),
)


class _Stub:
    def __init__(self, parts: Sequence[Sequence[SyncPart]]) -> None:
        self.parts = parts

    async def refresh(self, search: Search, cookie: str | None) -> AsyncIterator[Sequence[SyncPart]]:
        del search, cookie
        for parts in self.parts:
            yield parts


@given(st.lists(st.lists(PARTS, max_size=4), max_size=5))
@UNHURRIED
async def test_nobody_is_gone_who_was_named_and_not_deleted(batches: list[list[SyncPart]]) -> None:
    refresh = Refresh(cast(DirectoryConnection, _Stub(batches)), Search("", "", (), 1), "scope")
    shown = [entry async for page in refresh.since(write_cookie("scope", "old")) for entry in page]
    parts = [part for batch in batches for part in batch]
    deleted = {uuid for part in parts if isinstance(part, Deleted) for uuid in part.uuids}

    assert len(shown) == sum(isinstance(part, Refreshed) for part in parts)
    assert set(refresh.deleted) == deleted
    ends = [place for place, part in enumerate(parts) if part == PhaseEnd(absent_are_gone=True)]
    if not ends:
        assert refresh.present is None
        return
    assert refresh.present is not None
    named = {_one for part in parts[: ends[-1]] for _one in _ids(part)}
    assert set(refresh.present) == named - deleted


def _ids(part: SyncPart) -> tuple[str, ...]:
    match part:
        case Refreshed(uuid=uuid):
            return (str(UUID(uuid)),)
        case Present(uuids=uuids):
            return uuids
        case _:
            return ()


# --- StartTLS


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda rest: b"\x30" + bytes([len(rest)]) + rest))
@UNHURRIED
def test_any_bytes_are_an_answer_to_starttls_or_are_refused(data: bytes) -> None:
    try:
        agreed = read_starttls_answer(data)
    except ValueError:
        return
    assert agreed in (True, False, None)


def test_nesting_as_deep_as_an_answer_may_be_is_refused() -> None:
    deep = b""
    while len(deep) < MAX_ANSWER - 4:
        deep = b"\x30\x82" + len(deep).to_bytes(2, "big") + deep
    try:
        assert read_starttls_answer(deep) is None
    except ValueError:
        return
