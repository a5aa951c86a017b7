"""What a connector is made of: its spec, its source, and the mappings that it names, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from usher.api.conditions import Finding, Reason
from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.assembly.connectors import find_misnamed, without_groups
from usher.assembly.domains import digest_in
from usher.assembly.scopes import groups_unread
from usher.core.errors import SpecError
from usher.core.model.resources import ConnectorKey, Json, ResourceType
from usher.kube.cache import Cache
from usher.kube.connector_status import missing_mapping, missing_source
from usher.kube.objects import Document, Kind, ObjectKey, default_domain, reads_groups
from usher.kube.reconcile_mapping import Compiled, MappingReconciler
from usher.kube.status import Subject

ConnectorSubject = Subject[ProvisioningConnector, ConnectorStatus]


@dataclass(frozen=True, slots=True)
class Parts:
    """A connector of which nothing is missing. `mappings` are by name; `domain` is that of the source.

    `written` has the specs of the mappings as they are written.
    """

    connector: ProvisioningConnector
    mappings: Mapping[str, Compiled]
    source: ObjectKey
    domain: str
    written: Mapping[str, Json] = field(default_factory=dict)

    @property
    def keepsake(self) -> Mapping[str, Json]:
        """What `resolve_ending` needs when the source and the mappings are gone."""
        return {"domain": self.domain, "mappings": dict(self.written)}

    @property
    def lanes(self) -> Mapping[ResourceType, str]:
        """The resource types of the mappings that are on, each with the mapping's digest."""
        return {
            one.mapping.resource_type: digest_in(one.mapping, self.domain)
            for one in self.mappings.values()
            if one.spec.enabled
        }

    @property
    def kinds(self) -> frozenset[ResourceType]:
        """The resource types on which a cycle depends: those of the lanes, and groups where the scope names some."""
        named = {ResourceType.GROUP} if self.connector.spec.scope.groups else set()
        return frozenset({*self.lanes, *named})


def resolve(subject: ConnectorSubject, cache: Cache, compiler: MappingReconciler) -> Parts | Finding:
    """The parts, or the first thing that is missing or wrong."""
    connector = subject.manifest
    if isinstance(connector, Finding):
        return connector
    source = subject.key.beside(Kind.SOURCE, connector.spec.source_ref.name)
    origin = cache.get(source)
    if origin is None:
        return missing_source(source)
    mappings: dict[str, Compiled] = {}
    written: dict[str, Json] = {}
    for index, ref in enumerate(connector.spec.mappings):
        key = subject.key.beside(Kind.MAPPING, ref.name)
        document = cache.get(key)
        if document is None:
            return missing_mapping(key, index)
        compiled = compiler.compiled(key, document)
        if isinstance(compiled, Finding):
            return Finding(Reason.MAPPING_INVALID, compiled.message)
        mappings[ref.name], written[ref.name] = compiled, document.get("spec")
    parts = Parts(connector, mappings, source, default_domain(origin), written)
    error = _find_error(ConnectorKey(subject.key.path), parts, origin)
    return parts if error is None else Finding(error.reason, error.message)


def resolve_ending(
    subject: ConnectorSubject, cache: Cache, compiler: MappingReconciler, kept: Mapping[str, Json]
) -> Parts | Finding:
    """As `resolve`, of a connector that is being deleted: whoever deletes a whole folder deletes the rest first.

    The source is not needed. Of a mapping that is gone, or broken meanwhile, that counts which the last cycle used.
    """
    connector = subject.manifest
    if isinstance(connector, Finding):
        return connector
    mappings: dict[str, Compiled] = {}
    for index, ref in enumerate(connector.spec.mappings):
        key = subject.key.beside(Kind.MAPPING, ref.name)
        compiled = _last_good(key, cache, compiler, kept)
        if compiled is None:
            return missing_mapping(key, index)
        if isinstance(compiled, Finding):
            return Finding(Reason.MAPPING_INVALID, compiled.message)
        mappings[ref.name] = compiled
    types = {name: one.mapping.resource_type for name, one in mappings.items()}
    for error in find_misnamed(ConnectorKey(subject.key.path), connector.spec, types):
        return Finding(error.reason, error.message)
    source = subject.key.beside(Kind.SOURCE, connector.spec.source_ref.name)
    return Parts(connector, mappings, source, _domain(cache.get(source), kept))


def _last_good(
    key: ObjectKey, cache: Cache, compiler: MappingReconciler, kept: Mapping[str, Json]
) -> Compiled | Finding | None:
    document = cache.get(key)
    present = None if document is None else compiler.compiled(key, document)
    specs = kept.get("mappings")
    spec = specs.get(key.name) if isinstance(specs, dict) else None
    if isinstance(present, Compiled) or spec is None:
        return present
    return compiler.compile_kept(key, spec)


def _domain(source: Document | None, kept: Mapping[str, Json]) -> str:
    return str(kept.get("domain") or "") if source is None else default_domain(source)


def _find_error(key: ConnectorKey, parts: Parts, source: Document) -> SpecError | None:
    spec, types = parts.connector.spec, {name: one.mapping.resource_type for name, one in parts.mappings.items()}
    for error in find_misnamed(key, spec, types):
        return error
    for name, one in parts.mappings.items():
        if types[name] is ResourceType.GROUP and one.spec.enabled and not reads_groups(source):
            return without_groups(key, spec, name)
    if spec.scope.groups and not reads_groups(source):
        return groups_unread(key, spec)
    return None
