"""The kinds of sources by the names that an IdentitySource uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from usher.contracts.runtime import Runtime
from usher.contracts.source import SourceReader
from usher.sources.csvfile.reader import open_csv
from usher.sources.csvfile.settings import CsvSettings

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class SourceType(Generic[S]):
    """The static half of a kind: `open` starts one conversation with the source that the settings describe."""

    name: str
    settings: type[S]
    open: Callable[[S, Runtime], AbstractAsyncContextManager[SourceReader]]


CSV: Final = SourceType("csv", CsvSettings, open_csv)

SOURCE_TYPES: Final[Mapping[str, SourceType[CsvSettings]]] = {CSV.name: CSV}
"""All of them."""
