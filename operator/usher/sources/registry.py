"""The kinds of sources by the names that an IdentitySource uses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Concatenate, Final, Generic, ParamSpec, TypeVar

from usher.contracts.source import SourceReader
from usher.sources.csvfile.reader import open_csv
from usher.sources.csvfile.settings import CsvSettings
from usher.sources.ldap.reader import open_ldap
from usher.sources.ldap.settings import LdapSettings

S = TypeVar("S")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class SourceType(Generic[S, P]):
    """The static half of a kind: `open` starts one conversation with the source that the settings describe.

    What it borrows besides the settings differs: a document has no address, a directory no document.
    """

    name: str
    settings: type[S]
    open: Callable[Concatenate[S, P], AbstractAsyncContextManager[SourceReader]]


CSV: Final = SourceType("csv", CsvSettings, open_csv)
LDAP: Final = SourceType("ldap", LdapSettings, open_ldap)
