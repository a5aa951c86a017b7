"""An app in memory with a session that speaks to it: the fastest target that fulfils the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from usher.contracts.target import Capabilities, Complete, Page, Projection
from usher.core.errors import IncompleteRead, ResourceError, ResourceGone, StaleImage
from usher.core.model.plans import Conjunction, Create, Delete, Stored, Update
from usher.core.model.resources import ResourceType, TargetId, TargetResource
from usher.core.scim.discovery import Discovery, read_discovery
from usher.core.scim.filters import matches
from usher.core.scim.schemas import core_schema
from usher.testing.documents import Document, apply_delta, copy_of, write_at
from usher.testing.fault_errors import fail_read, suffer
from usher.testing.faults import Fault, FaultKind, Operation
from usher.testing.history import Actor
from usher.testing.memory_app import MemoryApp
from usher.testing.memory_settings import DISABLE_PATHS

ResultT = TypeVar("ResultT")


class MemoryTarget(MemoryApp):
    """The app as a target of the engine."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MemorySession]:
        """A TargetOpener: pass `target.open`."""
        yield MemorySession(self)


class MemorySession:
    """One conversation with the app, failing as its schedule says."""

    def __init__(self, app: MemoryApp) -> None:
        self._app = app
        self._schemas = {each: core_schema(each) for each in ResourceType}
        self._page_size = app.settings.page_size

    @property
    def capabilities(self) -> Capabilities:
        """Pages as large as the app's settings have them."""
        return Capabilities(DISABLE_PATHS, page_size=self._page_size)

    async def check(self) -> None:
        """One request without effect."""
        fault = await self._ask(Operation.CHECK)
        if fault is not None:
            fail_read(fault, Operation.CHECK)

    async def discover(self) -> Discovery:
        """Three requests, one for each document."""
        for _ in range(3):
            fault = await self._ask(Operation.DISCOVER)
            if fault is not None:
                fail_read(fault, Operation.DISCOVER)
        return read_discovery(self._app.describe())

    def tune(self, discovery: Discovery) -> None:
        """The app itself goes on comparing text without regard to case."""
        self._schemas = {each: discovery.schema(each) for each in ResourceType}
        self._page_size = min(self._app.settings.page_size, discovery.max_results or self._page_size)

    async def list(self, resource_type: ResourceType, wanted: Projection) -> AsyncIterator[Page | Complete]:
        """Pages in order of creation."""
        app = self._app.collection(resource_type)
        everybody = app.shown()
        size = self._page_size
        claimed = len(everybody)
        for start in range(0, max(len(everybody), 1), size):
            fault = await self._ask(Operation.LIST)
            kind = None if fault is None else fault.kind
            if kind is FaultKind.EMPTY_LIST and start == 0:
                everybody, claimed = [], 0
            elif kind is FaultKind.LYING_TOTAL:
                claimed += 1
            elif kind is FaultKind.REPEATED_PAGE and start > 0:
                raise IncompleteRead("a page of the list came twice")
            elif fault is not None:
                fail_read(fault, Operation.LIST)
            page = [app.resource(each, wanted) for each in everybody[start : start + size] if each in app.accounts]
            yield Page(page, claimed)
            if not everybody:
                break
        if claimed != len(everybody):
            raise IncompleteRead(f"the list has {len(everybody)} resources where the target claims {claimed}")
        yield Complete(len(everybody))

    async def get(self, resource_type: ResourceType, target_id: TargetId, wanted: Projection) -> TargetResource | None:
        """At once right: lag is for lists and queries only."""
        app = self._app.collection(resource_type)
        fault = await self._ask(Operation.GET, target_id)
        if fault is not None:
            fail_read(fault, Operation.GET)
        return app.resource(target_id, wanted) if target_id in app.accounts else None

    async def find(self, resource_type: ResourceType, key: Conjunction, wanted: Projection) -> Sequence[TargetResource]:
        """The app compares text without regard to case, the session its answer as the app says that it compares."""
        app, schema = self._app.collection(resource_type), self._schemas[resource_type]
        fault = await self._ask(Operation.FIND)
        if fault is not None and fault.kind is FaultKind.EMPTY_LIST:
            return []
        if fault is not None and fault.kind is not FaultKind.IGNORED_FILTER:
            fail_read(fault, Operation.FIND)
        found = [each for each in app.query(key) if matches(key, app.document(each), schema)]
        return [app.resource(each, wanted) for each in found]

    async def create(self, change: Create) -> Stored:
        """Raises UniquenessTaken."""
        app = self._app.collection(change.resource_type)
        document: Document = {}
        for path, value in change.values.items():
            write_at(document, path, value)

        def effect() -> Stored:
            return _stored(app, app.plant(document, Actor.CLIENT))

        return await self._write(Operation.CREATE, "", effect)

    async def update(self, change: Update) -> Stored:
        """Raises ResourceGone, StaleImage where the app has versions, UniquenessTaken."""
        fault = await self._ask(Operation.UPDATE, change.target_id)
        if fault is not None and fault.kind is FaultKind.IGNORED_CHANGE:
            return _stored(self._app.collection(change.resource_type), change.target_id)
        return suffer(fault, lambda: self._update(change))

    async def delete(self, change: Delete) -> None:
        """Raises ResourceGone, and ResourceError where the app deletes nobody."""
        app = self._app.collection(change.resource_type)

        def effect() -> None:
            if not self._app.settings.deletes:
                raise ResourceError("the app deletes nobody", reason="MethodNotAllowed")
            if change.target_id not in app.accounts:
                raise ResourceGone
            app.remove(change.target_id, Actor.CLIENT)

        await self._write(Operation.DELETE, change.target_id, effect)

    def _update(self, change: Update) -> Stored:
        app = self._app.collection(change.resource_type)
        if change.target_id not in app.accounts:
            raise ResourceGone
        if change.expected_version not in (None, app.version_of(app.accounts[change.target_id])):
            raise StaleImage
        document = copy_of(app.document(change.target_id))
        apply_delta(document, change.delta)
        app.store(change.target_id, document, Actor.CLIENT)
        return _stored(app, change.target_id)

    async def _ask(self, operation: Operation, subject: str = "") -> Fault | None:
        latency = self._app.settings.latency
        await (self._app.runtime.sleep(latency) if latency else asyncio.sleep(0))
        return self._app.faults.next(operation, subject)

    async def _write(self, operation: Operation, subject: str, effect: Callable[[], ResultT]) -> ResultT:
        return suffer(await self._ask(operation, subject), effect)


def _stored(app: MemoryApp, target_id: TargetId) -> Stored:
    account = app.accounts[target_id]
    version = app.version_of(account)
    return Stored(target_id, version, TargetResource(target_id, version, copy_of(account.document)))
