"""What is: people as a source describes them, accounts as a target stores them, and the link between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType, TypeAlias

SourceId = NewType("SourceId", str)
TargetId = NewType("TargetId", str)
SourceKey = NewType("SourceKey", str)
"""`namespace/name` of an IdentitySource."""
ConnectorKey = NewType("ConnectorKey", str)
"""`namespace/name` of a ProvisioningConnector."""
AttributePath = NewType("AttributePath", str)
"""A target path in the text that the mapping wrote (`emails[type eq "work"].value`); parsed by `core.scim.paths`."""
Fingerprint = NewType("Fingerprint", bytes)
"""16 bytes (blake2b) over a canonical form; equal fingerprints mean equal content."""

Scalar: TypeAlias = str | bool | int | float
Value: TypeAlias = Scalar | tuple[Scalar, ...]
"""A value of a source attribute or an expression. Absent is expressed by absence (or None where a slot must exist)."""
Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class ResourceType(StrEnum):
    """What a source holds and a connector provisions. The value is the SCIM resource type's name."""

    USER = "User"
    GROUP = "Group"


class Lane(NamedTuple):
    """One resource type of one connector: what has links, claims, intents and a running plan of its own.

    `anew`: beside the lane that is in force, while its links are to be found again and nobody has approved that yet.
    """

    connector: ConnectorKey
    resource_type: ResourceType
    anew: bool = False


@dataclass(frozen=True, slots=True)
class SourceResource:
    """One resource of a source's snapshot. Null attributes are left out of `attributes`."""

    id: SourceId
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class TargetResource:
    """One resource as the target returned it. `version` is the target's own (ETag), None where it has none."""

    id: TargetId
    version: str | None
    attributes: Mapping[str, Json]


class Holding(NamedTuple):
    """The accounts that reference attributes of one account are known to hold, by path; others are not known."""

    target_id: TargetId
    held: Mapping[AttributePath, tuple[TargetId, ...]]


@dataclass(frozen=True, slots=True)
class Link:
    """Source resource and target resource are the same person: recorded only after the target confirmed it.

    `image` holds the last known target value of each mapped path (the before-image of the next update, None for
    "known to be absent"). `fingerprint` is that of the desired values last brought to the target, empty when unknown.
    """

    source_id: SourceId
    target_id: TargetId
    version: str | None
    image: Mapping[AttributePath, Json]
    fingerprint: Fingerprint
    enabled: bool
