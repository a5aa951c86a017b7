"""The CSV source: what a complete read is, and which line is to blame for one that is not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import pytest

from usher.contracts.runtime import Runtime
from usher.contracts.source import ReadComplete, Watermark
from usher.core.errors import CycleError, IncompleteRead, SpecError
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.sources.csvfile import groups, reader, rows
from usher.sources.csvfile.settings import CsvSettings, GroupColumn, GroupDocument
from usher.sources.registry import CSV

RUNTIME = Runtime(
    now=lambda: datetime(2026, 1, 1, tzinfo=UTC), monotonic=lambda: 0.0, sleep=asyncio.sleep, random=Random(0)
)


def settings(document: bytes, id_column: str = "objectId", delimiter: str = ",") -> CsvSettings:
    async def load() -> bytes:
        return document

    return CsvSettings(load, id_column, delimiter)


async def _nothing() -> bytes:
    return b""


async def read(given: CsvSettings) -> tuple[list[int], list[SourceResource], ReadComplete]:
    """The sizes of the pages, everybody, and the end of the read."""
    pages: list[int] = []
    people: list[SourceResource] = []
    async with CSV.open(given, RUNTIME) as source:
        async for item in source.fetch(ResourceType.USER, None):
            if isinstance(item, ReadComplete):
                return pages, people, item
            pages.append(len(item))
            people.extend(item)
    raise AssertionError("the read ended without ReadComplete")


async def people_of(document: bytes, delimiter: str = ",") -> dict[str, dict[str, object]]:
    _, people, _ = await read(settings(document, delimiter=delimiter))
    return {person.id: dict(person.attributes) for person in people}


async def test_every_cell_is_an_attribute_and_an_empty_one_is_null() -> None:
    pages, people, end = await read(settings(b"objectId,mail,title\r\n1,a@x.org,\r\n2,,Dr\r\n"))

    assert pages == [2]
    assert people == [
        SourceResource(SourceId("1"), {"objectId": "1", "mail": "a@x.org"}),
        SourceResource(SourceId("2"), {"objectId": "2", "title": "Dr"}),
    ]
    assert end == ReadComplete(watermark=None, attributes=("objectId", "mail", "title"))


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (b"objectId,n\n1,x", "x"),
        (b"objectId,n\r\n1,x\r\n\r\n\n", "x"),
        (b"objectId,n\n1,x\r", "x"),
        (b"\xef\xbb\xbfobjectId,n\n1,x\n", "x"),
        (b'"objectId","n"\n"1","x"', "x"),
        (b'objectId,n\r\n1,"x"\r\n', "x"),
        (b'objectId,n\n1,"x"\r', "x"),
        (b'objectId,n\n1,"a,b"\n', "a,b"),
        (b'objectId,n\n1,"a""b"""\n', 'a"b"'),
        (b'objectId,n\n1,"a\r\nb\n"\n', "a\r\nb\n"),
        (b'objectId,n\n1," \r "\n', " \r "),
        (b"objectId,n\n1, x \n", " x "),
        ("objectId,n\n1,Zoë 名\n".encode(), "Zoë 名"),
        (b"objectId,n\n1,0042\n", "0042"),
    ],
)
async def test_a_document_is_read_as_rfc_4180_says(document: bytes, name: str) -> None:
    assert await people_of(document) == {"1": {"objectId": "1", "n": name}}


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", "§", "]", "^", "\\", "-"])
async def test_the_delimiter_is_any_one_character(delimiter: str) -> None:
    document = f'objectId{delimiter}n\n1{delimiter}"a{delimiter}b"\n2{delimiter}a,b\n'.encode()

    people = await people_of(document, delimiter)

    assert people == {"1": {"objectId": "1", "n": f"a{delimiter}b"}, "2": {"objectId": "2", "n": "a,b"}}


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0", "\ud800"])
def test_what_cannot_be_a_delimiter_is_refused(delimiter: str) -> None:
    with pytest.raises(SpecError, match=r"^spec\.csv\.delimiter: "):
        settings(b"", delimiter=delimiter)


def test_an_empty_id_column_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^spec\.csv\.idColumn: "):
        settings(b"", id_column=" ")


