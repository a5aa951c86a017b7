"""From the scope of a connector to what it assigns."""

from __future__ import annotations

from collections.abc import Sequence

from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.provisioning_runs import RunSubject
from usher.api.v1alpha1.scopes import AssignedGroup, AssignedUser, Scope
from usher.assembly.ends import SpecErrors
from usher.assembly.filters import Place, compile_filters
from usher.core.errors import SpecError
from usher.core.model.resources import AttributePath, ConnectorKey, ResourceType
from usher.core.scim.paths import PathError, parse_path
from usher.core.sync.assignments import Assignment, Entry, Nested
from usher.core.sync.scoping import Filter
from usher.core.sync.untouchable import Spared, Untouchable


def assignment_of(spec: Scope) -> Assignment | None:
    """What the scope assigns, users first; None where everybody is in."""
    if spec.include == "All":
        return None
    users = _entries(ResourceType.USER, "users", spec.users)
    return Assignment((*users, *_entries(ResourceType.GROUP, "groups", spec.groups)), Nested(spec.nested_groups))


def subject_of(key: ConnectorKey) -> str:
    """The connector, as errors name it."""
    return f"ProvisioningConnector/{key.partition('/')[2]}"


def filters_of(key: ConnectorKey, spec: Scope) -> tuple[Filter, ...]:
    """The connector's own filters of people. Raises SpecErrors."""
    errors: list[SpecError] = []
    place = Place(subject_of(key), "spec.scope.scopeFilters", "InvalidSpec")
    filters = compile_filters(spec.scope_filters, place, errors)
    if errors:
        raise SpecErrors(errors)
    return filters


def untouchable_of(key: ConnectorKey, spec: Scope) -> Untouchable:
    """The accounts that are never written. Raises SpecErrors for attributes that are no paths."""
    spared: list[Spared] = []
    errors: list[SpecError] = []
    subject = subject_of(key)
    for index, each in enumerate(spec.never_touch):
        path, place = AttributePath(each.attribute), f"spec.scope.neverTouch[{index}]"
        try:
            parse_path(path)
        except PathError as error:
            errors.append(SpecError(error.problem, subject=subject, path=f"{place}.attribute"))
        spared.append(Spared(path, each.value, place=f"{subject} {place}"))
    if errors:
        raise SpecErrors(errors)
    return Untouchable(tuple(spared))


def _entries(
    resource_type: ResourceType, field: str, listed: Sequence[AssignedUser | AssignedGroup]
) -> tuple[Entry, ...]:
    return tuple(
        Entry(resource_type, each.attribute, each.value, each.app_role or "", f"spec.scope.{field}[{index}]")
        for index, each in enumerate(listed)
    )


def entries_of(subjects: Sequence[RunSubject]) -> tuple[Entry, ...]:
    """Those whom a run is about."""
    return tuple(
        Entry(ResourceType(each.resource_type), each.attribute, each.value, place=f"spec.subjects[{index}]")
        for index, each in enumerate(subjects)
    )


def groups_unread(key: ConnectorKey, spec: ProvisioningConnectorSpec) -> SpecError:
    """The connector's scope names groups, and its source is not asked for any."""
    problem = (
        f"IdentitySource/{spec.source_ref.name} reads no groups: set spec.ldap.groups or spec.csv.groups there, or list"
        " users"
    )
    return SpecError(problem, subject=subject_of(key), path="spec.scope.groups")
