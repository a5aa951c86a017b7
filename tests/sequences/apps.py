"""Apps that end as a directory says, seen past everything of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from integration.servers import Server
from sequences.truth import FaultAt, Held
from usher.contracts.runtime import Runtime, SecretRef
from usher.contracts.target import TargetOpener
from usher.core.model.resources import Json, ResourceType
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import FakeClock, fake_runtime, real_runtime
from usher.testing.documents import read_at
from usher.testing.faults import Fault, FaultSchedule, request
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MEMBERS, MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import MANAGER
from usher.transport.addresses import cli_policy

TOKEN: Final = SecretRef("Secret", "app", "token")

Documents = Sequence[Mapping[str, Json]]


class App(Protocol):
    """An app that has a stranger, `robot`, and a stranger's group, `admins`, of which the robot is a member."""

    address: str
    open: TargetOpener
    strangers: Sequence[str]
    """Their ids."""

    def runtime(self) -> Runtime:
        """What a process that works with it runs on."""

    def suffer(self, fault: FaultAt | None) -> None:
        """From now on requests are counted for this fault; without one the app is well."""

    def documents(self) -> Documents:
        """All that it holds, with ids and versions: a write changes something of it."""


class MemoryApp:
    """The app in memory, which can suffer faults."""

    address = "https://app.example.com/scim/v2"

    def __init__(self) -> None:
        self._target = MemoryTarget(MemorySettings())
        self._groups = self._target.collection(ResourceType.GROUP)
        robot = self._target.plant({"userName": "robot", "displayName": "Robot", "active": True})
        self.strangers: Sequence[str] = [
            robot,
            self._groups.plant({"displayName": "admins", "members": [{"value": robot}]}),
        ]
        self.open: TargetOpener = self._target.open

    def runtime(self) -> Runtime:
        """Time passes at once."""
        return fake_runtime(0, FakeClock())

    def suffer(self, fault: FaultAt | None) -> None:
        """Of both collections together."""
        planned = [] if fault is None else [request(fault[1], Fault(fault[0], retry_after=2))]
        self._target.faults = self._groups.faults = FaultSchedule(planned)

    def documents(self) -> Documents:
        """With the number of writes as version."""
        return [
            {**app.document(one), "id": one, "meta": {"version": app.version_of(account)}}
            for app in (self._target, self._groups)
            for one, account in app.accounts.items()
        ]


class ServerApp:
    """A server that nobody here wrote, emptied."""

    def __init__(self, server: Server) -> None:
        server.empty()
        self._server = server
        self.address = server.url
        server.plant({"userName": "robot", "displayName": "Robot", "active": True})
        (robot,) = (str(one["id"]) for one in server.accounts())
        server.plant_group({"displayName": "admins", "members": [{"value": robot}]})
        self.strangers: Sequence[str] = [robot, *(str(one["id"]) for one in server.groups())]
        settings, secrets = ScimSettings(server.url, TOKEN), MemorySecrets({TOKEN: server.token})
        self.open: TargetOpener = lambda: open_scim(settings, secrets, real_runtime(), cli_policy())

    def runtime(self) -> Runtime:
        """The machine's."""
        return real_runtime()

    def suffer(self, fault: FaultAt | None) -> None:
        """It fails by itself, or not at all."""
        assert fault is None

    def documents(self) -> Documents:
        """As it answers them."""
        return [*self._server.accounts(), *self._server.groups()]


def held_by(app: App) -> Held:
    """What the app holds besides the strangers."""
    documents = {str(one["id"]): one for one in app.documents()}
    names = {one: str(document.get("userName") or document["displayName"]) for one, document in documents.items()}
    ours = [document for one, document in documents.items() if one not in app.strangers]
    users = [document for document in ours if "userName" in document and document.get("active") is True]
    people = {str(user["userName"]): (str(user["displayName"]), _manager_of(user, names)) for user in users}
    groups = {
        str(group["displayName"]): frozenset(names[one] for one in _members_of(group))
        for group in ours
        if "userName" not in group
    }
    assert len(people) == len(users), "two active accounts have one name"
    return Held(people, groups)


def _manager_of(user: Mapping[str, Json], names: Mapping[str, str]) -> str | None:
    value = read_at(user, f"{MANAGER}.value")
    return names[str(value)] if value else None


def _members_of(group: Mapping[str, Json]) -> list[str]:
    held = read_at(group, MEMBERS)
    ids = [str(one["value"]) for one in held if isinstance(one, dict)] if isinstance(held, list) else []
    assert len(set(ids)) == len(ids), "somebody is a member twice"
    return ids
