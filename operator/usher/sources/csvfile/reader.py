"""The live half of the CSV source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

from usher.contracts.runtime import Runtime
from usher.contracts.source import ReadComplete, SourcePage, SourceReader, Watermark
from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, SourceResource
from usher.sources.csvfile.groups import (
    DISPLAY_NAME,
    MAX_MEMBERS_BYTES,
    MEMBERS,
    NEEDED,
    OBJECT_ID,
    GroupRows,
    NamedGroups,
)
from usher.sources.csvfile.records import MAX_CELL_BYTES, Record, read_records
from usher.sources.csvfile.rows import RowReader, read_header
from usher.sources.csvfile.settings import CsvSettings, GroupColumn, GroupDocument

MAX_BYTES: Final = 64 * 1024 * 1024
PAGE_ROWS: Final = 1_000
PAGE_CELLS: Final = 20_000
PAGE_BYTES: Final = 256 * 1024
"""A page ends at the first of these, so that the event loop gets its turn within milliseconds."""
PAGE_GROUPS: Final = 100


class CsvReader:
    """Reads whole documents every time: a CSV has no watermark, and is complete when all of it was parsed."""

    def __init__(self, settings: CsvSettings, pause: Callable[[float], Awaitable[None]]) -> None:
        self._settings = settings
        self._pause = pause

    @property
    def identity(self) -> str:
        """`csv:` and the id column of people: another column is another scheme of ids."""
        return f"csv:{self._settings.id_column}"

    async def fetch(
        self, resource_type: ResourceType, former: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        """Pages of at most 1,000 resources and then ReadComplete, whose attributes are the columns.

        Raises IncompleteRead with reason `InvalidData` that names the line; of a document of groups the document too.
        """
        del former  # a CSV has no watermark
        groups = self._settings.groups
        if resource_type is ResourceType.USER:
            items = self._people()
        elif groups is None:
            raise ValueError("no groups are read from this source")
        else:
            items = self._named_groups(groups) if isinstance(groups, GroupColumn) else self._groups_of(groups)
        async for item in items:
            yield item

    async def _people(self) -> AsyncIterator[SourcePage | ReadComplete]:
        batches = self._open(await self._settings.load())
        header = read_header(next(batches)[0], self._settings.id_column)
        rows = RowReader(header)
        for batch in batches:
            page = tuple(rows.read(batch))
            if page:
                yield page
            await self._pause(0)
        yield ReadComplete(watermark=None, attributes=header.names, blank=rows.blank)

    async def _named_groups(self, groups: GroupColumn) -> AsyncIterator[SourcePage | ReadComplete]:
        """Those that the people's rows name; all of these are read before there is one."""
        batches = self._open(await self._settings.load())
        header = read_header(next(batches)[0], self._settings.id_column, {groups.column: "which is groups.column"})
        rows, named = RowReader(header), NamedGroups(header, groups.column, groups.delimiter)
        for batch in batches:
            for record, person in zip(batch, rows.read(batch), strict=True):
                named.take(record, person.id)
            await self._pause(0)
        for page in _cut(named.resources()):
            yield page
            await self._pause(0)
        yield ReadComplete(watermark=None, attributes=(OBJECT_ID, DISPLAY_NAME, MEMBERS))

    async def _groups_of(self, groups: GroupDocument) -> AsyncIterator[SourcePage | ReadComplete]:
        document = await groups.load()
        try:
            batches = self._open(document, MAX_MEMBERS_BYTES)
            header = read_header(next(batches)[0], groups.id_column, NEEDED)
            rows = GroupRows(header, groups.delimiter)
            for batch in batches:
                page = tuple(rows.read(batch))
                if page:
                    yield page
                await self._pause(0)
        except IncompleteRead as error:
            raise IncompleteRead(f"{groups.place}: {error.message}", reason=error.reason) from error
        yield ReadComplete(watermark=None, attributes=tuple(dict.fromkeys((*header.names, OBJECT_ID))))

    def _open(self, document: bytes, max_cell: int = MAX_CELL_BYTES) -> Iterator[Sequence[Record]]:
        """The header by itself, and then the rows in batches."""
        _check(document)
        records = read_records(document, self._settings.delimiter, max_cell)
        first = next(records, None)
        if first is None:
            raise IncompleteRead("line 1: there is no header row", reason="InvalidData")
        yield [first]
        yield from cut_batches(records, first.end)


def _cut(resources: Iterator[SourceResource]) -> Iterator[SourcePage]:
    while page := tuple(islice(resources, PAGE_GROUPS)):
        yield page


def _check(document: bytes) -> None:
    if len(document) > MAX_BYTES:
        explanation = f"the document has {len(document):,} bytes, at most {MAX_BYTES:,} are read"
        raise IncompleteRead(explanation, reason="InvalidData")
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise IncompleteRead("line 1: this is UTF-16, save the document as UTF-8", reason="InvalidData")
    nul = document.find(b"\x00")
    if nul >= 0:
        line = document.count(b"\n", 0, nul) + 1
        raise IncompleteRead(f"line {line}: a NUL byte", reason="InvalidData")


def cut_batches(records: Iterable[Record], offset: int) -> Iterator[Sequence[Record]]:
    """Lists of the records that follow `offset`; each ends with the record that reaches one of the limits of a page."""
    batch: list[Record] = []
    cells = 0
    for record in records:
        batch.append(record)
        cells += len(record.cells)
        if len(batch) >= PAGE_ROWS or cells >= PAGE_CELLS or record.end - offset >= PAGE_BYTES:
            yield batch
            batch, cells, offset = [], 0, record.end
    yield batch


@asynccontextmanager
async def open_csv(settings: CsvSettings, runtime: Runtime) -> AsyncIterator[SourceReader]:
    """Nothing is held open: the document is loaded by each `fetch`."""
    yield CsvReader(settings, runtime.sleep)
