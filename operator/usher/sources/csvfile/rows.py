"""From records to resources: the header, the ids and the few columns that are booleans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from usher.core.errors import scrub
from usher.core.model.resources import SourceId, SourceResource, Value
from usher.sources.csvfile.records import Record, refuse

MAX_ROWS: Final = 1_000_000
BOOLEAN_COLUMNS: Final = frozenset({"accountEnabled", "IsSoftDeleted"})
"""The columns whose cells are true or false; all other values are texts."""

_BY_FOLDED_NAME: Final = {name.casefold(): name for name in BOOLEAN_COLUMNS}
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Header:
    """The first record: the attribute names in the order of the columns."""

    names: tuple[str, ...]
    id_index: int
    boolean_indexes: tuple[int, ...]


def read_header(record: Record, id_column: str, needed: Mapping[str, str] = _NONE) -> Header:
    """Raises IncompleteRead unless the names are there, unique, printable and contain the id column and those needed.

    `needed` says of each name what it is: `which is groups.column`.

    A document without a header has a person's data in its first line, so names of columns are not repeated.
    """
    names, line = tuple(record.cells), record.line
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name.strip():
            refuse(line, f"column {number} has no name")
        if not name.isprintable():
            refuse(line, f"the name of column {number} has an unprintable character")
        if name != name.strip():
            refuse(line, f"the name of column {number} begins or ends with a blank")
        if name not in BOOLEAN_COLUMNS and (meant := _BY_FOLDED_NAME.get(name.casefold())):
            refuse(line, f"column {number} is called {scrub(name)}: did you mean {meant}? Names are case-sensitive")
        if name in seen:
            refuse(line, f"columns {names.index(name) + 1} and {number} have the same name")
        seen.add(name)
    _refuse_absent(record, {id_column: "which is the idColumn", **needed})
    booleans = tuple(index for index, name in enumerate(names) if name in BOOLEAN_COLUMNS)
    return Header(names, names.index(id_column), booleans)


def _refuse_absent(record: Record, needed: Mapping[str, str]) -> None:
    names = record.cells
    for name, what in needed.items():
        if name not in names:
            refuse(record.line, f"there is no column {scrub(name)}, {what}, among the {len(names)}{_hint(names)}")


def _hint(names: Sequence[str]) -> str:
    return ": is spec.csv.delimiter right?" if len(names) == 1 and set(";|\t,") & set(names[0]) else ""


@dataclass(slots=True)
class RowReader:
    """Turns records into resources and remembers the ids (about 150 bytes each)."""

    header: Header
    _lines: dict[str, int] = field(default_factory=dict)
    _told: set[int] = field(default_factory=set)

    @property
    def blank(self) -> frozenset[str]:
        """Columns that say whether somebody is active, and were empty in every row so far."""
        return frozenset(self.header.names[index] for index in self.header.boolean_indexes if index not in self._told)

    def read(self, records: Sequence[Record]) -> Iterator[SourceResource]:
        """Raises IncompleteRead that names the line on which the row starts and the column, and never a value."""
        for record in records:
            yield self._read_row(record)

    def _read_row(self, record: Record) -> SourceResource:
        header, cells, line = self.header, record.cells, record.line
        if len(cells) != len(header.names):
            refuse(line, f"{len(cells)} cells where the header has {len(header.names)}")
        source_id = self._claim_id(cells[header.id_index], line)
        attributes: dict[str, Value] = {name: cell for name, cell in zip(header.names, cells, strict=True) if cell}
        for index in header.boolean_indexes:
            if cells[index]:
                self._told.add(index)
                attributes[header.names[index]] = _read_boolean(cells[index], header.names[index], line)
        return SourceResource(source_id, attributes)

    def _claim_id(self, text: str, line: int) -> SourceId:
        column = scrub(self.header.names[self.header.id_index])
        if not text.strip():
            refuse(line, f"the cell {column} is empty")
        first = self._lines.setdefault(text, line)
        if first != line:
            refuse(line, f"the same {column} as on line {first}")
        if len(self._lines) > MAX_ROWS:
            refuse(line, f"more than {MAX_ROWS:,} rows")
        return SourceId(text)


def _read_boolean(cell: str, name: str, line: int) -> bool:
    truth = _BOOLEANS.get(cell.lower())
    if truth is None:
        refuse(line, f"the cell {name} is neither true nor false (true, false, 1, 0, yes, no)")
    return truth
