"""A whole world in memory: people in a source, an app, a state, and the engine between them.

Built to be killed and started again: `restart()` opens the state anew, as a new process would.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from usher.contracts.store import Store
from usher.core.expressions.compile import compile_expression
from usher.core.model.reports import CycleReport, SnapshotReport
from usher.core.model.resources import AttributePath, ConnectorKey, Json, Lane, ResourceType, SourceKey, TargetId
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.schemas import GROUP_SCHEMA, USER_SCHEMA
from usher.core.sync.assignments import Assignment, Entry
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.flows import Computed, Direct, Flow, Refers
from usher.core.sync.leaving import Deprovisioning
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Approval, Budget, Budgets, Enforcement, OnStateLoss
from usher.core.sync.rules import Apply, AttributeRule, CompiledMapping, OnNull
from usher.core.sync.untouchable import NONE_SPARED, Untouchable
from usher.engine.cycle import plan_cycle, run_cycle
from usher.engine.job import ConnectorJob, Control, Job, Ports, SourceJob
from usher.engine.on_demand import run_on_demand
from usher.engine.snapshot import read_source
from usher.engine.undo import run_undo
from usher.state.store import open_store
from usher.testing.clock import FakeClock, fake_runtime, fake_surroundings
from usher.testing.memory_settings import DISPLAY_NAME, MEMBERS
from usher.testing.memory_source import MemorySource
from usher.testing.memory_target import MemoryTarget

MANAGER = AttributePath(f"{ENTERPRISE_URN}:manager")
DISABLE = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'
ATTRIBUTES: Mapping[str, tuple[str, int | None]] = {
    "userName": ("userPrincipalName", 1),
    'emails[type eq "work"].value': ("mail", 2),
    "displayName": ("displayName", None),
    "title": ("jobTitle", None),
}
"""The usual mapping of these tests: target -> (source attribute, precedence)."""
EXPRESSIONS: Mapping[str, str] = {"active": DISABLE}
"""The usual expressions: target -> expression."""


def direct_mapping(
    attributes: Mapping[str, tuple[str, int | None]] = ATTRIBUTES, expressions: Mapping[str, str] = EXPRESSIONS
) -> CompiledMapping:
    """Direct mappings, save where an expression is given; the usual one is that of the disable attribute."""
    direct = {target: rest for target, rest in attributes.items() if target not in expressions}
    rules = [_rule(target, Direct(source), precedence) for target, (source, precedence) in direct.items()]
    rules += [
        _rule(target, Computed(compile_expression(text, fake_surroundings())), None)
        for target, text in expressions.items()
    ]
    digest = fingerprint((*((target, *rest) for target, rest in direct.items()), *expressions.items())).hex()
    return CompiledMapping(tuple(rules), AttributePath("active"), digest)


def group_mapping() -> CompiledMapping:
    """Groups by their name, with their members."""
    named = AttributeRule(DISPLAY_NAME, Direct("displayName"), GROUP_SCHEMA.definition(DISPLAY_NAME), precedence=1)
    members = AttributeRule(
        MEMBERS, Refers("members"), GROUP_SCHEMA.definition(MEMBERS), on_null=OnNull.CLEAR, asked=Apply.ALWAYS
    )
    return CompiledMapping((named, members), None, "groups", resource_type=ResourceType.GROUP)


def with_manager(mapping: CompiledMapping, on_null: OnNull = OnNull.CLEAR) -> CompiledMapping:
    """The mapping with the manager of each person, cleared where there is none."""
    definition = USER_SCHEMA.definition(MANAGER)
    rule = AttributeRule(MANAGER, Refers("manager"), definition, on_null=on_null)
    return replace(mapping, rules=(*mapping.rules, rule), digest=f"{mapping.digest} manager")


def _rule(target: str, flow: Flow, precedence: int | None) -> AttributeRule:
    path = AttributePath(target)
    return AttributeRule(path, flow, USER_SCHEMA.definition(path), precedence=precedence)


def person(name: str, **attributes: str | bool) -> dict[str, str | bool]:
    """A person with all that the usual mapping reads."""
    return {
        "userPrincipalName": f"{name}@example.com",
        "mail": f"{name}@example.com",
        "displayName": name.title(),
        "jobTitle": "Engineer",
        **attributes,
    }


@dataclass(slots=True)
class World:
    """One connector from `source` into `target`, on `store`. Change what you like between two cycles."""

    store: Store
    source: MemorySource
    target: MemoryTarget
    clock: FakeClock
    mapping: CompiledMapping = field(default_factory=direct_mapping)
    group_mapping: CompiledMapping | None = None
    budget: Budget = field(default_factory=Budget)
    group_budget: Budget = field(default_factory=Budget)
    membership_budget: Budget = field(default_factory=Budget)
    name: str = "identity/app"
    address: str = "https://app.example.com/scim/v2"
    full_every: timedelta = timedelta(minutes=15)
    adopt: Adopt = Adopt.ALWAYS
    assignment: Assignment | None = None
    untouchable: Untouchable = NONE_SPARED
    enforcement: Enforcement = Enforcement.ENFORCE
    deprovisioning: Deprovisioning = field(default_factory=Deprovisioning)
    ending: bool = False
    compare_every: timedelta | None = None
    lost: bool = False
    on_state_loss: OnStateLoss = OnStateLoss.REPORT
    approval: Approval = Approval.ON_VIOLATION
    seed: int = 0

    @property
    def ports(self) -> Ports:
        """The store, and a runtime on the world's clock."""
        return Ports(self.store, fake_runtime(self.seed, self.clock))

    @property
    def connector(self) -> ConnectorKey:
        """The connector's key."""
        return ConnectorKey(self.name)

    @property
    def job(self) -> ConnectorJob:
        """The connector as the engine runs it."""
        users = Job(
            connector=self.connector,
            source=SourceKey("identity/corp"),
            resource_type=ResourceType.USER,
            mapping=replace(self.mapping, untouchable=self.untouchable),
            address=self.address,
            requires={},
            adopt=self.adopt,
            assignment=self.assignment,
            deprovisioning=self.deprovisioning,
            ending=self.ending,
            lost=self.lost,
        )
        lanes: tuple[Job, ...] = (users,)
        if self.group_mapping is not None:
            lanes += (
                replace(
                    users,
                    resource_type=ResourceType.GROUP,
                    mapping=replace(self.group_mapping, untouchable=self.untouchable),
                ),
            )
        budgets = Budgets(self.budget, self.group_budget, self.membership_budget)
        return ConnectorJob(
            lanes,
            self.target.open,
            budgets,
            timedelta(hours=72),
            self.enforcement,
            self.compare_every,
            self.on_state_loss,
            approval=self.approval,
        )

    @property
    def lane(self) -> Lane:
        """The users of the connector, as the state knows them."""
        return Lane(self.connector, ResourceType.USER)

    async def read(self, approved: str = "", min_retained: int = 80) -> SnapshotReport:
        """Reads the source."""
        with_groups = self.group_mapping is not None or self.assignment is not None
        kinds = (ResourceType.USER, ResourceType.GROUP) if with_groups else (ResourceType.USER,)
        job = SourceJob(SourceKey("identity/corp"), kinds, self.source.open, min_retained, self.full_every)
        return (await read_source(job, self.ports, approved)).users

    async def cycle(self, approval: str = "") -> CycleReport:
        """One cycle on the snapshot as it is."""
        return await run_cycle(self.job, self.ports, Control(approval=approval))

    async def on_demand(self, *subjects: Entry) -> CycleReport:
        """A run for these and nobody else, on the snapshot as it is."""
        return await run_on_demand(self.job, self.ports, Control(), subjects)

    async def undo(self, cycle: str) -> CycleReport:
        """What the cycle of that name did is taken back."""
        return await run_undo(self.job, self.ports, Control(), cycle)

    async def plan(self) -> CycleReport:
        """A dry run."""
        return await plan_cycle(self.job, self.ports, Control())

    async def sync(self, approval: str = "", approved_read: str = "") -> CycleReport:
        """Reads the source, then one cycle."""
        await self.read(approved_read)
        return await self.cycle(approval)

    def people(self, names: Sequence[str]) -> None:
        """Puts these people into the source."""
        for name in names:
            self.source.put(f"id-{name}", **person(name))

    def group(self, name: str, *members: str) -> None:
        """Puts a group into the source, with these people and groups as its members."""
        ids = tuple(f"id-{one}" for one in members)
        self.source.put_group(f"id-{name}", displayName=name, members=ids)

    def members(self) -> dict[str, set[str]]:
        """The app's groups by their name, with the names of their members: user names as far as the @."""
        users = {i: str(self.target.document(i)["userName"]).partition("@")[0] for i in self.target.accounts}
        groups = self.target.collection(ResourceType.GROUP)
        names = users | {i: str(groups.document(i)["displayName"]) for i in groups.accounts}
        return {
            str(groups.document(i)["displayName"]): {names.get(TargetId(one), one) for one in self.target.members(i)}
            for i in groups.accounts
        }

    def accounts(self) -> dict[str, Mapping[str, Json]]:
        """The app's accounts by user name; two of one name is an error of the test's subject."""
        found: dict[str, Mapping[str, Json]] = {}
        for target_id in self.target.accounts:
            document = self.target.document(TargetId(target_id))
            user_name = str(document["userName"])
            if user_name in found:
                message = f"two accounts have the user name {user_name}"
                raise AssertionError(message)
            found[user_name] = document
        return found


@asynccontextmanager
async def open_world(path: Path | None = None, target: MemoryTarget | None = None) -> AsyncIterator[World]:
    """A new world, or, with the path of an existing state and the target of before, the old one in a new process."""
    async with open_store(path) as store:
        yield new_world(store, target or MemoryTarget())


def new_world(store: Store, target: MemoryTarget) -> World:
    """What a new process sees: nothing but the state and the app are as they were."""
    return World(store, MemorySource(), target, FakeClock())
