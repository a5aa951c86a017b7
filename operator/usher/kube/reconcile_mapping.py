"""Level-triggered: an AttributeMapping compiles, or its status says where it does not."""

from __future__ import annotations

from dataclasses import dataclass

from usher.api.conditions import Finding
from usher.api.end_conditions import mapping_conditions
from usher.api.names import API_VERSION
from usher.api.v1alpha1.kinds import AttributeMapping
from usher.api.v1alpha1.mappings import MAX_USERS_SHOWN, AttributeMappingSpec, MappingStatus, MappingUse
from usher.assembly.ends import SpecErrors, surroundings_of
from usher.assembly.mappings import compile_mapping
from usher.contracts.runtime import Runtime
from usher.core.model.resources import Json
from usher.core.sync.rules import CompiledMapping
from usher.kube.objects import Document, ObjectKey, generation, uid
from usher.kube.services import Services
from usher.kube.status import Subject, finding_of, read_subject


@dataclass(frozen=True, slots=True)
class Compiled:
    """A mapping that compiles, as it says itself and as it is compiled where no source is known."""

    spec: AttributeMappingSpec
    mapping: CompiledMapping


class MappingReconciler:
    """Compiles each generation of a mapping once, for its own status and for the connectors that use it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._compiled: dict[ObjectKey, tuple[tuple[str, int], Compiled | Finding]] = {}

    async def reconcile(self, key: ObjectKey) -> None:
        """Brings the status of this mapping up to date. Raises ClusterError."""
        services = self._services
        document = services.cache.get(key)
        if document is None:
            self._compiled.pop(key, None)
            services.metrics.forget(key)
            return
        subject = read_subject(key, document, AttributeMapping, MappingStatus)
        compiled = self._of(subject)
        names = sorted(other.name for other in services.cache.referrers(key))
        status = MappingStatus(
            observed_generation=subject.generation,
            conditions=mapping_conditions(
                subject.generation,
                compiled if isinstance(compiled, Finding) else None,
                subject.former.conditions,
                services.ports.runtime.now(),
            ),
            used_by=MappingUse(count=len(names), names=tuple(names[:MAX_USERS_SHOWN])),
        )
        await services.statuses.write(key, document, status)
        services.metrics.conditions(key, status.conditions)

    def compiled(self, key: ObjectKey, document: Document) -> Compiled | Finding:
        """The compiled mapping, or what is wrong with it."""
        known = self._compiled.get(key)
        if known is not None and known[0] == (uid(document), generation(document)):
            return known[1]
        return self._of(read_subject(key, document, AttributeMapping, MappingStatus))

    def compile_kept(self, key: ObjectKey, spec: Json) -> Compiled | Finding:
        """The same of a mapping that may be gone, from the spec that was kept of it."""
        metadata = {"namespace": key.namespace, "name": key.name}
        document = {"apiVersion": API_VERSION, "kind": key.kind.value, "metadata": metadata, "spec": spec}
        return _compile(read_subject(key, document, AttributeMapping, MappingStatus), self._services.ports.runtime)

    def _of(self, subject: Subject[AttributeMapping, MappingStatus]) -> Compiled | Finding:
        edition = (subject.uid, subject.generation)
        known = self._compiled.get(subject.key)
        if known is None or known[0] != edition:
            known = (edition, _compile(subject, self._services.ports.runtime))
            self._compiled[subject.key] = known
        return known[1]


def _compile(subject: Subject[AttributeMapping, MappingStatus], runtime: Runtime) -> Compiled | Finding:
    if isinstance(subject.manifest, Finding):
        return subject.manifest
    try:
        compiled = compile_mapping(subject.key.name, subject.manifest.spec, surroundings_of(runtime))
    except SpecErrors as error:
        return finding_of(error)
    return Compiled(subject.manifest.spec, compiled)
