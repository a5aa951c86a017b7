"""An app as the contract suite sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from usher.contracts.target import TargetOpener
from usher.core.model.resources import Json, TargetId


@dataclass(frozen=True, slots=True)
class AppUnderTest:
    """The way in, and a look behind it.

    `open` opens a session with good credentials, `intrude` one with credentials that the app refuses. `document` is the
    account as the app itself holds it, read without the session (None: there is none), `group` the same of a group.
    """

    open: TargetOpener
    intrude: TargetOpener
    document: Callable[[TargetId], Awaitable[Mapping[str, Json] | None]]
    group: Callable[[TargetId], Awaitable[Mapping[str, Json] | None]]
