"""What will be done, and what came of it. Everything here is data: printable, comparable, storable as a row.

What is made for each person in each cycle is a named tuple: a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, TypeAlias

from usher.core.model.escrow import Duty
from usher.core.model.resources import (
    AttributePath,
    Fingerprint,
    Json,
    Link,
    ResourceType,
    SourceId,
    TargetId,
    TargetResource,
)


class Replace(NamedTuple):
    """The attribute shall hold this value; None removes it."""

    value: Json


@dataclass(frozen=True, slots=True)
class Amend:
    """Of a multi-valued attribute: these values are added and those removed, all others stay as they are."""

    add: tuple[Json, ...] = ()
    remove: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """The attribute gets a value that stands in no plan: it is made again from the source when it is sent.

    `seal` is what is kept of it afterwards, for comparison; empty where nothing is.
    """

    seal: str = ""


class Refer(NamedTuple):
    """The attribute gets the accounts of these resources, known by their source ids until it is sent.

    One that can have several values keeps those that it has; another has one after it. `accounts` are further ones,
    known by their own ids: nobody of ours.
    """

    to: tuple[SourceId, ...]
    accounts: tuple[TargetId, ...] = ()


Edit: TypeAlias = Replace | Amend
Delta: TypeAlias = Mapping[AttributePath, Edit]
"""One set of edits to one resource, each attribute at most once."""
PlannedEdit: TypeAlias = Edit | Withheld | Refer
PlannedDelta: TypeAlias = Mapping[AttributePath, PlannedEdit]
"""The same, as it is planned and stored."""


class Criterion(NamedTuple):
    """`path eq value`: one comparison of a matching rule, the value as the target's schema types it."""

    path: AttributePath
    value: str | bool | int | float


Conjunction: TypeAlias = tuple[Criterion, ...]
"""All of them hold."""


class MatchKey(NamedTuple):
    """A matching attribute with its value for one person. The lowest precedence is tried first.

    `claim` is the canonical text of the comparison (folded as the target's schema compares): equal claims can't both
    be settled.
    """

    precedence: int
    conjunction: Conjunction
    claim: str


@dataclass(frozen=True, slots=True)
class Create:
    """A request to the target: a new resource with these values."""

    resource_type: ResourceType
    values: Mapping[AttributePath, Json]


@dataclass(frozen=True, slots=True)
class Update:
    """A request to the target: one delta, relative to the before-image `before` of the paths in it.

    `expected_version` is sent as a precondition where the target has versions.
    """

    resource_type: ResourceType
    target_id: TargetId
    delta: Delta
    before: Mapping[AttributePath, Json]
    expected_version: str | None


@dataclass(frozen=True, slots=True)
class Delete:
    """A request to the target: the resource shall be gone."""

    resource_type: ResourceType
    target_id: TargetId


@dataclass(frozen=True, slots=True)
class Stored:
    """What the target confirmed: the id (it may have changed), its version, and the resource if the answer held it."""

    id: TargetId
    version: str | None
    echo: TargetResource | None


class Action(StrEnum):
    """What a planned change does, in the words of the plan, the log and the counts."""

    CREATE = "Create"
    LINK = "Link"
    UPDATE = "Update"
    DISABLE = "Disable"
    DELETE = "Delete"
    REMOVE = "Remove"
    """Takes references away: members of a group, for one."""
    REFER = "Refer"
    """Gives references."""


class Phase(IntEnum):
    """Order of one apply. Phases run one after the other; inside one, ranks do; inside a rank all run together."""

    DISABLE = 10
    FOLLOW = 12
    """References to accounts that were just disabled, which no budget counts a second time."""
    REMOVE = 15
    FREE_KEYS = 20
    CREATE = 30
    UPDATE = 40
    TRIM = 45
    """As REMOVE, of accounts that this plan takes over: before that nobody may write to them."""
    REFER = 50
    DELETE = 60


@dataclass(frozen=True, slots=True)
class Besides:
    """What a mapping wants at a resource beside the values that are always written; most mappings want nothing of it.

    `on_create` are values that only a create sends; `fill_empty` those that a create sends and an update only where the
    target's attribute is empty. `choices` are the values of which a create sends the first that nobody has. `cleared`
    are paths that shall have no value. `withheld` are values of attributes that the target never returns; those that
    are kept up have a seal in `seals`.
    """

    on_create: Mapping[AttributePath, Json] = field(default_factory=dict)
    fill_empty: Mapping[AttributePath, Json] = field(default_factory=dict)
    choices: Mapping[AttributePath, tuple[Json, ...]] = field(default_factory=dict)
    cleared: tuple[AttributePath, ...] = ()
    withheld: Mapping[AttributePath, Json] = field(default_factory=dict, repr=False)
    seals: Mapping[AttributePath, str] = field(default_factory=dict)


NOTHING_BESIDES: Final = Besides()


class Desired(NamedTuple):
    """One source resource as the mapping wants it at the target.

    `values` holds what the mapping determines, never None: null leaves the target alone. `active` is False for somebody
    who shall have no access: `cause` says why, in one CamelCase word. `keys` are ordered by precedence, without those
    whose value is missing.
    """

    source_id: SourceId
    values: Mapping[AttributePath, Json]
    keys: tuple[MatchKey, ...]
    fingerprint: Fingerprint
    active: bool
    besides: Besides = NOTHING_BESIDES
    cause: str = ""


# --- situations: what matching found -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linked:
    """There is a link. `current` is set where the stored image is not to be trusted and the target was read again."""

    link: Link
    current: TargetResource | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """No link yet, exactly one resource at the target answers to a matching attribute, and nobody else claims it."""

    found: TargetResource


@dataclass(frozen=True, slots=True)
class Unmatched:
    """No link, and no resource at the target answers to any matching attribute."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """As Matched, but the account was there before us, and such accounts are not to be taken over."""

    found: TargetResource


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It can't be said which resource is meant. `rivals` are source and target ids, for the provisioning log only."""

    reason: str
    rivals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknowable:
    """No link. A create was sent whose end nobody knows, to a target that can't be asked who is there."""


Unlinked: TypeAlias = Matched | Foreign | Unmatched | Ambiguous | Unknowable
Situation: TypeAlias = Linked | Unlinked


# --- the plan -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One row of a plan. `delta` is empty for Link; for Create every edit gives a value to what has none.

    `before` is the image of the mapped paths (empty for Create). `keys` are kept for the look-up after an unknown
    create, `create_only` are the paths of its delta whose value (a default) must never replace one that is there.
    `cause` is the evidence or rule in one CamelCase word.
    """

    resource_type: ResourceType
    source_id: SourceId
    target_id: TargetId | None
    action: Action
    phase: Phase
    rank: int
    delta: PlannedDelta
    before: Mapping[AttributePath, Json]
    version: str | None
    fingerprint: Fingerprint
    keys: tuple[MatchKey, ...] = ()
    create_only: tuple[AttributePath, ...] = ()
    cause: str = ""

    @property
    def destructive(self) -> bool:
        """Whether it takes something away from a person, and so counts against a budget."""
        return self.action in (Action.DISABLE, Action.DELETE) or self.phase in (Phase.REMOVE, Phase.TRIM)


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is done for this source resource, and that is right (`settled`) or waits for somebody (not settled).

    An unsettled one is looked at again in every cycle and keeps the connector out of sync; where `failed` says what
    could not be done, it goes into escrow instead. `detail` may name people.
    """

    source_id: SourceId
    reason: str
    detail: str
    settled: bool
    failed: Duty | None = None
