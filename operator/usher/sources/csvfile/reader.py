"""The live half of the CSV source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from usher.contracts.runtime import Runtime
from usher.contracts.source import ReadComplete, SourcePage, SourceReader, Watermark
from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType
from usher.sources.csvfile.records import Record, read_records
from usher.sources.csvfile.rows import RowReader, read_header
from usher.sources.csvfile.settings import CsvSettings

MAX_BYTES: Final = 64 * 1024 * 1024
PAGE_ROWS: Final = 1_000
PAGE_CELLS: Final = 20_000
PAGE_BYTES: Final = 256 * 1024
"""A page ends at the first of these, so that the event loop gets its turn within milliseconds."""


class CsvReader:
    """Reads the whole document every time: a CSV has no watermark, and is complete when all of it was parsed."""

    def __init__(self, settings: CsvSettings, pause: Callable[[float], Awaitable[None]]) -> None:
        self._settings = settings
        self._pause = pause

    @property
    def identity(self) -> str:
        """`csv:` and the id column: another column is another scheme of ids."""
        return f"csv:{self._settings.id_column}"

    async def fetch(
        self, resource_type: ResourceType, former: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        """Pages of at most 1,000 people and then ReadComplete, whose attributes are the columns.

        Raises IncompleteRead with reason `InvalidData` that names the line.
        """
        del former  # a CSV has no watermark
        if resource_type is not ResourceType.USER:
            raise ValueError("a CSV document holds people only")
        document = await self._settings.load()
        _check(document)
        records = read_records(document, self._settings.delimiter)
        first = next(records, None)
        if first is None:
            raise IncompleteRead("line 1: there is no header row", reason="InvalidData")
        header = read_header(first, self._settings.id_column)
        rows = RowReader(header)
        for batch in cut_batches(records, first.end):
            page = tuple(rows.read(batch))
            if page:
                yield page
            await self._pause(0)
        yield ReadComplete(watermark=None, attributes=header.names)


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
