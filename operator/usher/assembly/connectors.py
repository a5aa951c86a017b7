"""From a ProvisioningConnector, with the mapping that it names, to the job that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from usher.api.v1alpha1.connectors import AccountBudget, ProvisioningConnectorSpec
from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.api.v1alpha1.targets.scim import ScimTarget
from usher.assembly.domains import settle_domain
from usher.assembly.ends import Ends, surroundings_of
from usher.assembly.mappings import compile_mapping
from usher.assembly.sources import ca_reference
from usher.contracts.runtime import SecretRef
from usher.core.model.resources import ConnectorKey, SourceKey
from usher.core.sync.flows import Direct
from usher.core.sync.mapping import SOFT_DELETED
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Budget, Budgets
from usher.core.sync.rules import CompiledMapping
from usher.engine.job import ConnectorJob, Job
from usher.targets.registry import SCIM
from usher.targets.scim.settings import ScimSettings


def assemble_connector(
    key: ConnectorKey,
    spec: ProvisioningConnectorSpec,
    mappings: Mapping[str, AttributeMappingSpec],
    default_domain: str,
    ends: Ends,
) -> ConnectorJob:
    """The job that runs this connector with the mappings that it names, by their names. Raises SpecErrors.

    `default_domain` is that of the source that it names, empty where that has none.
    """
    namespace = key.partition("/")[0]
    settings = _scim_settings(spec.target.scim)
    source = SourceKey(f"{namespace}/{spec.source_ref.name}")
    lanes = []
    for ref in spec.mappings:
        compiled = settle_domain(
            compile_mapping(ref.name, mappings[ref.name], surroundings_of(ends.runtime, default_domain)),
            spec.source_ref.name,
            default_domain,
        )
        lanes.append(
            Job(
                connector=key,
                source=source,
                resource_type=compiled.resource_type,
                mapping=compiled,
                address=settings.url,
                requires=_required_attributes(compiled),
                concurrency=settings.connections,
                adopt=Adopt(spec.adopt),
            )
        )
    return ConnectorJob(
        lanes=tuple(lanes),
        open_target=partial(SCIM.open, settings, ends.secrets, ends.runtime, ends.policy),
        budgets=Budgets(accounts=_budget(spec.safety.accounts)),
        hold_for=spec.safety.hold_for,
    )


def _budget(spec: AccountBudget) -> Budget:
    return Budget(spec.max_count, spec.max_percent, spec.min_count)


def _scim_settings(target: ScimTarget) -> ScimSettings:
    token = target.auth.bearer.secret_ref
    ca = ca_reference(None if target.tls is None else target.tls.ca_ref)
    return ScimSettings(target.url.rstrip("/"), SecretRef("Secret", token.name, token.key), ca)


def _required_attributes(mapping: CompiledMapping) -> dict[str, str]:
    """Each source attribute that the mapping reads, with the first place that does."""
    places: dict[str, str] = {}
    for rule in mapping.rules:
        field = "source" if isinstance(rule.flow, Direct) else "expression"
        for name in sorted(rule.reads - {SOFT_DELETED}):
            places.setdefault(name, f"{rule.place}.{field}")
    for each in mapping.scope.filters:
        for clause in each.clauses:
            if clause.attribute != SOFT_DELETED:
                places.setdefault(clause.attribute, f"{clause.place}.attribute")
    return places
