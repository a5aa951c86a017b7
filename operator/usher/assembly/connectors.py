"""From a ProvisioningConnector, with the mappings that it names, to the job that runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Final

from usher.api.v1alpha1.connectors import Budget as BudgetSpec
from usher.api.v1alpha1.connectors import Deprovisioning as DeprovisioningSpec
from usher.api.v1alpha1.connectors import Execution, ProvisioningConnectorSpec, Safety
from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.api.v1alpha1.targets.scim import ScimTarget
from usher.assembly.domains import settle_domain
from usher.assembly.ends import Ends, SpecErrors, surroundings_of
from usher.assembly.mappings import compile_mapping
from usher.assembly.scopes import assignment_of, filters_of, subject_of, untouchable_of
from usher.assembly.sources import ca_reference
from usher.contracts.runtime import SecretRef
from usher.core.errors import SpecError
from usher.core.model.resources import ConnectorKey, ResourceType, SourceKey
from usher.core.sync.flows import Direct, Refers
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.mapping import SOFT_DELETED
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Approval, Budget, Budgets, Enforcement, OnStateLoss
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.telling import LogValues
from usher.engine.job import ConnectorJob, Job
from usher.targets.registry import SCIM
from usher.targets.scim.settings import ScimSettings

_WORDS: Final = {ResourceType.USER: "users", ResourceType.GROUP: "groups"}


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
    settings = _scim_settings(spec.target.scim, spec.execution)
    source = SourceKey(f"{namespace}/{spec.source_ref.name}")
    errors = list(find_misnamed(key, spec, {name: ResourceType(one.resource_type) for name, one in mappings.items()}))
    if errors:
        raise SpecErrors(errors)
    untouchable, within = untouchable_of(key, spec.scope), filters_of(key, spec.scope)
    lanes = []
    for compiled in _compiled(spec, mappings, default_domain, ends):
        of_users = compiled.resource_type is ResourceType.USER
        scope = replace(compiled.scope, within=within) if of_users else compiled.scope
        mapping = replace(compiled, scope=scope, untouchable=untouchable)
        lanes.append(
            Job(
                connector=key,
                source=source,
                resource_type=mapping.resource_type,
                mapping=mapping,
                address=settings.url,
                requires=_required_attributes(mapping),
                concurrency=settings.connections,
                settle=settings.settle,
                adopt=Adopt(spec.adopt),
                deprovisioning=_deprovisioning(spec.deprovisioning),
                assignment=assignment_of(spec.scope),
                log_values=LogValues(spec.provisioning_log.attribute_values),
            )
        )
    return ConnectorJob(
        lanes=tuple(sorted(lanes, key=lambda lane: lane.resource_type is not ResourceType.USER)),
        open_target=partial(SCIM.open, settings, ends.secrets, ends.runtime, ends.policy),
        budgets=_budgets(spec.safety),
        hold_for=spec.safety.hold_for,
        enforcement=Enforcement(spec.policy),
        digest=_digest(spec),
        compare_every=spec.schedule.full_interval or None,
        on_state_loss=OnStateLoss(spec.safety.on_state_loss),
        log_retention=spec.provisioning_log.retention,
        approval=Approval(spec.safety.approval),
    )


def _compiled(
    spec: ProvisioningConnectorSpec, mappings: Mapping[str, AttributeMappingSpec], default_domain: str, ends: Ends
) -> Iterator[CompiledMapping]:
    """The mappings that are on, in the order of the spec."""
    for ref in spec.mappings:
        if mappings[ref.name].enabled:
            surroundings = surroundings_of(ends.runtime, default_domain)
            compiled = compile_mapping(ref.name, mappings[ref.name], surroundings)
            yield settle_domain(compiled, spec.source_ref.name, default_domain)


def _digest(spec: ProvisioningConnectorSpec) -> str:
    """Of all but when cycles run. What is not written doesn't count: a later version may know more fields."""
    written = spec.model_dump_json(exclude_defaults=True, exclude={"suspend", "schedule"})
    return blake2b(written.encode(), digest_size=16).hexdigest()


def _deprovisioning(spec: DeprovisioningSpec) -> Deprovisioning:
    return Deprovisioning(
        on_unassigned=Policy(spec.on_unassigned),
        on_out_of_scope=Policy(spec.on_out_of_scope),
        on_source_disabled=Policy(spec.on_source_disabled),
        on_source_deleted=Policy(spec.on_source_deleted),
        delete_after=spec.delete_after,
    )


def find_misnamed(
    key: ConnectorKey, spec: ProvisioningConnectorSpec, types: Mapping[str, ResourceType]
) -> Iterator[SpecError]:
    """What is wrong with the mappings that the connector names: exactly one is for users, at most one for groups.

    `types` is what each is for, by its name.
    """
    subject, first = subject_of(key), dict[ResourceType, str]()
    for index, ref in enumerate(spec.mappings):
        resource_type = types[ref.name]
        former = first.setdefault(resource_type, ref.name)
        if former != ref.name:
            problem = (
                f"AttributeMapping/{ref.name} is for {_WORDS[resource_type]}, and so is AttributeMapping/{former}: name"
                " one for users (resourceType: User), and at most one for groups (resourceType: Group)"
            )
            yield SpecError(problem, subject=subject, path=f"spec.mappings[{index}]")
    if ResourceType.USER not in first:
        problem = f"AttributeMapping/{spec.mappings[0].name} is for groups: name one for users as well"
        yield SpecError(problem, subject=subject, path="spec.mappings[0]")


def without_groups(key: ConnectorKey, spec: ProvisioningConnectorSpec, mapping: str) -> SpecError:
    """The connector's mapping of this name is for groups, and its source is not asked for any."""
    index = [ref.name for ref in spec.mappings].index(mapping)
    problem = (
        f"AttributeMapping/{mapping} is for groups, and IdentitySource/{spec.source_ref.name} reads none: set"
        " spec.ldap.groups or spec.csv.groups there, or turn the mapping off (enabled: false)"
    )
    subject = subject_of(key)
    return SpecError(problem, subject=subject, path=f"spec.mappings[{index}]")


def _budgets(safety: Safety) -> Budgets:
    return Budgets(
        accounts=_budget(safety.accounts), groups=_budget(safety.groups), memberships=_budget(safety.memberships)
    )


def _budget(spec: BudgetSpec) -> Budget:
    return Budget(spec.max_count, spec.max_percent, spec.min_count)


def _scim_settings(target: ScimTarget, execution: Execution) -> ScimSettings:
    token = target.auth.bearer.secret_ref
    ca = ca_reference(None if target.tls is None else target.tls.ca_ref)
    return ScimSettings(
        url=target.url.rstrip("/"),
        token=SecretRef("Secret", token.name, token.key),
        ca=ca,
        connections=execution.concurrency,
        requests_per_second=float(execution.requests_per_second or 0),
        settle=None if target.quirks.lookup == "None" else target.quirks.settle,
    )


def _required_attributes(mapping: CompiledMapping) -> dict[str, str]:
    """Each source attribute that the mapping reads, with the first place that does."""
    places: dict[str, str] = {}
    for rule in mapping.rules:
        field = "source" if isinstance(rule.flow, Direct | Refers) else "expression"
        for name in sorted(rule.reads - {SOFT_DELETED}):
            places.setdefault(name, f"{rule.place}.{field}")
    for clause in mapping.scope.clauses:
        if clause.attribute != SOFT_DELETED:
            places.setdefault(clause.attribute, f"{clause.place}.attribute")
    return places
