"""From a ProvisioningConnector, with the mapping that it names, to the job that runs it."""

from __future__ import annotations

from functools import partial

from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.api.v1alpha1.targets.scim import ScimTarget
from usher.assembly.domains import settle_domain
from usher.assembly.ends import Ends, surroundings_of
from usher.assembly.mappings import compile_mapping
from usher.assembly.sources import ca_reference
from usher.contracts.runtime import SecretRef
from usher.core.model.resources import ConnectorKey, ResourceType, SourceKey
from usher.core.sync.flows import Direct
from usher.core.sync.mapping import SOFT_DELETED
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Budget
from usher.core.sync.rules import CompiledMapping
from usher.engine.job import Job
from usher.targets.registry import SCIM
from usher.targets.scim.settings import ScimSettings


def assemble_connector(
    key: ConnectorKey, spec: ProvisioningConnectorSpec, mapping: AttributeMappingSpec, default_domain: str, ends: Ends
) -> Job:
    """The job that runs this connector with the mapping that it names. Raises SpecErrors.

    `default_domain` is that of the source that it names, empty where that has none.
    """
    name = spec.mappings[0].name
    compiled = settle_domain(
        compile_mapping(name, mapping, surroundings_of(ends.runtime, default_domain)),
        spec.source_ref.name,
        default_domain,
    )
    namespace = key.partition("/")[0]
    accounts = spec.safety.accounts
    settings = _scim_settings(spec.target.scim)
    return Job(
        connector=key,
        source=SourceKey(f"{namespace}/{spec.source_ref.name}"),
        resource_type=ResourceType.USER,
        mapping=compiled,
        address=settings.url,
        open_target=partial(SCIM.open, settings, ends.secrets, ends.runtime, ends.policy),
        budget=Budget(accounts.max_count, accounts.max_percent, accounts.min_count),
        hold_for=spec.safety.hold_for,
        requires=_required_attributes(compiled),
        concurrency=settings.connections,
        adopt=Adopt(spec.adopt),
    )


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
