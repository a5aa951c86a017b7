"""From the scope of a connector to what the engine gets of it."""

from __future__ import annotations

from typing import Any

import pytest

from usher.api.v1alpha1.scopes import Scope
from usher.assembly.ends import SpecErrors
from usher.assembly.scopes import assignment_of, filters_of, untouchable_of
from usher.core.model.resources import ConnectorKey
from usher.core.sync.assignments import Nested

KEY = ConnectorKey("identity/app")


def scope(**spec: Any) -> Scope:
    return Scope.model_validate(spec)


def test_all_is_no_assignment() -> None:
    assert assignment_of(scope(include="All")) is None


def test_users_come_before_groups_and_each_knows_its_place() -> None:
    listed = ({"attribute": "displayName", "value": "x", "appRole": "R"},)
    assignment = assignment_of(scope(groups=listed, users=listed, nestedGroups="Flatten"))
    assert assignment is not None
    assert [(one.resource_type.value, one.place, one.role) for one in assignment.entries] == [
        ("User", "spec.scope.users[0]", "R"),
        ("Group", "spec.scope.groups[0]", "R"),
    ]
    assert assignment.nested is Nested.FLATTEN


def test_what_is_never_touched_is_known_by_paths() -> None:
    spared = untouchable_of(KEY, scope(include="All", neverTouch=({"attribute": "emails.value", "value": "root@*"},)))
    assert spared.paths == {"emails.value"}


def test_an_attribute_that_is_no_path_is_told_with_its_place() -> None:
    listed = ({"attribute": "userName", "value": "a"}, {"attribute": "emails[type", "value": "a"})
    with pytest.raises(SpecErrors) as caught:
        untouchable_of(KEY, scope(include="All", neverTouch=listed))
    [error] = caught.value.errors
    assert error.path == "spec.scope.neverTouch[1].attribute"


def test_a_filter_of_the_connector_knows_its_place() -> None:
    clauses = (
        {"attribute": "city", "operator": "Equals", "value": "Berlin"},
        {"attribute": "kind", "operator": "IsNotNull"},
    )
    [found] = filters_of(KEY, scope(include="All", scopeFilters=({"clauses": clauses},)))
    assert [clause.place for clause in found.clauses] == [
        "ProvisioningConnector/app spec.scope.scopeFilters[0].clauses[0]",
        "ProvisioningConnector/app spec.scope.scopeFilters[0].clauses[1]",
    ]


def test_what_is_wrong_with_a_filter_of_the_connector_is_told_with_its_place() -> None:
    wrong = (
        {"clauses": ({"attribute": "age", "operator": "GreaterThan", "value": "ten"},)},
        {"clauses": ({"attribute": "city", "operator": "RegexMatch", "value": "("},)},
    )
    with pytest.raises(SpecErrors) as caught:
        filters_of(KEY, scope(include="All", scopeFilters=wrong))
    assert [(one.subject, one.path, one.reason) for one in caught.value.errors] == [
        ("ProvisioningConnector/app", f"spec.scope.scopeFilters[{index}].clauses[0].value", "InvalidSpec")
        for index in (0, 1)
    ]
