"""How the objects of the cluster are called here, and what is read of one without parsing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from usher.api.names import API_VERSION, DEPROVISION

Document: TypeAlias = Mapping[str, Any]
"""An object as the API server sends it."""


class Kind(StrEnum):
    """The kinds that the operator watches. Secrets are none of them: they are read by name only."""

    CONNECTOR = "ProvisioningConnector"
    MAPPING = "AttributeMapping"
    SOURCE = "IdentitySource"
    RUN = "ProvisioningRun"
    CONFIG_MAP = "ConfigMap"

    @property
    def plural(self) -> str:
        """As it stands in a URL."""
        return f"{self.value.lower()}s"

    @property
    def api_version(self) -> str:
        """Group and version."""
        return "v1" if self is Kind.CONFIG_MAP else API_VERSION


OWN_KINDS: Final = (Kind.MAPPING, Kind.SOURCE, Kind.CONNECTOR, Kind.RUN)
"""Our kinds, each before those that refer to it."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """One object. Its `path` is the key under which the state knows a connector or a source."""

    kind: Kind
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    def beside(self, kind: Kind, name: str) -> ObjectKey:
        """Another object of the same namespace: references reach no further."""
        return ObjectKey(kind, self.namespace, name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} in namespace {self.namespace}"


def key_of(kind: Kind, document: Document) -> ObjectKey:
    """The key of an object of this kind."""
    metadata = document["metadata"]
    return ObjectKey(kind, metadata["namespace"], metadata["name"])


def resource_version(document: Document) -> str:
    """The version that the API server gave to this state of the object; empty where it is not known."""
    version: str = document["metadata"].get("resourceVersion", "")
    return version


def generation(document: Document) -> int:
    """Counts the changes of the spec."""
    count: int = document["metadata"].get("generation", 0)
    return count


def finalizers(document: Document) -> Sequence[str]:
    """Who has to do something yet before the object may go."""
    found: Sequence[str] | None = document["metadata"].get("finalizers")
    return found or ()


def without_ours(document: Document) -> list[str]:
    """The finalizers of others."""
    return [one for one in finalizers(document) if one != DEPROVISION]


def finalizer_patch(version: str, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) that replaces the finalizers, of an object of this resourceVersion and of no other."""
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "add", "path": "/metadata/finalizers", "value": list(wanted)},
    ]


def deleted_at(document: Document) -> datetime | None:
    """When somebody deleted the object, None where nobody has."""
    text: str | None = document["metadata"].get("deletionTimestamp")
    return None if text is None else datetime.fromisoformat(text)


def created_at(document: Document) -> datetime:
    """When the object was made."""
    text: str = document["metadata"]["creationTimestamp"]
    return datetime.fromisoformat(text)


def uid(document: Document) -> str:
    """Differs between an object and another one of the same name after it."""
    text: str = document["metadata"].get("uid", "")
    return text


def default_domain(source: Document) -> str:
    """The domain that a source lends to expressions, empty where its spec has none that can be read."""
    spec = source.get("spec")
    found = spec.get("defaultDomain") if isinstance(spec, Mapping) else None
    return found if isinstance(found, str) else ""


def reads_groups(source: Document) -> bool:
    """Whether the spec of a source asks for groups, as far as it can be read."""
    spec = source.get("spec")
    kinds = [spec.get(kind) for kind in ("csv", "ldap")] if isinstance(spec, Mapping) else []
    return any(isinstance(kind, Mapping) and kind.get("groups") is not None for kind in kinds)


def annotations_of(document: Document) -> Mapping[str, str]:
    """The annotations; an empty mapping where there are none."""
    found: Mapping[str, str] | None = document["metadata"].get("annotations")
    return found or {}
