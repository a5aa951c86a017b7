"""Whatever Python's csv module writes, the source reads back; whatever anybody writes, it reads or refuses."""

from __future__ import annotations

import asyncio
import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from usher.contracts.source import ReadComplete
from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, SourceResource
from usher.sources.csvfile.reader import CsvReader
from usher.sources.csvfile.settings import CsvSettings

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('",;\n\r\t')
CELLS = st.text(CHARACTERS, max_size=6)
COLUMNS = st.lists(st.sampled_from(["mail", "n a", 'q"uote', "a,b", "ü"]), unique=True, max_size=4)
TABLES = COLUMNS.flatmap(
    lambda names: st.tuples(
        st.just(["objectId", *names]),
        st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=8),
    )
)


async def read(document: bytes, delimiter: str) -> list[SourceResource] | None:
    """Everybody in the document; None where the read is void."""

    async def load() -> bytes:
        return document

    people: list[SourceResource] = []
    complete = False
    try:
        async for item in CsvReader(CsvSettings(load, delimiter=delimiter), asyncio.sleep).fetch(
            ResourceType.USER, None
        ):
            assert not complete
            if isinstance(item, ReadComplete):
                complete = True
            else:
                people.extend(item)
    except IncompleteRead as error:
        assert not complete
        assert error.reason == "InvalidData"
        return None
    assert complete
    return people


@given(TABLES, st.sampled_from([",", ";", "\t", "ü"]), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
@settings(max_examples=300)
def test_a_written_table_reads_back_the_same(
    table: tuple[list[str], list[list[str]]], delimiter: str, line_break: str, mark: str
) -> None:
    header, rows = table
    text = io.StringIO(newline="")
    text.write(mark)
    # With LF the module leaves a carriage return unquoted, which makes the document ambiguous; so it quotes everything.
    if line_break == "\n":
        writer = csv.writer(text, delimiter=delimiter, lineterminator=line_break, quoting=csv.QUOTE_ALL)
    else:
        writer = csv.writer(text, delimiter=delimiter, lineterminator=line_break)
    writer.writerow(header)
    writer.writerows([str(number), *row] for number, row in enumerate(rows))
    document = text.getvalue().encode()

    people = asyncio.run(read(document, delimiter))

    assert people is not None
    assert [person.id for person in people] == [str(number) for number in range(len(rows))]
    filled = [{name: cell for name, cell in zip(header[1:], row, strict=True) if cell} for row in rows]
    assert [{name: v for name, v in person.attributes.items() if name != "objectId"} for person in people] == filled


@given(
    st.lists(st.sampled_from([b"objectId,a", b"1", b"2", b",", b'"', b"\n", b"\r", b"\xff", b"\0", b"x"]), max_size=40)
)
@settings(max_examples=300)
def test_any_bytes_are_read_or_void(parts: list[bytes]) -> None:
    people = asyncio.run(read(b"".join(parts), ","))

    if people is not None:
        assert len({person.id for person in people}) == len(people)


@given(TABLES, st.integers(min_value=0))
def test_a_truncated_document_never_invents_people(table: tuple[list[str], list[list[str]]], cut: int) -> None:
    header, rows = table
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *([f"person-{number:03}", *row] for number, row in enumerate(rows))])
    document = text.getvalue().encode()

    whole = asyncio.run(read(document, ","))
    part = asyncio.run(read(document[: cut % (len(document) + 1)], ","))

    assert whole is not None
    assert part is None or [person.id for person in part[:-1]] == [person.id for person in whole[: len(part)][:-1]]