@pytest.mark.parametrize(
    ("cell", "value"),
    [("true", True), ("FALSE", False), ("1", True), ("0", False), ("Yes", True), ("no", False)],
)
async def test_the_well_known_booleans_are_booleans(cell: str, value: bool) -> None:
    document = f"objectId,accountEnabled,IsSoftDeleted,other\n1,{cell},,true\n2,,{cell},{cell}\n".encode()

    people = await people_of(document)

    assert people["1"] == {"objectId": "1", "accountEnabled": value, "other": "true"}
    assert people["2"] == {"objectId": "2", "IsSoftDeleted": value, "other": cell}


@pytest.mark.parametrize(
    ("rows", "blank"),
    [("1,,\n2,,\n", {"accountEnabled", "IsSoftDeleted"}), ("1,,\n2,false,\n", {"IsSoftDeleted"}), ("1,1,0\n", set())],
)
async def test_columns_that_say_of_nobody_whether_he_is_active_are_told(rows: str, blank: set[str]) -> None:
    _, _, end = await read(settings(f"objectId,accountEnabled,IsSoftDeleted\n{rows}".encode()))

    assert end.blank == blank


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "line 1: there is no header row"),
        (b"\xef\xbb\xbf\r\n\n", "line 1: there is no header row"),
        (b"mail,name\n", "line 1: there is no column objectId, which is the idColumn"),
        (b"objectId,,x\n", "line 1: column 2 has no name"),
        (b"objectId, \n", "line 1: column 2 has no name"),
        (b"objectId,a,b,a\n", "line 1: columns 2 and 4 have the same name"),
        (b'objectId,"a\nb"\n', "line 1: the name of column 2 has an unprintable character"),
        (b"objectId,a\n1,x\n2\n", "line 3: 1 cells where the header has 2"),
        (b"objectId,a\n1,x,secret\n", "line 2: 3 cells where the header has 2"),
        (b'objectId,a\n1,"x\ny"\n2\n', "line 4: 1 cells where the header has 2"),
        (b'objectId,a\n"1\n",x,secret\n', "line 2: 3 cells where the header has 2"),
        (b"objectId,a\n1,x\n,secret\n", "line 3: the cell objectId is empty"),
        (b"objectId,a\n  ,secret\n", "line 2: the cell objectId is empty"),
        (b'objectId,a\nsecret,"x\n"\n2,x\nsecret,y\n', "line 5: the same objectId as on line 2"),
        (b"objectId,a\n1,x\n\n2,y\n", "line 3: a blank line between rows"),
        (b"\nobjectId,a\n", "line 1: a blank line between rows"),
        (b"objectId,accountEnabled\n1,secret\n", "line 2: the cell accountEnabled is neither true nor false"),
        (b"objectId,IsSoftDeleted\n1,true\n2, no\n", "line 3: the cell IsSoftDeleted is neither true nor false"),
        (b'objectId,a\n1,"secret\n2,y\n', "line 2: a double quote is never closed"),
        (b'objectId,a\n1,sec"ret\n', "line 2: a double quote inside a cell that is not quoted"),
        (b'objectId,a\n1, "secret"\n', "line 2: a double quote inside a cell that is not quoted"),
        (b'objectId,a\n1,"sec"ret\n', "line 2: text behind the double quote that closes a cell"),
        (b'objectId,a\n1,"sec"\rret\n', "line 2: text behind the double quote that closes a cell"),
        (b"objectId,a\n1,sec\rret\n", "line 2: a carriage return that no line feed follows"),
        (b'objectId,a\n"1",sec\rret\n', "line 2: a carriage return that no line feed follows"),
        (b"objectId,a\r1,x\r", "line 1: a carriage return that no line feed follows"),
        (b"objectId,a\n1,x\n2,sec\xffret\n", "line 3: not UTF-8"),
        (b'objectId,a\n1,"x\n\xc3(\n"\n', "line 3: not UTF-8"),
        (b"objectId,a\xe9\n", "line 1: not UTF-8"),
        (b"objectId,AccountEnabled\n", "line 1: column 2 is called AccountEnabled: did you mean accountEnabled?"),
        (b"objectId,accountEnabled \n", "line 1: the name of column 2 begins or ends with a blank"),
        (
            b"objectId;mail\n1;a\n",
            "line 1: there is no column objectId, which is the idColumn, among the 1: is spec.csv",
        ),
        (b"objectId,a\n1,x\n2,sec\x00ret\n", "line 3: a NUL byte"),
        ("objectId,a\n1,x\n".encode("utf-16"), "line 1: this is UTF-16, save the document as UTF-8"),
        (b"objectId,a\n1," + b"x" * 65_537 + b"\n", "line 2: a cell longer than 64 KiB"),
        (b'objectId,a\n"1",' + b"x" * 65_537 + b"\n", "line 2: a cell longer than 64 KiB"),
        (b'objectId,a\n1,"' + b"x" * 65_537 + b'"\n', "line 2: a cell longer than 64 KiB"),
        (b'objectId,a\n1,"' + b"x" * 200_000 + b'"\n', "line 2: a double quote is never closed, or a cell is longer"),
        (b"objectId" + b",a" * 1000 + b"\n", "line 1: more than 1,000 cells"),
        (b'objectId\n"1"' + b",a" * 1000 + b"\n", "line 2: more than 1,000 cells"),
        (b"x" * (64 * 1024 * 1024 + 1), "the document has 67,108,865 bytes, at most 67,108,864 are read"),
    ],
)
async def test_a_document_that_breaks_the_rules_is_void_and_the_line_is_named(document: bytes, message: str) -> None:
    with pytest.raises(IncompleteRead) as raised:
        await read(settings(document))

    assert str(raised.value).startswith(message)
    assert raised.value.reason == "InvalidData"
    assert "secret" not in f"{raised.value} {raised.value.detail}"


