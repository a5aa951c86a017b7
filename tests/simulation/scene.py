"""One connector between a source and an app, and all that is needed to go back to a moment of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final

from simulation.network import Network
from simulation.process import Life, Process
from simulation.states import States
from usher.contracts.runtime import Runtime
from usher.core.errors import UsherError
from usher.core.model.reports import CycleKind, CycleReport
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceId, SourceKey, TargetId, Value
from usher.core.sync.assignments import Entry as Named
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.planning import CREATE_UNKNOWN
from usher.core.sync.policies import Budget
from usher.core.sync.rules import CompiledMapping
from usher.engine.cycle import run_cycle
from usher.engine.job import Control, Ports, SourceJob
from usher.engine.on_demand import run_on_demand
from usher.engine.snapshot import read_source
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.history import Entry, History
from usher.testing.memory_accounts import Account
from usher.testing.memory_app import MemoryApp
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_source import MemoryFeed
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, direct_mapping, group_mapping, with_manager

CANARY: Final = "zxq"
"""Part of every value that tells of a person."""
INTERVAL: Final = 2400.0
LEASE: Final = 31.0
"""Seconds after which the state of a process that was stopped may be another one's."""
LAG: Final = 30.0
SETTLE: Final = timedelta(seconds=60)
_CONNECTOR: Final = "identity/app"
_PAGE: Final = 3


@dataclass(frozen=True, slots=True)
class TargetClass:
    """What an app lets a client know. `settings` is its temper, `settle` what the connector is told about it."""

    name: str
    settings: MemorySettings
    settle: timedelta | None = timedelta()


CLASSES: Final[Mapping[str, TargetClass]] = {
    "A": TargetClass("A", MemorySettings(page_size=_PAGE)),
    "B": TargetClass("B", MemorySettings(page_size=_PAGE, unique=None, versioned=False)),
    "C": TargetClass("C", MemorySettings(page_size=_PAGE, unique=None, versioned=False, lag=LAG), SETTLE),
    "D": TargetClass("D", MemorySettings(page_size=_PAGE, unique=None, versioned=False), None),
}

_ATTRIBUTES: Final = {
    "externalId": ("employeeId", 1),
    "userName": ("userPrincipalName", 2),
    'emails[type eq "work"].value': ("mail", None),
    "displayName": ("displayName", None),
}


def mapping_of(title: str) -> CompiledMapping:
    """The mapping of people, whose title is this attribute of the source."""
    return with_manager(direct_mapping({**_ATTRIBUTES, "title": (title, None)}))


