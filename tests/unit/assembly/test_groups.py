"""Mappings of groups, attributes that refer to other accounts, and a connector that has a mapping of each type."""

from __future__ import annotations

from typing import Any, Final

import pytest

from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.connectors import assemble_connector
from usher.assembly.ends import Ends, SpecErrors
from usher.assembly.mappings import compile_mapping
from usher.core.model.resources import ConnectorKey, ResourceType
from usher.core.scim.discovery import Discovery
from usher.core.scim.schemas import AttributeDefinition, AttributeType
from usher.core.sync.flows import Refers
from usher.core.sync.policies import Budget
from usher.core.sync.retyping import retype
from usher.core.sync.rules import AttributeRule, CompiledMapping, OnNull
from usher.engine.job import ConnectorJob
from usher.testing.clock import fake_runtime, fake_surroundings
from usher.testing.memory_secrets import MemorySecrets
from usher.transport.addresses import cli_policy

MANAGER: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
USERS: Final[dict[str, Any]] = {"attributes": ({"target": "userName", "source": "userPrincipalName", "match": 1},)}
NAME: Final = {"target": "displayName", "source": "displayName", "match": 1}
MEMBERS: Final = {"target": "members", "source": "members"}
GROUPS: Final[dict[str, Any]] = {"resourceType": "Group", "attributes": (NAME, MEMBERS)}


def compiled(spec: dict[str, Any]) -> CompiledMapping:
    return compile_mapping("one", AttributeMappingSpec.model_validate(spec), fake_surroundings())


def line_of(resource_type: str, line: dict[str, Any]) -> AttributeRule:
    first = NAME if resource_type == "Group" else USERS["attributes"][0]
    return compiled({"resourceType": resource_type, "attributes": (first, line)}).rules[1]


def problem_of(resource_type: str, line: dict[str, Any]) -> str:
    with pytest.raises(SpecErrors) as caught:
        line_of(resource_type, line)
    (error,) = caught.value.errors
    return str(error)


# --- one mapping ----------------------------------------------------------------------------------------------------


def test_a_mapping_for_groups_can_disable_nobody() -> None:
    mapping = compiled(GROUPS)

    assert (mapping.resource_type, mapping.disable_path) == (ResourceType.GROUP, None)
    assert [rule.target for rule in mapping.matching[0].parts] == ["displayName"]


@pytest.mark.parametrize("target", ["active", "Active", "urn:ietf:params:scim:schemas:core:2.0:Group:active"])
def test_a_group_is_not_disabled_by_its_mapping(target: str) -> None:
    problem = problem_of("Group", {"target": target, "constant": "False"})
    assert problem == (
        "AttributeMapping/one spec.attributes[1].target: no group has active, and none can be disabled: leave out the "
        "line"
    )


@pytest.mark.parametrize("target", ["userName", "name.givenName", 'emails[type eq "work"].value', MANAGER, "password"])
def test_what_only_users_have_is_refused_of_groups(target: str) -> None:
    assert f"{target} is an attribute of users" in problem_of("Group", {"target": target, "source": "a"})


def test_what_an_app_adds_to_its_groups_is_taken() -> None:
    assert line_of("Group", {"target": "urn:app:schemas:2.0:Group:description", "source": "description"}).place


def test_turning_a_mapping_off_and_on_again_is_no_other_mapping() -> None:
    assert compiled(GROUPS).digest == compiled({**GROUPS, "enabled": False}).digest
    assert compiled(GROUPS).digest != compiled({**GROUPS, "attributes": (NAME,)}).digest


# --- references -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource_type", "target", "on_null"),
    [("Group", "members", OnNull.CLEAR), ("Group", "Members", OnNull.CLEAR), ("User", MANAGER, OnNull.KEEP)],
)
def test_what_holds_other_accounts_is_a_reference_to_those_that_the_source_names(
    resource_type: str, target: str, on_null: OnNull
) -> None:
    rule = line_of(resource_type, {"target": target, "source": "theirs"})

    assert rule.flow == Refers("theirs")
    assert rule.reads == frozenset({"theirs"})
    assert rule.on_null is on_null


@pytest.mark.parametrize("on_null", ["Keep", "Clear"])
def test_a_reference_is_cleared_or_kept_as_the_mapping_says(on_null: str) -> None:
    assert line_of("Group", {**MEMBERS, "onNull": on_null}).on_null is OnNull(on_null)
    assert line_of("User", {"target": MANAGER, "source": "manager", "onNull": on_null}).on_null is OnNull(on_null)


def test_members_that_are_only_added_are_never_cleared() -> None:
    assert line_of("Group", {**MEMBERS, "apply": "AddValuesOnly"}).on_null is OnNull.KEEP


MISUSES: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("expression", {"expression": "ToLower([manager])"}, "holds other accounts: name the source attribute"),
    ("expression", {"expression": "SelectUniqueValue([a], [b])"}, "holds other accounts: name the source attribute"),
    ("constant", {"constant": "1"}, "holds other accounts: name the source attribute"),
    ("none", {"none": {}}, "is left alone by leaving out the line"),
    ("default", {"source": "a", "default": "1"}, "for which no text can stand"),
    ("match", {"source": "a", "match": 2}, "nothing is found by it"),
    ("apply", {"source": "a", "apply": "OnCreate"}, "is given after the creation"),
)


