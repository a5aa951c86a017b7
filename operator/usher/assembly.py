"""Composition root: custom resources become jobs that the engine runs.

Whatever is wrong with them is said here, by YAML path.

`api` and `core` know nothing of each other; this module turns one into the other, and names the classes that fill the
engine's ports.
"""

from __future__ import annotations

import time
from asyncio import sleep
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import SystemRandom

from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.identity_sources import IdentitySourceSpec
from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.api.v1alpha1.mappings import AttributeRule as RuleSpec
from usher.api.v1alpha1.references import CaRef, ConfigMapKeyRef
from usher.api.v1alpha1.sources.csv import CsvDocument, CsvSource
from usher.api.v1alpha1.sources.ldap import LdapSource
from usher.api.v1alpha1.targets.scim import ScimTarget
from usher.contracts.runtime import Runtime, SecretRef, Secrets
from usher.contracts.source import SourceOpener
from usher.core.errors import ResourceError, SpecError, UsherError
from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import ExpressionError
from usher.core.model.resources import AttributePath, ConnectorKey, ResourceType, SourceKey
from usher.core.scim.paths import PathError, parse_path
from usher.core.scim.schemas import USER_SCHEMA, AttributeDefinition, convert
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.mapping import (
    SOFT_DELETED,
    AttributeRule,
    CompiledMapping,
    Computed,
    Constant,
    Direct,
    Flow,
    Untouched,
    disables_everybody,
    yields_active_account,
)
from usher.core.sync.policies import Budget
from usher.core.sync.retyping import MAPPING_INVALID, why_not_mapped
from usher.engine.job import Job, SourceJob
from usher.sources.csvfile.settings import CsvSettings
from usher.sources.ldap.settings import Branch, Changes, LdapSettings
from usher.sources.registry import CSV, LDAP
from usher.targets.registry import SCIM
from usher.targets.scim.settings import ScimSettings
from usher.transport.addresses import AddressPolicy
from usher.transport.ldap.pool import DirectoryLender, lend_once

_DISABLE_PATH = AttributePath("active")