@pytest.mark.parametrize(
    "document",
    [
        b"objectId,a\n1," + b"x" * 65_536 + b"\n",
        b'objectId,a\n1,"' + b'""' * 65_536 + b'"\n',
        b"objectId" + b"".join(b",%d" % number for number in range(999)) + b"\n1" + b"," * 999 + b"\n",
    ],
)
async def test_caps_hold_to_the_last_byte_and_cell(document: bytes) -> None:
    assert list(await people_of(document)) == ["1"]


async def test_too_many_rows_void_the_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 3)

    assert len(await people_of(b"objectId\n1\n2\n3\n")) == 3
    with pytest.raises(IncompleteRead, match="line 5: more than 3 rows"):
        await people_of(b"objectId\n1\n2\n3\n4\n")


async def test_a_header_alone_is_a_complete_read_of_nobody() -> None:
    pages, people, end = await read(settings(b"objectId,mail\n"))

    assert (pages, people) == ([], [])
    assert end.attributes == ("objectId", "mail")


async def test_another_id_column_is_another_identity() -> None:
    given = settings(b"objectId,employeeId\n,7\n,8\n", id_column="employeeId")

    _, people, _ = await read(given)

    assert [person.id for person in people] == ["7", "8"]
    async with CSV.open(given, RUNTIME) as source:
        assert source.identity == "csv:employeeId"


async def test_pages_have_a_thousand_people_and_fewer_when_rows_are_long() -> None:
    short = b"objectId\n" + b"".join(b"%d\n" % number for number in range(2_500))
    long = b"objectId,a\n" + b"".join(b"%d,%s\n" % (number, b"x" * 60_000) for number in range(12))

    assert (await read(settings(short)))[0] == [1000, 1000, 500]
    assert (await read(settings(long)))[0] == [5, 5, 2]


async def test_the_loop_gets_its_turn_between_pages() -> None:
    turns: list[float] = []

    async def pause(seconds: float) -> None:
        turns.append(seconds)

    source = reader.CsvReader(settings(b"objectId\n" + b"".join(b"%d\n" % n for n in range(2_500))), pause)

    items = [item async for item in source.fetch(ResourceType.USER, Watermark("ignored"))]

    assert isinstance(items[-1], ReadComplete)
    assert turns == [0, 0, 0]


