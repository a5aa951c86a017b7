"""An app in memory: its accounts and groups, and how an admin changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from usher.contracts.runtime import Runtime
from usher.contracts.target import Projection
from usher.core.errors import ResourceError, UniquenessTaken
from usher.core.model.plans import Conjunction
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId, TargetResource
from usher.core.scim.discovery import Documents
from usher.testing.clock import fake_runtime
from usher.testing.documents import Document, copy_of, project, read_at, same, write_at
from usher.testing.faults import FaultSchedule, Operation
from usher.testing.history import Actor, Entry, History
from usher.testing.memory_accounts import Account, AccountIndex, members_of, without_member
from usher.testing.memory_settings import DISPLAY_NAME, MemorySettings
from usher.testing.scim_schemas import describe_app

DEFAULTS: Final = MemorySettings()


class MemoryApp:
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
        self.groups: MemoryGroups | None = self._begin_groups()
        self._made = 0
        self._index = AccountIndex()

    def _begin_groups(self) -> MemoryGroups | None:
        unique = None if self.settings.unique is None else DISPLAY_NAME
        return MemoryGroups(replace(self.settings, unique=unique, id_format="g{}"), self)

    def collection(self, resource_type: ResourceType) -> MemoryApp:
        """Where resources of this type are."""
        return self if resource_type is ResourceType.USER or self.groups is None else self.groups

    def members(self, group: str) -> set[str]:
        """The ids of a group's members. Raises KeyError for an unknown id."""
        return set(members_of(self.collection(ResourceType.GROUP).document(group)))

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
        self._refuse(document, TargetId(""), actor)
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
        self._refuse(document, target_id, actor)
        account = self.accounts[target_id]
        before = account.document
        if before != document:
            account.document, account.revision = document, account.revision + 1
            account.modified = self.runtime.now()
        self._record(Operation.UPDATE, target_id, before, actor)

    def remove(self, target_id: str, actor: Actor = Actor.ADMIN) -> None:
        """Deletes an account. Its memberships go by the app's own hand. Raises KeyError for an unknown id."""
        before = self.accounts.pop(TargetId(target_id)).document
        self._record(Operation.DELETE, TargetId(target_id), before, actor)
        groups = self.groups or self
        for group, account in groups.accounts.items():
            if target_id in members_of(account.document):
                groups.store(group, without_member(account.document, target_id), Actor.ADMIN)

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

    def _refuse(self, document: Mapping[str, Json], target_id: TargetId, actor: Actor) -> None:
        """Raises ResourceError where the app takes no such document; `target_id` is empty for a new one."""
        del actor
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


class MemoryGroups(MemoryApp):
    """The groups of an app: resources like its users, without groups of their own."""

    def __init__(self, settings: MemorySettings, users: MemoryApp) -> None:
        self._users = users
        super().__init__(settings, users.faults, users.runtime)

    def _begin_groups(self) -> None: ...

    def _refuse(self, document: Mapping[str, Json], target_id: TargetId, actor: Actor) -> None:
        """A client's new members have to be somebody whom the app knows, unless it takes what it is given."""
        super()._refuse(document, target_id, actor)
        if actor is not Actor.CLIENT or self.settings.takes_strangers:
            return
        former = self.accounts.get(target_id)
        known = set() if former is None else set(members_of(former.document))
        for member in members_of(document):
            if member not in known and member not in self._users.accounts and member not in self.accounts:
                raise ResourceError("the app has nobody of the id of a member", reason="UnprocessableEntity")
