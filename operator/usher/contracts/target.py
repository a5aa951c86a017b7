"""What the engine asks of an app into which people are provisioned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from usher.core.model.plans import Conjunction, Create, Delete, Stored, Update
from usher.core.model.resources import AttributePath, ResourceType, TargetId, TargetResource
from usher.core.model.standing import Credential
from usher.core.scim.discovery import Discovery

Projection: TypeAlias = frozenset[AttributePath]
"""The paths whose values are wanted; the id and the version always come along."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `total` is what the target says it has in all, None where it does not say."""

    resources: Sequence[TargetResource]
    total: int | None


@dataclass(frozen=True, slots=True)
class Complete:
    """Ends a list: every resource was in it, none twice, as many as the target said."""

    count: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the target can do, as data; the engine acts on it.

    `disable_paths` are the attributes whose False disables a resource; of types that are not in it none can be disabled
    (groups never). `page_size` is how many resources one list request brings at the most, `members_a_request` how many
    members one request may add to a group, or take from it.
    """

    disable_paths: Mapping[ResourceType, AttributePath]
    page_size: int
    members_a_request: int = 100


class TargetSession(Protocol):
    """One open conversation with one target. Translates, never decides, never retries.

    Every method may raise CycleError (the target as a whole), NotSent/Throttled (no effect), OutcomeUnknown (look
    first) or ResourceError and its kinds (this one resource).
    """

    @property
    def capabilities(self) -> Capabilities: ...

    async def check(self) -> None:
        """Raises CycleError unless the target is reachable, takes our credentials and speaks the protocol."""

    async def discover(self) -> Discovery:
        """What the target says of itself, asked for in a few requests.

        A part that it does not offer is left out; one that it can't give just now raises as every read does.
        """

    def tune(self, discovery: Discovery) -> None:
        """From here on the session goes by this, which `discover` gave now or to an earlier session.

        By its types in the comparisons of `find`, by its limits in the size of a page. Before, it goes by RFC 7643.
        """

    def list(self, resource_type: ResourceType, wanted: Projection) -> AsyncIterator[Page | Complete]:
        """Pages, and exactly one Complete as the last item.

        Raises IncompleteRead where the pages contradict themselves.
        """

    async def get(self, resource_type: ResourceType, target_id: TargetId, wanted: Projection) -> TargetResource | None:
        """The resource, or None when the target says it has none of that id."""

    async def find(self, resource_type: ResourceType, key: Conjunction, wanted: Projection) -> Sequence[TargetResource]:
        """All resources that really match.

        Hits of a target that ignores the filter are dropped, a truncated answer raises IncompleteRead.
        """

    async def create(self, change: Create) -> Stored: ...

    async def update(self, change: Update) -> Stored: ...

    async def delete(self, change: Delete) -> None:
        """Raises ResourceGone where the target says that it has none of that id."""


@runtime_checkable
class HasCredential(Protocol):
    """A session with something that expires: a part of `TargetSession` that not every one has."""

    @property
    def credential(self) -> Credential | None:
        """What the last request carried, None where that does not say when it expires."""


class TargetOpener(Protocol):
    """Opens a session; what `assembly` hands to the engine."""

    def __call__(self) -> AbstractAsyncContextManager[TargetSession]: ...
