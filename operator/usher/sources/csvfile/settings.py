"""What has to be known to read a CSV document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from usher.core.errors import SpecError

Load: TypeAlias = Callable[[], Awaitable[bytes]]
"""Gives the whole document as it is now; raises CycleError when it can't be had."""


@dataclass(frozen=True, slots=True)
class CsvSettings:
    """`id_column` names the column whose value identifies a person; it is required, unique and never changes.

    Raises SpecError for a delimiter that can't be one, and for an empty id column.
    """

    load: Load
    id_column: str = "objectId"
    delimiter: str = ","

    def __post_init__(self) -> None:
        fits = len(self.delimiter) == 1 and (self.delimiter.isprintable() or self.delimiter == "\t")
        if not fits or self.delimiter == '"':
            explanation = "the delimiter is one printable character or a tab, and not a double quote"
            raise SpecError(explanation, path="spec.csv.delimiter")
        if not self.id_column.strip():
            raise SpecError("the name of the id column is empty", path="spec.csv.idColumn")
