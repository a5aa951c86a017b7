"""What has to be known to read a CSV document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from usher.core.errors import SpecError

Load: TypeAlias = Callable[[], Awaitable[bytes]]
"""Gives the whole document as it is now; raises CycleError when it can't be had."""


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """A column of the people's document holds the names of groups, which are their ids, with `delimiter` between."""

    column: str
    delimiter: str = ";"


@dataclass(frozen=True, slots=True)
class GroupDocument:
    """A document of groups. Its column `members` holds ids with `delimiter` between them.

    `place` is what a message calls the document, such as `spec.csv.groups.file`.
    """

    load: Load
    place: str
    id_column: str = "objectId"
    delimiter: str = ";"


@dataclass(frozen=True, slots=True)
class CsvSettings:
    """`id_column` names the column whose value identifies a person; it is required, unique and never changes.

    `groups` is None where none are read. Raises SpecError for a delimiter that can't be one, and for an empty name of a
    column.
    """

    load: Load
    id_column: str = "objectId"
    delimiter: str = ","
    groups: GroupColumn | GroupDocument | None = None

    def __post_init__(self) -> None:
        _check_delimiter(self.delimiter, "spec.csv.delimiter")
        _check_column(self.id_column, "spec.csv.idColumn")
        groups = self.groups
        if isinstance(groups, GroupColumn):
            _check_column(groups.column, "spec.csv.groups.column")
        elif groups is not None:
            _check_column(groups.id_column, "spec.csv.groups.idColumn")
        if groups is not None:
            _check_delimiter(groups.delimiter, "spec.csv.groups.delimiter")


def _check_delimiter(text: str, path: str) -> None:
    fits = len(text) == 1 and (text.isprintable() or text == "\t")
    if not fits or text == '"':
        raise SpecError("the delimiter is one printable character or a tab, and not a double quote", path=path)


def _check_column(name: str, path: str) -> None:
    if not name.strip():
        raise SpecError("the name of the column is empty", path=path)
