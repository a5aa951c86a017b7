"""What a target says of itself, in every shape that is met, and how far it is believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from usher.core.model.resources import AttributePath, Json, ResourceType
from usher.core.scim.definitions import MAX_ATTRIBUTES
from usher.core.scim.discovery import BulkLimits, Discovery, Documents, Feature, Types, read_discovery
from usher.core.scim.paths import ENTERPRISE_URN, GROUP_URN, USER_URN
from usher.core.scim.schemas import GROUP_SCHEMA, USER_SCHEMA, AttributeDefinition, AttributeType, Mutability
from usher.testing.hostile_documents import contradictory_schemas, huge_schemas, schemas_document, told, types_document
from usher.testing.scim_schemas import describe_app, listing

HR = "urn:example:hr:User"
TRUTH = describe_app("https://app.example.com/scim", 50, {"supported": True})


def definition(discovery: Discovery, path: str) -> AttributeDefinition | None:
    return discovery.schema(ResourceType.USER).definition(AttributePath(path))


def described(*attributes: dict[str, Json]) -> Discovery:
    return read_discovery(told(*attributes))


def hr(**more: Json) -> AttributeDefinition | None:
    return definition(read_discovery(told(hr=[{"name": "badge", **more}])), f"{HR}:badge")


# --- shapes ---------------------------------------------------------------------------------------------------------


def test_a_correct_target_is_read_whole() -> None:
    discovery = read_discovery(TRUTH)
    assert discovery.features == {Feature.PATCH, Feature.FILTER, Feature.ETAG}
    assert discovery.max_results == 50
    assert discovery.bulk is None
    assert discovery.schemas == (USER_URN, ENTERPRISE_URN)
    assert discovery.types is Types.DISCOVERED
    assert discovery.schema(ResourceType.USER) == USER_SCHEMA


def test_a_target_that_says_nothing_is_one_of_rfc_7643() -> None:
    assert read_discovery(Documents()) == Discovery()
    assert Discovery().types is Types.RFC_7643
    assert Discovery().schema(ResourceType.USER) == USER_SCHEMA


def resources(document: Json) -> list[Json]:
    assert isinstance(document, dict)
    listed = document["Resources"]
    assert isinstance(listed, list)
    return listed


@pytest.mark.parametrize("name", ["config", "resource_types", "schemas"])
def test_a_document_that_is_missing_takes_nothing_from_the_others(name: str) -> None:
    without, whole = read_discovery(replace(TRUTH, **{name: None})), read_discovery(TRUTH)
    if name == "config":
        assert without == replace(whole, features=frozenset(), max_results=None)
    else:
        assert (without.features, without.max_results) == (whole.features, whole.max_results)
        assert without.schemas == whole.schemas
    assert without.schema(ResourceType.USER) == USER_SCHEMA


def test_lists_come_as_a_list_response_as_an_array_and_as_one_object() -> None:
    whole = told({"name": "userName", "caseExact": True}, hr=[{"name": "badge", "type": "integer"}])
    plain = Documents([whole.config], resources(whole.resource_types), resources(whole.schemas))
    assert read_discovery(plain) == read_discovery(whole)
    user = resources(whole.schemas)[0]
    assert read_discovery(Documents(schemas=user)).attributes == {
        "username": AttributeDefinition(case_exact=True),
    }


def test_names_of_fields_are_read_whatever_their_case() -> None:
    loud: Json = {"TOTALRESULTS": 1, "RESOURCES": [{"ID": USER_URN, "Attributes": [{"NAME": "x", "CASEEXACT": True}]}]}
    assert read_discovery(Documents(schemas=loud)).attributes == {"x": AttributeDefinition(case_exact=True)}


@pytest.mark.parametrize("supported", [True, "true", "True"])
def test_a_feature_may_be_said_as_an_object_or_as_a_word(supported: Json) -> None:
    configs: list[Json] = [{"bulk": {"supported": supported}}, {"Bulk": supported}]
    for config in configs:
        assert read_discovery(Documents(config=config)).features == {Feature.BULK}


@pytest.mark.parametrize("config", [None, 7, "patch", [], [[]], {"patch": {}}, {"patch": {"supported": "maybe"}}])
def test_a_feature_that_is_not_said_is_not_there(config: Json) -> None:
    assert read_discovery(Documents(config=config)).features == set()


@pytest.mark.parametrize(
    ("said", "limit"),
    [(200, 200), ("200", 200), (0, None), (-1, None), (True, None), (1.5, None), ("many", None), (None, None)],
)
def test_a_limit_is_a_number_above_zero(said: Json, limit: int | None) -> None:
    bulk: dict[str, Json] = {"supported": True, "maxOperations": said, "maxPayloadSize": said}
    discovery = read_discovery(Documents(config={"filter": {"maxResults": said}, "bulk": bulk}))
    assert discovery.max_results == limit
    assert discovery.bulk == BulkLimits(limit, limit)


def test_a_limit_that_no_status_could_hold_is_cut() -> None:
    assert read_discovery(Documents(config={"filter": {"maxResults": 10**18}})).max_results == 2**31 - 1


def test_limits_of_bulk_mean_nothing_without_it() -> None:
    assert read_discovery(Documents(config={"bulk": {"supported": False, "maxOperations": 9}})).bulk is None


# --- which schemas --------------------------------------------------------------------------------------------------


def test_the_extensions_of_a_user_are_those_of_its_resource_type() -> None:
    schemas = schemas_document(hr=[{"name": "badge"}], other=[{"name": "badge"}])
    discovery = read_discovery(Documents(resource_types=types_document("hr"), schemas=schemas))
    assert discovery.schemas == (USER_URN, ENTERPRISE_URN, HR)
    assert list(discovery.attributes) == ["urn:example:hr:user:badge"]


def test_without_resource_types_whatever_may_extend_a_user_does() -> None:
    foreign: list[dict[str, Json]] = [
        {"id": urn, "attributes": [{"name": "x"}]}
        for urn in (USER_URN, HR, "urn:ietf:params:scim:schemas:core:2.0:Group", "urn:example:hr:2.0:Group", "Group")
    ]
    discovery = read_discovery(Documents(schemas=listing(foreign)))
    assert discovery.schemas == (USER_URN, HR)


@pytest.mark.parametrize(
    "user",
    [
        {"endpoint": "/Users"},
        {"endpoint": "https://app.example.com/scim/v2/Users/"},
        {"name": "User"},
        {"id": "User"},
        {"schema": USER_URN.lower()},
    ],
)
@pytest.mark.parametrize("extensions", [[{"schema": HR}], [HR], {"schema": HR}])
def test_the_resource_type_of_users_is_known_by_any_of_its_marks(user: dict[str, Json], extensions: Json) -> None:
    group: Json = {"name": "Group", "endpoint": "/Groups", "schemaExtensions": ["urn:example:other:Group"]}
    types: Json = [group, {**user, "schemaExtensions": extensions}]
    assert read_discovery(Documents(resource_types=types)).schemas == (USER_URN, HR)


def test_a_resource_type_may_name_a_core_schema_of_its_own() -> None:
    own = "urn:example:core:User"
    types: Json = {"endpoint": "/Users", "schema": own}
    schemas: Json = {"id": own, "attributes": [{"name": "userName", "caseExact": True}]}
    discovery = read_discovery(Documents(resource_types=types, schemas=schemas))
    assert discovery.schemas == (own,)
    assert discovery.attributes == {"username": AttributeDefinition(case_exact=True)}


GROUP_TYPE: Json = {"name": "Group", "endpoint": "/Groups", "schema": GROUP_URN}


@pytest.mark.parametrize(
    ("types", "offered"),
    [
        (None, True),
        ([], True),
        ([{"name": "Printer", "endpoint": "/Printers"}], True),
        ([{"name": "User", "endpoint": "/Users"}, GROUP_TYPE], True),
        ([GROUP_TYPE], True),
        ([{"name": "User", "endpoint": "/Users"}], False),
        ({"name": "User", "endpoint": "/Users"}, False),
    ],
)
def test_an_app_has_groups_unless_it_lists_its_types_without_them(types: Json, offered: bool) -> None:
    discovery = read_discovery(Documents(resource_types=types))
    assert discovery.offers(ResourceType.GROUP) is offered
    assert discovery.offers(ResourceType.USER)


def test_a_group_is_what_its_own_resource_type_and_schemas_say() -> None:
    own: Json = {"id": "urn:example:hr:Group", "attributes": [{"name": "owner", "caseExact": True}]}
    core: Json = {"id": GROUP_URN, "attributes": [{"name": "displayName", "caseExact": True}]}
    user: Json = {"id": USER_URN, "attributes": [{"name": "displayName", "type": "integer"}]}
    types: Json = [
        {"name": "User"},
        {"name": "Group", "schema": GROUP_URN, "schemaExtensions": ["urn:example:hr:Group"]},
    ]
    schema = read_discovery(Documents(resource_types=types, schemas=[user, own, core])).schema(ResourceType.GROUP)

    def of(path: str) -> AttributeDefinition | None:
        return schema.definition(AttributePath(path))

    assert of("displayName") == AttributeDefinition(case_exact=True)
    assert of("urn:example:hr:Group:owner") == AttributeDefinition(case_exact=True)
    assert of("userName") is None
    for path in ("members", "members.value", "members.$ref", "externalId"):
        assert of(path) == GROUP_SCHEMA.definition(AttributePath(path))


# --- what is told wins ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told_as", "expected"),
    [
        ({}, AttributeDefinition()),
        ({"type": None, "caseExact": None}, AttributeDefinition()),
        ({"type": "Integer"}, AttributeDefinition(AttributeType.INTEGER)),
        ({"type": "dateTime"}, AttributeDefinition(AttributeType.DATE_TIME)),
        ({"type": "reference"}, AttributeDefinition(AttributeType.REFERENCE, case_exact=True)),
        ({"type": "binary"}, AttributeDefinition(AttributeType.BINARY, case_exact=True)),
        ({"type": "binary", "caseExact": False}, AttributeDefinition(AttributeType.BINARY)),
        ({"caseExact": "TRUE"}, AttributeDefinition(case_exact=True)),
        ({"multiValued": True}, AttributeDefinition(multi_valued=True)),
        ({"mutability": "readOnly"}, AttributeDefinition(mutability=Mutability.READ_ONLY)),
        ({"required": True, "uniqueness": "global"}, AttributeDefinition(required=True, unique=True)),
    ],
)
def test_an_attribute_of_an_extension_is_what_the_target_says(
    told_as: dict[str, Json], expected: AttributeDefinition
) -> None:
    assert hr(**told_as) == expected


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "sentence"},
        {"type": 7},
        {"type": []},
        {"caseExact": "perhaps"},
        {"caseExact": 1},
        {"multiValued": {}},
        {"mutability": "sometimes"},
        {"required": "yes"},
        {"uniqueness": "galaxy"},
        {"name": "no name"},
        {"name": ""},
        {"name": 7},
        {"name": None},
        {"name": "n" * 200},
    ],
)
def test_an_attribute_that_can_not_be_read_is_left_out(bad: dict[str, Json]) -> None:
    discovery = read_discovery(told(hr=[{"name": "badge", **bad}, {"name": "floor"}]))
    assert list(discovery.attributes) == ["urn:example:hr:user:floor"]


def test_of_two_attributes_or_schemas_with_one_name_the_first_counts() -> None:
    twice = read_discovery(told(hr=[{"name": "badge", "type": "integer"}, {"name": "BADGE", "type": "boolean"}]))
    assert definition(twice, f"{HR}:badge") == AttributeDefinition(AttributeType.INTEGER)
    first, second = schemas_document(hr=[{"name": "a"}]), schemas_document(hr=[{"name": "b"}])
    schemas: Json = [*resources(first), *resources(second)]
    both = read_discovery(Documents(schemas=schemas))
    assert list(both.attributes) == ["urn:example:hr:user:a"]


def test_what_is_told_of_the_core_wins_and_the_rest_stays() -> None:
    subs: list[Json] = [{"name": "value", "type": "binary"}]
    emails: dict[str, Json] = {"name": "emails", "type": "complex", "multiValued": True, "subAttributes": subs}
    discovery = described({"name": "userName", "caseExact": True}, emails)
    assert definition(discovery, "userName") == AttributeDefinition(case_exact=True)
    value = definition(discovery, 'emails[type eq "work"].value')
    assert value == AttributeDefinition(AttributeType.BINARY, case_exact=True)
    for path in ("displayName", "externalId", "id", "emails.type", f"{ENTERPRISE_URN}:department"):
        assert definition(discovery, path) == USER_SCHEMA.definition(AttributePath(path))


def test_sub_attributes_of_an_extension_are_found() -> None:
    subs: list[Json] = [{"name": "city"}, {"name": "deeper", "type": "complex", "subAttributes": [{"name": "x"}]}]
    desk: dict[str, Json] = {"name": "desk", "type": "complex", "multiValued": True, "subAttributes": subs}
    discovery = read_discovery(told(hr=[desk]))
    assert definition(discovery, f"{HR}:desk.city") == AttributeDefinition(multi_valued=True)
    assert definition(discovery, f'{HR}:desk[city eq "x"].city') == AttributeDefinition()
    assert definition(discovery, f"{HR}:desk.deeper") is None


# --- what is not believed -------------------------------------------------------------------------------------------


def test_a_target_that_denies_rfc_7643_where_it_hurts_is_not_believed() -> None:
    discovery = read_discovery(Documents(schemas=contradictory_schemas()))
    for path in ("userName", "active", "name.givenName", 'emails[type eq "work"].value', "displayName", "title"):
        assert definition(discovery, path) == USER_SCHEMA.definition(AttributePath(path))
    assert definition(discovery, "userName.value") is None
    password = definition(discovery, "password")
    assert password is not None
    assert password.mutability is Mutability.WRITE_ONLY


@pytest.mark.parametrize(
    "told_as", [{"type": "string"}, {"caseExact": True}, {"multiValued": True}, {"type": "complex"}]
)
def test_the_disable_attribute_is_a_boolean_whatever_a_target_says(told_as: dict[str, Json]) -> None:
    subs: list[Json] = [{"name": "value"}]
    discovery = described({"name": "active", "subAttributes": subs, **told_as})
    assert definition(discovery, "active") == AttributeDefinition(AttributeType.BOOLEAN)
    assert definition(discovery, "active.value") is None


def test_a_user_name_is_one_value_whatever_a_target_says() -> None:
    found = definition(described({"name": "userName", "multiValued": True, "caseExact": True}), "userName")
    assert found == AttributeDefinition(case_exact=True)


def test_of_a_huge_document_the_first_attributes_are_read() -> None:
    discovery = read_discovery(Documents(schemas=huge_schemas()))
    assert len(discovery.attributes) == MAX_ATTRIBUTES
    assert definition(discovery, "userName") == AttributeDefinition(case_exact=True)


def test_a_schema_that_no_path_could_name_is_left_out() -> None:
    bad: list[Json] = ["urn:x", "urn:example:two words", "urn:example:[x]", "urn:example:" + "x" * 300, None, 7]
    schemas: Json = [{"id": urn, "attributes": [{"name": "x"}]} for urn in bad]
    assert read_discovery(Documents(schemas=schemas)) == Discovery()
