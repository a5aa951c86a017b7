"""The kinds of the API: each an object with type, metadata, spec and status, and what kubectl needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, field_validator

from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.identity_sources import IdentitySourceSpec, LocalIdentitySourceSpec, SourceStatus
from usher.api.v1alpha1.mappings import AttributeMappingSpec, MappingStatus
from usher.api.v1alpha1.objects import Metadata, read_status
from usher.api.v1alpha1.provisioning_runs import ProvisioningRunSpec, ProvisioningRunStatus
from usher.api.v1alpha1.rules import Strict, Unchanged


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`. Those of priority 1 are shown with `-o wide`."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "date"] = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class KindNames:
    """How a kind is called, shown and selected."""

    kind: str
    plural: str
    short: str
    description: str
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()

    @property
    def singular(self) -> str:
        """The name of one, as kubectl takes it."""
        return self.kind.lower()


def _condition(kind: str, part: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{part}'


_READY: Final = Column("Ready", _condition("Ready", "status"), "Whether the spec is in force and works.")
_REASON: Final = Column("Reason", _condition("Ready", "reason"), "Why it is ready or not, in a word.")
_MESSAGE: Final = Column("Message", _condition("Ready", "message"), "Why it is ready or not.", priority=1)
_INTERVAL: Final = Column("Interval", ".status.schedule.interval", "The interval in force.", priority=1)
_AGE: Final = Column("Age", ".metadata.creationTimestamp", "When it was created.", type="date")

CONNECTOR: Final = KindNames(
    kind="ProvisioningConnector",
    plural="provisioningconnectors",
    short="pconn",
    description="One flow of people from an identity source into one app.",
    columns=(
        _READY,
        Column("InSync", _condition("InSync", "status"), "Whether the last cycle left nothing undone."),
        Column("Source", ".spec.sourceRef.name", "The IdentitySource."),
        Column("Users", ".status.counts.linked", "People with a linked account.", type="integer"),
        Column("Pending", ".status.counts.pending", "People with something undone.", type="integer"),
        Column("Last Cycle", ".status.lastCycle.completionTime", "When the last cycle ended.", type="date"),
        _REASON,
        _AGE,
        Column("Next", ".status.nextCycleTime", "When the next cycle is due.", priority=1),
        _INTERVAL,
        Column("Suspended", ".spec.suspend", "Whether cycles are suspended.", priority=1),
        _MESSAGE,
    ),
    selectable=(".spec.sourceRef.name", ".spec.target.scim.auth.bearer.secretRef.name"),
)
MAPPING: Final = KindNames(
    kind="AttributeMapping",
    plural="attributemappings",
    short="amap",
    description="How people of an identity source become users of an app.",
    columns=(
        _READY,
        Column("Type", ".spec.resourceType", "Type of the resources."),
        Column("Used By", ".status.usedBy.count", "How many connectors use it.", type="integer"),
        _REASON,
        _AGE,
        _MESSAGE,
    ),
)
SOURCE: Final = KindNames(
    kind="IdentitySource",
    plural="identitysources",
    short="idsrc",
    description="Where people are read from.",
    columns=(
        _READY,
        Column("Users", ".status.counts.users", "People in the source.", type="integer"),
        Column("Groups", ".status.counts.groups", "Groups in the source.", type="integer"),
        Column("Last Read", ".status.lastReadTime", "When the last read ended that is believed.", type="date"),
        _REASON,
        _AGE,
        Column("Version", ".status.version", "Version of the snapshot.", type="integer", priority=1),
        _INTERVAL,
        _MESSAGE,
    ),
    selectable=(".spec.csv.configMapRef.name", ".spec.csv.secretRef.name", ".spec.ldap.secretRef.name"),
)


RUN: Final = KindNames(
    kind="ProvisioningRun",
    plural="provisioningruns",
    short="prun",
    description="One thing that is asked of a connector, such as a cycle now or a plan, and what came of it.",
    columns=(
        Column("Complete", _condition("Complete", "status"), "Whether it has been done."),
        Column("Type", ".spec.type", "What is asked for."),
        Column("Connector", ".spec.connectorRef.name", "The ProvisioningConnector."),
        Column("Reason", _condition("Complete", "reason"), "What it waits for, or how it ended, in a word."),
        _AGE,
        Column("Started", ".status.startTime", "When it began.", type="date", priority=1),
        Column("Ended", ".status.completionTime", "When it ended.", type="date", priority=1),
        Column("Message", _condition("Complete", "message"), "What it waits for, or what came of it.", priority=1),
    ),
    selectable=(".spec.connectorRef.name", ".spec.type"),
)


class Resource(Strict):
    """What every object of the API has."""

    names: ClassVar[KindNames]

    api_version: Literal["provisioning.usher.dev/v1alpha1"]
    metadata: Metadata

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.metadata.namespace}/{self.metadata.name}"


class ProvisioningConnector(Resource):
    """One flow of people from an identity source into one app."""

    names = CONNECTOR

    kind: Literal["ProvisioningConnector"]
    spec: ProvisioningConnectorSpec
    status: ConnectorStatus = Field(default=ConnectorStatus())

    @field_validator("status", mode="before")
    @classmethod
    def _any_status(cls, status: Any) -> ConnectorStatus:
        return read_status(ConnectorStatus, status)


class AttributeMapping(Resource):
    """How people of an identity source become users of an app."""

    names = MAPPING

    kind: Literal["AttributeMapping"]
    spec: AttributeMappingSpec
    status: MappingStatus = Field(default=MappingStatus())

    @field_validator("status", mode="before")
    @classmethod
    def _any_status(cls, status: Any) -> MappingStatus:
        return read_status(MappingStatus, status)


class IdentitySource(Resource):
    """Where people are read from."""

    names = SOURCE

    kind: Literal["IdentitySource"]
    spec: IdentitySourceSpec
    status: SourceStatus = Field(default=SourceStatus())

    @field_validator("status", mode="before")
    @classmethod
    def _any_status(cls, status: Any) -> SourceStatus:
        return read_status(SourceStatus, status)


class LocalIdentitySource(IdentitySource):
    """An IdentitySource as the command line takes it: its document may be a file."""

    spec: LocalIdentitySourceSpec


class ProvisioningRun(Resource):
    """One thing that is asked of a connector, and what came of it."""

    names = RUN

    kind: Literal["ProvisioningRun"]
    spec: Annotated[ProvisioningRunSpec, Unchanged("spec can't be changed: create another ProvisioningRun")]
    status: ProvisioningRunStatus = Field(default=ProvisioningRunStatus())

    @field_validator("status", mode="before")
    @classmethod
    def _any_status(cls, status: Any) -> ProvisioningRunStatus:
        return read_status(ProvisioningRunStatus, status)


Manifest: TypeAlias = ProvisioningConnector | AttributeMapping | IdentitySource | ProvisioningRun
KINDS: Final[tuple[type[Manifest], ...]] = (AttributeMapping, IdentitySource, ProvisioningConnector, ProvisioningRun)
"""All of them, in the order of the alphabet."""
