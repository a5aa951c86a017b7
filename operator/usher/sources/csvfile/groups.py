"""Groups: those that the people's rows name, and those of a document of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from usher.core.model.resources import SourceId, SourceResource
from usher.sources.csvfile.records import Record, refuse
from usher.sources.csvfile.rows import Header, RowReader

OBJECT_ID: Final = "objectId"
DISPLAY_NAME: Final = "displayName"
MEMBERS: Final = "members"
NEEDED: Final = {
    DISPLAY_NAME: "which a document of groups has to have",
    MEMBERS: "which a document of groups has to have",
}
MAX_GROUPS: Final = 100_000
MAX_MEMBERS_BYTES: Final = 16 * 1024 * 1024
"""Of one cell: 400,000 members with ids of 36 characters."""


class NamedGroups:
    """Gathers the groups of the people's rows. The name of a group is its id."""

    def __init__(self, header: Header, column: str, delimiter: str) -> None:
        self._index, self._delimiter = header.names.index(column), delimiter
        self._members: dict[str, set[str]] = {}
        self._spelled: dict[str, tuple[str, int]] = {}

    def take(self, record: Record, person: SourceId) -> None:
        """Raises IncompleteRead for a name that differs from another one in its case only: an app tells no difference.

        The name is not repeated, only the lines are.
        """
        for name in split_cell(record.cells[self._index], self._delimiter):
            known = self._members.get(name)
            if known is None:
                known = self._members[self._claim(name, record.line)] = set()
            known.add(person)

    def resources(self) -> Iterator[SourceResource]:
        """The groups in the order of their names."""
        for name in sorted(self._members):
            members = tuple(sorted(self._members[name]))
            yield SourceResource(SourceId(name), {OBJECT_ID: name, DISPLAY_NAME: name, MEMBERS: members})

    def _claim(self, name: str, line: int) -> str:
        spelled, first = self._spelled.setdefault(name.casefold(), (name, line))
        if spelled != name:
            refuse(line, f"the name of a group differs from one on line {first} in its case only: write it in one way")
        if len(self._members) >= MAX_GROUPS:
            refuse(line, f"more than {MAX_GROUPS:,} groups: is spec.csv.groups.column right?")
        return name


class GroupRows:
    """Turns the rows of a document of groups into resources."""

    def __init__(self, header: Header, delimiter: str) -> None:
        self._rows, self._delimiter = RowReader(header), delimiter

    def read(self, records: Sequence[Record]) -> Iterator[SourceResource]:
        """Raises IncompleteRead that names the line and the column, and never a value."""
        for record, row in zip(records, self._rows.read(records), strict=True):
            if DISPLAY_NAME not in row.attributes:
                refuse(record.line, f"the cell {DISPLAY_NAME} is empty")
            cell = str(row.attributes.get(MEMBERS, ""))
            members = tuple(sorted(set(split_cell(cell, self._delimiter))))
            yield SourceResource(row.id, {**row.attributes, OBJECT_ID: row.id, MEMBERS: members})


def split_cell(cell: str, delimiter: str) -> Iterator[str]:
    """The parts of a cell without the blanks around them; empty ones are none."""
    return (part for one in cell.split(delimiter) if (part := one.strip()))