async def test_pages_before_a_mistake_are_no_complete_read() -> None:
    document = b"objectId\n" + b"".join(b"%d\n" % number for number in range(1_500)) + b"7\n"
    items = reader.CsvReader(settings(document), asyncio.sleep).fetch(ResourceType.USER, None)

    first = await anext(items)

    assert isinstance(first, tuple)
    assert len(first) == 1000
    with pytest.raises(IncompleteRead, match="line 1502: the same objectId as on line 9"):
        await anext(items)


async def test_a_source_that_cannot_be_loaded_stops_the_cycle() -> None:
    async def load() -> bytes:
        raise CycleError("ConfigMap people is missing", reason="ConfigMapNotFound")

    with pytest.raises(CycleError, match="ConfigMap people is missing"):
        await read(CsvSettings(load))


@pytest.mark.parametrize(
    "flood",
    [
        lambda: b"objectId\n1\n" + b"\n" * 30_000_000,
        lambda: b'objectId\n"' + b"x" * 30_000_000,
        lambda: b'objectId\n"' + b'""' * 15_000_000,
        lambda: b"objectId\n" + b"," * 30_000_000,
    ],
    ids=["blank lines", "open quote", "doubled quotes", "cells"],
)
async def test_a_flood_is_over_quickly(flood: Callable[[], bytes]) -> None:
    given = settings(flood())
    loop = asyncio.get_running_loop()
    start = loop.time()

    with contextlib.suppress(IncompleteRead):
        await read(given)

    assert loop.time() - start < 2.0


# --- groups


def with_groups(people: bytes, groups: bytes | None = None, **others: str) -> CsvSettings:
    """Groups in the column `groups`, or in a document of their own."""

    async def load() -> bytes:
        return people

    async def load_groups() -> bytes:
        assert groups is not None
        return groups

    if groups is None:
        return CsvSettings(load, groups=GroupColumn("groups", **others))
    return CsvSettings(load, groups=GroupDocument(load_groups, "spec.csv.groups (g.csv)", **others))


async def groups_of(given: CsvSettings) -> tuple[list[SourceResource], ReadComplete]:
    """All groups, and the end of the read."""
    found: list[SourceResource] = []
    async with CSV.open(given, RUNTIME) as source:
        async for item in source.fetch(ResourceType.GROUP, None):
            if isinstance(item, ReadComplete):
                return found, item
            found.extend(item)
    raise AssertionError("the read ended without ReadComplete")


def group(name: str, *members: str, title: str = "", **others: Value) -> SourceResource:
    attributes = {"objectId": name, "displayName": title or name, "members": members, **others}
    return SourceResource(SourceId(name), attributes)


async def test_a_column_names_the_groups_of_a_person_whose_ids_are_their_names() -> None:
    document = b"objectId,groups\n3,R&D; Sales\n1,\n2,Sales;; Sales ;\n"
    found, end = await groups_of(with_groups(document))

    assert found == [group("R&D", "3"), group("Sales", "2", "3")]
    assert end == ReadComplete(watermark=None, attributes=("objectId", "displayName", "members"))
    assert (await people_of(document))["3"]["groups"] == "R&D; Sales"


async def test_the_order_of_rows_and_of_names_says_nothing() -> None:
    one, _ = await groups_of(with_groups(b"objectId,groups\n1,a|b\n2,b\n", delimiter="|"))
    other, _ = await groups_of(with_groups(b"objectId,groups\n2,b\n1,b|a\n", delimiter="|"))

    assert one == other == [group("a", "1"), group("b", "1", "2")]


async def test_a_column_without_a_name_in_it_is_a_complete_read_of_no_group() -> None:
    assert (await groups_of(with_groups(b"objectId,groups\n1,\n")))[0] == []


async def test_a_document_of_groups_has_ids_names_and_members_and_what_else_it_says() -> None:
    document = b'objectId,displayName,members,kind\ng2,Sales,"2; 1;2;g1",team\ng1,"R&D",,\n'
    found, end = await groups_of(with_groups(b"", document))

    assert found == [group("g2", "1", "2", "g1", title="Sales", kind="team"), group("g1", title="R&D")]
    assert end == ReadComplete(watermark=None, attributes=("objectId", "displayName", "members", "kind"))