@pytest.mark.parametrize(("resource_type", "target"), [("User", MANAGER), ("Group", "members")])
@pytest.mark.parametrize(("field", "line", "words"), MISUSES)
def test_of_a_reference_nothing_can_be_said_but_where_it_comes_from(
    resource_type: str, target: str, field: str, line: dict[str, Any], words: str
) -> None:
    problem = problem_of(resource_type, {"target": target, **line})

    assert problem.startswith(f"AttributeMapping/one spec.attributes[1].{field}: {target} ")
    assert words in problem


@pytest.mark.parametrize("target", ["members.value", 'members[type eq "User"].value'])
def test_a_part_of_what_holds_many_accounts_is_not_mapped(target: str) -> None:
    problem = problem_of("Group", {"target": target, "source": "a"})

    assert "spec.attributes[1].target: members holds other accounts: map it as a whole" in problem


def test_a_manager_who_is_named_by_something_else_than_an_id_is_an_ordinary_value() -> None:
    assert not isinstance(line_of("User", {"target": f"{MANAGER}.value", "expression": "ToLower([boss])"}).flow, Refers)


APPS_OWN: Final = {
    "backup": AttributeDefinition(AttributeType.COMPLEX),
    "backup.value": AttributeDefinition(),
    "backup.$ref": AttributeDefinition(AttributeType.REFERENCE),
}


def test_a_reference_of_the_app_s_own_is_known_once_the_app_is() -> None:
    schema = Discovery(attributes=APPS_OWN).schema(ResourceType.USER)
    line = {"target": "backup", "source": "deputy"}

    known = retype(compiled({"attributes": (*USERS["attributes"], line)}), schema)
    misused = retype(compiled({"attributes": (*USERS["attributes"], {**line, "default": "x"})}), schema)

    assert (known.mapping.rules[1].flow, known.flaws) == (Refers("deputy"), ())
    assert [str(flaw).partition(" holds")[0] for flaw in misused.flaws] == [
        "AttributeMapping/one spec.attributes[1].default: backup"
    ]


# --- a connector ----------------------------------------------------------------------------------------------------


def assembled(mappings: dict[str, dict[str, Any]], **more: Any) -> ConnectorJob:
    token = {"name": "token", "key": "token"}
    spec = {
        "sourceRef": {"name": "corp"},
        "target": {"scim": {"url": "https://app.example.com", "auth": {"bearer": {"secretRef": token}}}},
        "scope": {"include": "All"},
        "mappings": tuple({"name": name} for name in mappings),
        **more,
    }
    return assemble_connector(
        ConnectorKey("identity/app"),
        ProvisioningConnectorSpec.model_validate(spec),
        {name: AttributeMappingSpec.model_validate(one) for name, one in mappings.items()},
        "",
        Ends(MemorySecrets({}), fake_runtime(), cli_policy()),
    )


@pytest.mark.parametrize("order", [("users", "groups"), ("groups", "users")])
def test_users_go_before_groups_in_whichever_order_the_mappings_stand(order: tuple[str, str]) -> None:
    specs: dict[str, dict[str, Any]] = {"users": USERS, "groups": GROUPS}

    job = assembled({name: specs[name] for name in order})

    assert [lane.resource_type for lane in job.lanes] == [ResourceType.USER, ResourceType.GROUP]
    assert job.lanes[1].requires == {
        "displayName": "AttributeMapping/groups spec.attributes[0].source",
        "members": "AttributeMapping/groups spec.attributes[1].source",
    }


def test_a_mapping_for_groups_that_is_off_is_no_lane() -> None:
    job = assembled({"users": USERS, "groups": {**GROUPS, "enabled": False}})

    assert [lane.resource_type for lane in job.lanes] == [ResourceType.USER]


@pytest.mark.parametrize(
    ("mappings", "path", "words"),
    [
        ({"users": USERS, "others": USERS}, "spec.mappings[1]", "is for users, and so is AttributeMapping/users"),
        ({"groups": GROUPS}, "spec.mappings[0]", "is for groups: name one for users as well"),
        ({"groups": {**GROUPS, "enabled": False}}, "spec.mappings[0]", "is for groups: name one for users as well"),
    ],
)
def test_a_connector_has_one_mapping_for_users_and_at_most_one_for_groups(
    mappings: dict[str, dict[str, Any]], path: str, words: str
) -> None:
    with pytest.raises(SpecErrors) as caught:
        assembled(mappings)

    (error,) = caught.value.errors
    assert (error.subject, error.path, error.reason) == ("ProvisioningConnector/app", path, "InvalidSpec")
    assert words in str(error)


def test_two_mappings_for_groups_lack_one_for_users() -> None:
    with pytest.raises(SpecErrors) as caught:
        assembled({"groups": GROUPS, "teams": GROUPS})

    assert [error.path for error in caught.value.errors] == ["spec.mappings[1]", "spec.mappings[0]"]


def test_each_thing_that_is_counted_has_its_own_budget() -> None:
    safety = {"accounts": {"maxCount": 1}, "groups": {"maxPercent": 2}, "memberships": {"minCount": 3}}

    budgets = assembled({"users": USERS}, safety=safety).budgets

    assert (budgets.accounts, budgets.groups, budgets.memberships) == (
        Budget(max_count=1),
        Budget(max_percent=2),
        Budget(min_count=3),
    )
