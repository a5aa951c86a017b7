"""From an IdentitySource to the job that reads it."""

from __future__ import annotations

from functools import partial

from usher.api.v1alpha1.identity_sources import IdentitySourceSpec
from usher.api.v1alpha1.references import CaRef, ConfigMapKeyRef
from usher.api.v1alpha1.sources.csv import DEFAULT_ID_COLUMN, CsvDocument, CsvGroups, CsvSource
from usher.api.v1alpha1.sources.ldap import LdapSource
from usher.assembly.ends import Ends, SpecErrors
from usher.contracts.runtime import SecretRef
from usher.contracts.source import SourceOpener
from usher.core.errors import SpecError
from usher.core.model.resources import ResourceType, SourceKey
from usher.engine.job import SourceJob
from usher.sources.csvfile.settings import CsvSettings, GroupColumn, GroupDocument
from usher.sources.ldap.settings import Branch, Changes, LdapSettings
from usher.sources.registry import CSV, LDAP


def assemble_source(key: SourceKey, spec: IdentitySourceSpec, ends: Ends) -> SourceJob:
    """The job that reads this source. Raises SpecErrors."""
    resource_types: tuple[ResourceType, ...] = (ResourceType.USER,)
    if spec.ldap is not None:
        directory = _ldap_settings(spec.ldap)
        if directory.groups is not None:
            resource_types = (ResourceType.USER, ResourceType.GROUP)
        opener: SourceOpener = partial(LDAP.open, directory, ends.secrets.read, ends.lend_directory, ends.policy)
    else:
        if spec.csv is not None and spec.csv.groups is not None:
            resource_types = (ResourceType.USER, ResourceType.GROUP)
        opener = _csv_opener(key, spec.csv, ends)
    return SourceJob(key, resource_types, opener, spec.min_retained, spec.schedule.full_read_interval)


def _csv_opener(key: SourceKey, csv: CsvSource | None, ends: Ends) -> SourceOpener:
    subject = f"IdentitySource/{key.partition('/')[2]}"
    if csv is None:
        raise SpecErrors([SpecError("exactly one of csv and ldap has to be set", subject=subject, path="spec")])
    load = partial(ends.secrets.read, _document_reference(csv.document))
    try:
        settings = CsvSettings(load, csv.id_column, csv.delimiter, _groups_of(csv.groups, ends))
    except SpecError as error:
        raise SpecErrors([SpecError(error.problem, subject=subject, path=error.path)]) from error
    return partial(CSV.open, settings, ends.runtime)


def _groups_of(groups: CsvGroups | None, ends: Ends) -> GroupColumn | GroupDocument | None:
    if groups is None or groups.column is not None:
        return None if groups is None or groups.column is None else GroupColumn(groups.column, groups.delimiter)
    if groups.document is None:
        raise ValueError("groups without a column and a document were built past their validation")
    reference = _document_reference(groups.document)
    load = partial(ends.secrets.read, reference)
    named = reference.name if reference.kind == "File" else f"{reference.kind} {reference.name}, key {reference.key}"
    return GroupDocument(load, f"spec.csv.groups ({named})", groups.id_column or DEFAULT_ID_COLUMN, groups.delimiter)


def _ldap_settings(source: LdapSource) -> LdapSettings:
    groups = source.groups
    return LdapSettings(
        url=source.url,
        start_tls=source.start_tls,
        ca=ca_reference(source.ca_ref),
        bind_dn=source.bind_dn,
        password=SecretRef("Secret", source.secret_ref.name, source.secret_ref.key),
        users=Branch(source.users.base_dn, source.users.filter),
        groups=None if groups is None else Branch(groups.base_dn, groups.filter),
        id_attribute=source.users.id_attribute,
        member_attribute="" if groups is None else groups.member_attribute,
        page_size=source.page_size,
        changes=Changes(source.changes),
    )


def ca_reference(ref: CaRef | None) -> SecretRef | None:
    """Where the certificates of a private authority are, None for those of the system."""
    return None if ref is None else SecretRef(ref.kind, ref.name, ref.key)


def _document_reference(document: CsvDocument) -> SecretRef:
    if isinstance(document, str):
        return SecretRef("File", document, "")
    kind = "ConfigMap" if isinstance(document, ConfigMapKeyRef) else "Secret"
    return SecretRef(kind, document.name, document.key)