@dataclass(frozen=True, slots=True)
class Version:
    """What a complete read of the source brought, and when it had ended."""

    at: float
    people: Mapping[SourceId, Mapping[str, Value]]
    groups: Mapping[SourceId, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Cycle:
    """One look at the source and one cycle after it. `came` is None where the process was killed.

    The numbers say where it begins in the histories of users and groups and in what was sent; `version` is that of the
    source on which it ran.
    """

    process: Process
    came: CycleReport | UsherError | None
    users: int
    groups: int
    sent: int
    version: Version | None

    @property
    def faultless(self) -> bool:
        """Whether nothing struck it."""
        return not self.process.struck


@dataclass(frozen=True, slots=True)
class Moment:
    """All that there is at a time: what `Scene.at` makes a scene of."""

    state: bytes
    elapsed: float
    accounts: tuple[Mapping[TargetId, Account], Mapping[TargetId, Account]]
    entries: tuple[Sequence[Entry], Sequence[Entry]]
    made: tuple[int, int]
    feed: tuple[Mapping[SourceId, Mapping[str, Value]], Mapping[SourceId, Mapping[str, Value]], Sequence[SourceId]]
    versions: Sequence[Version]


@dataclass(slots=True)
class Plot:
    """What is set up for a scene beside its app."""

    mapping: CompiledMapping = field(default_factory=lambda: mapping_of("jobTitle"))
    with_groups: bool = False
    budget: Budget = field(default_factory=Budget)
    min_retained: int = 50
    ending: bool = False


class Scene:
    """The connector. `cycles` are those that ran, `versions` the complete reads of the source.

    `doubted` are people and groups whose create has an unknown end for good, at a target that can't be asked.

    A process that was `stopped` goes on after the cycle of the next one; `went_on` is what became of
    these, without those that were killed then.
    """

    def __init__(self, states: States, target: TargetClass, plot: Plot, seed: int = 0) -> None:
        self.states = states
        self.target = target
        self.plot = plot
        self.seed = seed
        self.clock = FakeClock()
        self.app = MemoryTarget(target.settings, runtime=fake_runtime(0, self.clock))
        self.network = Network(self.app, self.clock, target.settle)
        self.source = MemoryFeed(attributes=("accountEnabled", "manager", "department"))
        self.versions: list[Version] = []
        self.cycles: list[Cycle] = []
        self.lost_state = False
        self.doubted: frozenset[str] = frozenset()
        self.stopped: Life[CycleReport | UsherError] | None = None
        self.went_on: list[CycleReport | UsherError] = []
        states.put(states.blank)
        robot = self.app.plant({"userName": "robot", "displayName": "Robot", "active": True})
        admins = self._groups.plant({"displayName": "admins", "members": [{"value": robot}]})
        self.strangers = frozenset({robot, admins})

    # --- going back

    def moment(self) -> Moment:
        """How everything is now."""
        app, groups, source = self.app, self._groups, self.source
        return Moment(
            state=self.states.take(),
            elapsed=self.clock.monotonic(),
            accounts=(_copied(app.accounts), _copied(groups.accounts)),
            entries=(app.history.entries, groups.history.entries),
            made=(app._made, groups._made),
            feed=(dict(source.people), dict(source.groups), list(source.journal)),
            versions=list(self.versions),
        )

    def go_to(self, moment: Moment) -> None:
        """Everything is as it was then; of cycles nothing is remembered."""
        self.states.put(moment.state)
        self.clock.advance(moment.elapsed - self.clock.monotonic())
        for place, collection in enumerate((self.app, self._groups)):
            collection.accounts = _copied(moment.accounts[place])
            collection._made = moment.made[place]
            collection.history = History()
            for entry in moment.entries[place]:
                collection.history.append(entry)
        self.source.people, self.source.groups = dict(moment.feed[0]), dict(moment.feed[1])
        self.source.journal = list(moment.feed[2])
        self.versions = list(moment.versions)

    @property
    def _groups(self) -> MemoryApp:
        groups = self.app.groups
        assert groups is not None
        return groups

    # --- the source

    def put(self, number: int, **attributes: Value) -> None:
        """A person of this number, with everything that is not said as it was, or as usual."""
        name = f"{CANARY}{number}"
        usual: dict[str, Value] = {
            "userPrincipalName": f"{name}@example.com",
            "mail": f"{name}@example.com",
            "displayName": f"{CANARY} {number}",
            "jobTitle": f"{CANARY} engineer",
            "department": f"{CANARY} department {number}",
            "employeeId": f"id-{number}",
            "accountEnabled": True,
        }
        former = self.source.people.get(SourceId(f"id-{number}"), usual)
        self.source.put(f"id-{number}", **{**former, **attributes})

    def put_group(self, number: int, *members: int) -> None:
        """A group of this number with these people."""
        ids = tuple(f"id-{one}" for one in members)
        self.source.put_group(f"group-{number}", displayName=group_name(f"group-{number}"), members=ids)

    def plant(self, number: int) -> TargetId:
        """The account that a person of this number has at the app already, and that is not ours yet."""
        return self.app.plant({"userName": f"{CANARY}{number}@example.com", "displayName": "Else", "active": True})

    # --- cycles

    async def sync(self, process: Process, named: Sequence[Named] = (), asked: CycleKind | None = None) -> Cycle:
        """One process reads the source and runs one cycle; where some are named, a run for these alone instead."""
        users, groups = len(self.app.history), len(self._groups.history)
        sent = len(self.network.sent)
        life = Life(process, partial(self._sync, process, named, asked))
        came = await life.run()
        await self._resume()
        if process.taken:
            self.stopped = life
            await self.clock.sleep(LEASE)
        version = self.versions[-1] if self.versions else None
        cycle = Cycle(process, came, users, groups, sent, version)
        self.cycles.append(cycle)
        if self.target.settle is None:
            lanes = [Lane(ConnectorKey(_CONNECTOR), kind) for kind in ResourceType]
            kept = [one for lane in lanes for one in (await self.states.store.unsettled(lane)).values()]
            self.doubted = frozenset(one.source_id for one in kept if one.reason == CREATE_UNKNOWN)
        if "state-lost" in process.struck:
            self.states.put(self.states.blank)
            self.lost_state = True
        return cycle

    async def _resume(self) -> None:
        """A process that was stopped goes on, after another one has run a cycle."""
        life, self.stopped = self.stopped, None
        came = None if life is None else await life.go_on()
        if came is not None:
            self.went_on.append(came)

    async def _sync(
        self, process: Process, named: Sequence[Named], asked: CycleKind | None
    ) -> CycleReport | UsherError:
        runtime = Runtime(
            now=lambda: self.clock.now() + timedelta(seconds=process.clock_is_off),
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            random=Random(self.seed),
        )
        ports = Ports(self.states.store, runtime)
        try:
            if not self.plot.ending:
                await self._read(ports)
            return await self._cycle(ports, named, asked)
        except UsherError as error:
            return error

    async def _cycle(self, ports: Ports, named: Sequence[Named], asked: CycleKind | None) -> CycleReport:
        world = World(self.states.store, self.source, self.app, self.clock)
        world.mapping, world.group_mapping = self.plot.mapping, group_mapping() if self.plot.with_groups else None
        world.budget = self.plot.budget
        world.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(seconds=1))
        world.ending = self.plot.ending
        lanes = tuple([replace(lane, settle=self.target.settle) for lane in world.job.lanes])
        job = replace(world.job, lanes=lanes, open_target=partial(self.network.open, ports.runtime))
        if named:
            return await run_on_demand(job, ports, Control(), named)
        return await run_cycle(job, ports, Control(asked=asked))

    async def _read(self, ports: Ports) -> None:
        kinds = (ResourceType.USER, ResourceType.GROUP) if self.plot.with_groups else (ResourceType.USER,)
        job = SourceJob(SourceKey("identity/corp"), kinds, self.source.open, self.plot.min_retained, timedelta(days=1))
        await read_source(job, ports, "")
        self.versions.append(Version(self.clock.monotonic(), dict(self.source.people), dict(self.source.groups)))


def group_name(group: str) -> str:
    """The name of the group of this id."""
    return f"{CANARY} {group.replace('-', ' ')}"


def _copied(accounts: Mapping[TargetId, Account]) -> dict[TargetId, Account]:
    return {target_id: replace(account) for target_id, account in accounts.items()}
