"""Texts with which a target's users are found, or are not: each has done harm somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from usher.contracts.target import Page, TargetSession
from usher.core.errors import ResourceError
from usher.core.model.plans import Criterion
from usher.core.model.resources import ResourceType, TargetResource
from usher.testing.documents import read_at

AWKWARD: Final = (
    '"',
    "\\",
    "a b",
    "a+b",
    "50%",
    "%22",
    "a&b=c",
    "ü",
    "日本",
    "x' or '1'='1",
    '" or userName pr',
    "()[]",
    "#?/;",
)
"""Ends of a matching value."""
STRANGE_IDS: Final = ("nobody", "a/b", "../Users", "a b", "a?b=c", "a#b", "%2e%2e", "ü", '"')
"""Ids that nobody has."""


async def list_whom_no_query_finds(session: TargetSession, criterion: Criterion) -> Sequence[TargetResource]:
    """The users with that value among all; AssertionError where a query shows anybody."""
    wanted = frozenset({criterion.path})
    with suppress(ResourceError):
        assert not await session.find(ResourceType.USER, (criterion,), wanted)
    pages = [item async for item in session.list(ResourceType.USER, wanted) if isinstance(item, Page)]
    everybody = (resource for page in pages for resource in page.resources)
    return [resource for resource in everybody if read_at(resource.attributes, criterion.path) == criterion.value]