class SpecErrors(UsherError):
    """Everything that is wrong with the objects of one job, in the order in which it stands in them."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors = tuple(errors)
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        super().__init__(f"{self.errors[0]}{more}", reason=self.errors[0].reason)


@dataclass(frozen=True, slots=True)
class Ends:
    """What jobs of one namespace may use to reach their ends."""

    secrets: Secrets
    runtime: Runtime
    policy: AddressPolicy
    lend_directory: DirectoryLender = lend_once


def system_runtime() -> Runtime:
    """The real time and chance of this machine."""
    return Runtime(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=sleep, random=SystemRandom())


# --- sources --------------------------------------------------------------------------------------------------------


def assemble_source(key: SourceKey, spec: IdentitySourceSpec, ends: Ends) -> SourceJob:
    """The job that reads this source. Raises SpecErrors."""
    resource_types: tuple[ResourceType, ...] = (ResourceType.USER,)
    if spec.ldap is not None:
        directory = _ldap_settings(spec.ldap)
        if directory.groups is not None:
            resource_types = (ResourceType.USER, ResourceType.GROUP)
        opener: SourceOpener = partial(LDAP.open, directory, ends.secrets.read, ends.lend_directory, ends.policy)
    else:
        opener = _csv_opener(key, spec.csv, ends)
    return SourceJob(key, resource_types, opener, spec.min_retained, spec.schedule.full_read_interval)


def _csv_opener(key: SourceKey, csv: CsvSource | None, ends: Ends) -> SourceOpener:
    subject = f"IdentitySource/{_name_of(key)}"
    if csv is None:
        raise SpecErrors([SpecError("exactly one of csv and ldap has to be set", subject=subject, path="spec")])
    reference = _document_reference(csv.document)
    try:
        settings = CsvSettings(partial(ends.secrets.read, reference), csv.id_column, csv.delimiter)
    except SpecError as error:
        raise SpecErrors([SpecError(error.problem, subject=subject, path=error.path)]) from error
    return partial(CSV.open, settings, ends.runtime)


def _ldap_settings(source: LdapSource) -> LdapSettings:
    groups = source.groups
    return LdapSettings(
        url=source.url,
        start_tls=source.start_tls,
        ca=_ca_reference(source.ca_ref),
        bind_dn=source.bind_dn,
        password=SecretRef("Secret", source.secret_ref.name, source.secret_ref.key),
        users=Branch(source.users.base_dn, source.users.filter),
        groups=None if groups is None else Branch(groups.base_dn, groups.filter),
        id_attribute=source.users.id_attribute,
        member_attribute="" if groups is None else groups.member_attribute,
        page_size=source.page_size,
        changes=Changes(source.changes),
    )


def _ca_reference(ref: CaRef | None) -> SecretRef | None:
    return None if ref is None else SecretRef(ref.kind, ref.name, ref.key)


def _document_reference(document: CsvDocument) -> SecretRef:
    if isinstance(document, str):
        return SecretRef("File", document, "")
    kind = "ConfigMap" if isinstance(document, ConfigMapKeyRef) else "Secret"
    return SecretRef(kind, document.name, document.key)


# --- connectors -----------------------------------------------------------------------------------------------------


def assemble_connector(
    key: ConnectorKey, spec: ProvisioningConnectorSpec, mapping: AttributeMappingSpec, ends: Ends
) -> Job:
    """The job that runs this connector with the mapping that it names. Raises SpecErrors."""
    name = spec.mappings[0].name
    compiled = compile_mapping(name, mapping)
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
        requires=dict(_required_attributes(name, mapping)),
        concurrency=settings.connections,
    )


def _scim_settings(target: ScimTarget) -> ScimSettings:
    token = target.auth.bearer.secret_ref
    ca = _ca_reference(None if target.tls is None else target.tls.ca_ref)
    return ScimSettings(target.url.rstrip("/"), SecretRef("Secret", token.name, token.key), ca)


def _required_attributes(name: str, mapping: AttributeMappingSpec) -> Iterator[tuple[str, str]]:
    """Each source attribute that the mapping reads, with the first place that does."""
    places: dict[str, str] = {}
    for index, rule in enumerate(mapping.attributes):
        field = "source" if rule.source is not None else "expression"
        names = [rule.source] if rule.source is not None else []
        if rule.expression is not None:
            names = sorted(compile_expression(rule.expression).attributes)
        for attribute in names:
            if attribute != SOFT_DELETED:
                places.setdefault(attribute, f"AttributeMapping/{name} spec.attributes[{index}].{field}")
    yield from places.items()


# --- mappings -------------------------------------------------------------------------------------------------------


def compile_mapping(name: str, spec: AttributeMappingSpec) -> CompiledMapping:
    """The mapping, compiled once. Raises SpecErrors with every finding that needs neither source nor target."""
    errors: list[SpecError] = []
    rules: list[AttributeRule] = []
    for index, rule in enumerate(spec.attributes):
        try:
            rules.append(_compile_rule(rule, f"AttributeMapping/{name}", f"spec.attributes[{index}]"))
        except SpecError as error:
            errors.append(error)
    if errors:
        raise SpecErrors(errors)
    digest = fingerprint((spec.model_dump(mode="json", by_alias=True, exclude_none=True),)).hex()
    mapping = CompiledMapping(tuple(rules), _DISABLE_PATH, digest)
    if yields_active_account(mapping):
        raise _wrong_disable(name, spec, "this keeps the account of somebody who left active")
    if disables_everybody(mapping):
        raise _wrong_disable(name, spec, "this disables everybody, whether they left or not")
    return mapping


def _wrong_disable(name: str, spec: AttributeMappingSpec, what: str) -> SpecErrors:
    index = next(i for i, rule in enumerate(spec.attributes) if rule.target == _DISABLE_PATH)
    problem = (
        f"{what}. Use "
        '\'Switch([IsSoftDeleted], , "False", "True", "True", "False")\', or leave the attribute out: '
        "then a leaver's account is disabled all the same"
    )
    path = f"spec.attributes[{index}]"
    return SpecErrors([SpecError(problem, subject=f"AttributeMapping/{name}", path=path, reason=MAPPING_INVALID)])


def _compile_rule(rule: RuleSpec, subject: str, path: str) -> AttributeRule:
    target = AttributePath(rule.target)
    definition = _definition_of(target, subject, path)
    default = rule.default
    return AttributeRule(
        target=target,
        flow=_flow_of(rule, definition, subject, path),
        definition=definition,
        default=None if default is None else _typed(definition, default, subject, f"{path}.default"),
        precedence=rule.match,
        place=f"{subject} {path}",
    )


def _definition_of(target: AttributePath, subject: str, path: str) -> AttributeDefinition | None:
    try:
        parse_path(target)
    except PathError as error:
        raise SpecError(error.problem, subject=subject, path=f"{path}.target", reason=MAPPING_INVALID) from error
    definition = USER_SCHEMA.definition(target)
    if (problem := why_not_mapped(target, definition)) is not None:
        raise SpecError(problem, subject=subject, path=f"{path}.target", reason=MAPPING_INVALID)
    return definition


def _flow_of(rule: RuleSpec, definition: AttributeDefinition | None, subject: str, path: str) -> Flow:
    if rule.source is not None:
        return Direct(rule.source)
    if rule.constant is not None:
        return _typed(definition, rule.constant, subject, f"{path}.constant")
    if rule.expression is None:
        return Untouched()
    try:
        return Computed(compile_expression(rule.expression))
    except ExpressionError as error:
        raise error.located(subject, f"{path}.expression") from error


def _typed(definition: AttributeDefinition | None, text: str, subject: str, path: str) -> Constant:
    try:
        return Constant(text, convert(definition, text))
    except ResourceError as error:
        raise SpecError(error.message, subject=subject, path=path, reason=MAPPING_INVALID) from error


def _name_of(key: SourceKey | ConnectorKey) -> str:
    return key.partition("/")[2]
