"""The last seen state of every object that matters, fed by events. Of ConfigMaps only the version is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from typing import Any

from usher.kube.objects import Document, Kind, ObjectKey, annotations_of, generation, key_of, resource_version, uid


class Change(Enum):
    """What an event told: nothing new, a new status only, or something that others may depend upon."""

    NOTHING = "Nothing"
    STATUS = "Status"
    MATERIAL = "Material"


class Cache:
    """Objects by key."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[str, dict[str, Document]]] = {kind: defaultdict(dict) for kind in Kind}

    def put(self, kind: Kind, document: Document) -> Change:
        """Takes over the object, unless what is known of it is newer."""
        key = key_of(kind, document)
        former = self.get(key)
        if former is not None and _is_older(document, former):
            return Change.NOTHING
        self._objects[kind][key.namespace][key.name] = _kept(kind, document)
        if former is None or kind is Kind.CONFIG_MAP:
            return Change.MATERIAL
        return Change.STATUS if _essence(former) == _essence(document) else Change.MATERIAL

    def remove(self, key: ObjectKey) -> None:
        """The object was deleted."""
        self._objects[key.kind][key.namespace].pop(key.name, None)

    def get(self, key: ObjectKey) -> Document | None:
        """The object, None where there is none."""
        return self._objects[key.kind][key.namespace].get(key.name)

    def keys(self, kind: Kind) -> list[ObjectKey]:
        """All objects of a kind."""
        return [ObjectKey(kind, namespace, name) for namespace, names in self._objects[kind].items() for name in names]

    def referrers(self, key: ObjectKey) -> list[ObjectKey]:
        """The objects beside it whose spec names this one."""
        return [
            key.beside(kind, name)
            for kind in (Kind.SOURCE, Kind.CONNECTOR, Kind.RUN)
            for name, document in self._objects[kind][key.namespace].items()
            if key in references(kind, key.namespace, document)
        ]

    def versions_named(self, key: ObjectKey) -> str:
        """The versions of the ConfigMaps that the spec of this object names: another text when one of them changes."""
        named = references(key.kind, key.namespace, self.get(key) or {})
        found = [self.get(other) for other in named if other.kind is Kind.CONFIG_MAP]
        return ",".join("" if document is None else resource_version(document) for document in found)


def references(kind: Kind, namespace: str, document: Document) -> Iterator[ObjectKey]:
    """What the spec of this object names, as far as it is watched. Never fails, whatever the spec looks like."""
    spec = _mapping(document.get("spec"))
    named: list[tuple[Kind, Any]] = []
    if kind is Kind.CONNECTOR:
        named.append((Kind.SOURCE, spec.get("sourceRef")))
        mappings = spec.get("mappings")
        named.extend((Kind.MAPPING, item) for item in (mappings if isinstance(mappings, list) else ()))
        named.extend(_authority(spec, "target", "scim", "tls", "caRef"))
    if kind is Kind.RUN:
        named.append((Kind.CONNECTOR, spec.get("connectorRef")))
    if kind is Kind.SOURCE:
        named.append((Kind.CONFIG_MAP, _inside(spec, "csv", "configMapRef")))
        named.append((Kind.CONFIG_MAP, _inside(spec, "csv", "groups", "configMapRef")))
        named.extend(_authority(spec, "ldap", "caRef"))
    for wanted, reference in named:
        name = _mapping(reference).get("name")
        if isinstance(name, str):
            yield ObjectKey(wanted, namespace, name)


def _authority(spec: Any, *fields: str) -> Iterator[tuple[Kind, Any]]:
    """A certificate authority, where it is in a ConfigMap: one in a Secret is not watched."""
    reference = _inside(spec, *fields)
    if reference.get("kind") == Kind.CONFIG_MAP.value:
        yield Kind.CONFIG_MAP, reference


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _inside(value: Any, *fields: str) -> dict[str, Any]:
    for field in fields:
        value = _mapping(value).get(field)
    return _mapping(value)


def _kept(kind: Kind, document: Document) -> Document:
    metadata = document["metadata"]
    if kind is Kind.CONFIG_MAP:
        return {"metadata": {name: metadata.get(name, "") for name in ("namespace", "name", "resourceVersion")}}
    return {**document, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def _essence(document: Document) -> tuple[object, ...]:
    deleted = document["metadata"].get("deletionTimestamp")
    return uid(document), generation(document), dict(annotations_of(document)), deleted


def _is_older(document: Document, former: Document) -> bool:
    """Versions of one kind of object are numbers that grow; what is no number counts as newer."""
    new, old = resource_version(document), resource_version(former)
    if new == old:
        return True
    return new.isdecimal() and old.isdecimal() and int(new) < int(old)
