"""An app in memory with a session that speaks to it: the fastest target that fulfils the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, TypeVar

from usher.contracts.runtime import Runtime
from usher.contracts.target import Capabilities, Complete, Page, Projection
from usher.core.errors import IncompleteRead, ResourceGone, StaleImage, UniquenessTaken
from usher.core.model.plans import Conjunction, Create, Delete, Stored, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId, TargetResource
from usher.core.scim.discovery import Discovery, Documents, read_discovery
from usher.core.scim.filters import matches
from usher.core.scim.schemas import core_schema
from usher.testing.clock import fake_runtime
from usher.testing.documents import Document, apply_delta, copy_of, project, read_at, same, write_at
from usher.testing.fault_errors import fail_read, suffer
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Operation
from usher.testing.history import Actor, Entry, History
from usher.testing.memory_accounts import Account, AccountIndex
from usher.testing.memory_settings import DISABLE_PATHS, MemorySettings
from usher.testing.scim_schemas import describe_app

ResultT = TypeVar("ResultT")
DISPLAY_NAME: Final = AttributePath("displayName")
MEMBERS: Final = AttributePath("members")


DEFAULTS: Final = MemorySettings()


class MemoryTarget:
    """The app. `accounts` is there to be looked at; `plant`, `change` and `remove` change them as an admin would.

    `groups` is the same for its groups, which have users and groups as members, until these are deleted.

    `told` is what it says of itself instead of the truth, None for the truth; it behaves the same either way.
    """

    def __init__(
        self,
        settings: MemorySettings = DEFAULTS,
        faults: FaultSchedule | None = None,
        runtime: Runtime | None = None,
        history: History | None = None,
    ) -> None:
        self.settings = settings
        self.faults = FaultSchedule() if faults is None else faults
        self.runtime = fake_runtime() if runtime is None else runtime
        self.history = History() if history is None else history
        self.told: Documents | None = None
        self.accounts: dict[TargetId, Account] = {}
        self.groups: MemoryTarget | None = self._begin_groups()
        self._made = 0
        self._index = AccountIndex()

    def _begin_groups(self) -> MemoryTarget | None:
        unique = None if self.settings.unique is None else DISPLAY_NAME
        return MemoryGroups(replace(self.settings, unique=unique, id_format="g{}"), self.faults, self.runtime)

    def collection(self, resource_type: ResourceType) -> MemoryTarget:
        """Where resources of this type are."""
        return self if resource_type is ResourceType.USER or self.groups is None else self.groups

    def members(self, group: str) -> set[str]:
        """The ids of a group's members. Raises KeyError for an unknown id."""
        held = read_at(self.collection(ResourceType.GROUP).document(group), MEMBERS)
        return {str(one["value"]) for one in held if isinstance(one, dict)} if isinstance(held, list) else set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MemorySession]:
        """A TargetOpener: pass `target.open`."""
        yield MemorySession(self)

    def describe(self, base: str = "") -> Documents:
        """What the app says of itself; its documents say that they are under the URL `base`."""
        if self.told is not None:
            return self.told
        return describe_app(base, self.settings.page_size, {"supported": self.settings.versioned})

    def document(self, target_id: str) -> Mapping[str, Json]:
        """What the app holds of one account. Raises KeyError for an unknown id."""
        return self.accounts[TargetId(target_id)].document

    def plant(self, document: Mapping[str, Json], actor: Actor = Actor.ADMIN) -> TargetId:
        """Adds an account, and returns its id. Raises UniquenessTaken."""
        self._refuse_taken(document, TargetId(""))
        self._made += 1
        target_id = TargetId(self.settings.id_format.format(self._made))
        now = self.runtime.now()
        visible = self.runtime.monotonic() + (self.settings.lag if actor is Actor.CLIENT else 0.0)
        self.accounts[target_id] = Account(copy_of(document), 1, visible, now, now)
        self._record(Operation.CREATE, target_id, None, actor)
        return target_id

    def change(self, target_id: str, path: str, value: Json) -> None:
        """Changes one value, None removes it. Raises KeyError, UniquenessTaken."""
        document = copy_of(self.document(target_id))
        write_at(document, path, value)
        self.store(TargetId(target_id), document, Actor.ADMIN)

    def store(self, target_id: TargetId, document: Document, actor: Actor) -> None:
        """Replaces the document of an account. A change of nothing keeps the version."""
        self._refuse_taken(document, target_id)
        account = self.accounts[target_id]
        before = account.document
        if before != document:
            account.document, account.revision = document, account.revision + 1
            account.modified = self.runtime.now()
        self._record(Operation.UPDATE, target_id, before, actor)

    def remove(self, target_id: str, actor: Actor = Actor.ADMIN) -> None:
        """Deletes an account. Raises KeyError for an unknown id."""
        before = self.accounts.pop(TargetId(target_id)).document
        self._record(Operation.DELETE, TargetId(target_id), before, actor)
        groups = self.groups or self
        for group in [each for each in groups.accounts if target_id in self.members(each)]:
            document = copy_of(groups.document(group))
            kept: list[Json] = [{"value": one} for one in sorted(self.members(group)) if one != target_id]
            groups.store(group, {**document, "members": kept}, actor)

    def shown(self) -> list[TargetId]:
        """Ids that lists show, in order of creation."""
        return [target_id for target_id in self.accounts if self._is_shown(target_id)]

    def query(self, key: Conjunction) -> list[TargetId]:
        """Ids that answer to all comparisons and are shown; text compares without regard to case."""
        found = [each for each in self._candidates(key[0].path, key[0].value) if self._is_shown(each)]
        return [each for each in found if all(same(read_at(self.document(each), c.path), c.value) for c in key)]

    def resource(self, target_id: TargetId, wanted: Projection) -> TargetResource:
        """A copy of one account, cut to the attributes that are wanted. Raises KeyError."""
        account = self.accounts[target_id]
        return TargetResource(target_id, self.version_of(account), project(account.document, wanted))

    def version_of(self, account: Account) -> str | None:
        """Its weak entity tag, None where the app has no versions."""
        return f'W/"{account.revision}"' if self.settings.versioned else None

    def _is_shown(self, target_id: TargetId) -> bool:
        return self.accounts[target_id].visible <= self.runtime.monotonic()

    def _refuse_taken(self, document: Mapping[str, Json], target_id: TargetId) -> None:
        path = self.settings.unique
        wanted = None if path is None else read_at(document, path)
        if path is None or wanted is None:
            return
        for other in self._candidates(path, wanted):
            if other != target_id and same(read_at(self.document(other), path), wanted):
                raise UniquenessTaken

    def _candidates(self, path: AttributePath, value: Json) -> list[TargetId]:
        return self._index.find(path, value, self.accounts)

    def _record(self, operation: Operation, target_id: TargetId, before: Document | None, actor: Actor) -> None:
        account = self.accounts.get(target_id)
        after = None if account is None else account.document
        self._index.replace(target_id, before, after)
        self.history.append(Entry(self.runtime.now(), operation, target_id, before, after, actor))


class MemoryGroups(MemoryTarget):
    """The groups of an app: resources like its users, without groups of their own."""

    def _begin_groups(self) -> None: ...


class MemorySession:
    """One conversation with the app, failing as its schedule says."""

    def __init__(self, app: MemoryTarget) -> None:
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
        """Gone already is success."""
        app = self._app.collection(change.resource_type)

        def effect() -> None:
            if change.target_id in app.accounts:
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


def _stored(app: MemoryTarget, target_id: TargetId) -> Stored:
    account = app.accounts[target_id]
    version = app.version_of(account)
    return Stored(target_id, version, TargetResource(target_id, version, copy_of(account.document)))