async def test_a_document_of_groups_may_have_another_id_column() -> None:
    document = b"gid,displayName,members\n7,Sales,1\n"
    found, end = await groups_of(with_groups(b"", document, id_column="gid"))

    assert found == [group("7", "1", title="Sales", gid="7")]
    assert end.attributes == ("gid", "displayName", "members", "objectId")


async def test_a_group_of_twenty_thousand_is_one_cell() -> None:
    members = [f"00000000-0000-0000-0000-{number:012}" for number in range(20_000)]
    document = f'objectId,displayName,members\ng,All,{";".join(members)}\nh,"H","{";".join(members)}"\n'.encode()
    found, _ = await groups_of(with_groups(b"", document))

    assert [each.attributes["members"] for each in found] == [tuple(members), tuple(members)]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"objectId,mail\n1,secret\n", "line 1: there is no column groups, which is groups.column, among the 2"),
        (b"objectId,groups\n1,secret\n2,x;SECRET\n", "line 3: the name of a group differs from one on line 2"),
        (b"objectId,groups\n1,secret\n1,secret\n", "line 3: the same objectId as on line 2"),
        (b"objectId,groups\n1\n", "line 2: 1 cells where the header has 2"),
        (b"", "line 1: there is no header row"),
    ],
)
async def test_a_document_whose_column_of_groups_is_wrong_is_void_and_the_line_is_named(
    document: bytes, message: str
) -> None:
    with pytest.raises(IncompleteRead) as raised:
        await groups_of(with_groups(document))

    assert str(raised.value).startswith(message)
    assert raised.value.reason == "InvalidData"
    assert "secret" not in str(raised.value).lower()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "line 1: there is no header row"),
        (b"displayName,members\n", "line 1: there is no column objectId, which is the idColumn, among the 2"),
        (b"objectId,members\n", "line 1: there is no column displayName, which a document of groups has to have"),
        (b"objectId,displayName,Members\n", "line 1: there is no column members, which a document of groups has to"),
        (b"objectId,displayName,members\n1,secret,\n1,x,\n", "line 3: the same objectId as on line 2"),
        (b"objectId,displayName,members\n1,,secret\n", "line 2: the cell displayName is empty"),
        (b"objectId,displayName,members\n,secret,\n", "line 2: the cell objectId is empty"),
        (b"objectId,displayName,members\n1,secret\n", "line 2: 2 cells where the header has 3"),
        (b"objectId,displayName,members\n1,x,\xff\n", "line 2: not UTF-8"),
    ],
)
async def test_a_document_of_groups_that_is_wrong_is_named_with_its_line(document: bytes, message: str) -> None:
    with pytest.raises(IncompleteRead) as raised:
        await groups_of(with_groups(b"objectId\n1\n", document))

    assert str(raised.value).startswith(f"spec.csv.groups (g.csv): {message}")
    assert raised.value.reason == "InvalidData"
    assert "secret" not in str(raised.value)


async def test_more_groups_than_anybody_has_are_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MAX_GROUPS", 2)
    with pytest.raises(IncompleteRead, match=r"line 2: more than 2 groups: is spec\.csv\.groups\.column right"):
        await groups_of(with_groups(b"objectId,groups\n1,a;b;c\n"))


@pytest.mark.parametrize(
    ("others", "path"),
    [
        (GroupColumn(" "), "column"),
        (GroupColumn("x", ";;"), "delimiter"),
        (GroupDocument(_nothing, "", id_column=""), "idColumn"),
        (GroupDocument(_nothing, "", delimiter='"'), "delimiter"),
    ],
)
def test_where_groups_can_not_be_is_refused(others: GroupColumn | GroupDocument, path: str) -> None:
    with pytest.raises(SpecError, match=rf"^spec\.csv\.groups\.{path}: "):
        CsvSettings(_nothing, groups=others)


async def test_without_groups_none_are_read() -> None:
    with pytest.raises(ValueError, match="no groups are read"):
        await groups_of(CsvSettings(_nothing))
