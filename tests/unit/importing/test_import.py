"""What of an attribute mapping, an object mapping and a rule is carried over, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from usher.assembly.ends import surroundings_of, system_runtime
from usher.core.errors import SpecError
from usher.importing.document import MAX_DEPTH, MAX_EXPORT
from usher.importing.entra import MAX_MAPPINGS, Imported, import_schema
from usher.importing.naming import MAX_NAME, name_of
from usher.importing.rendering import render

USER_NAME = {"targetAttributeName": "userName", "source": {"name": "userPrincipalName"}, "matchingPriority": 1}


def object_mapping(*attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    named = {"sourceObjectName": "User", "targetObjectName": "User"}
    return {**named, "attributeMappings": [USER_NAME, *attributes], **fields}


def export(*mappings: dict[str, Any], **fields: Any) -> bytes:
    return orjson.dumps(
        {"synchronizationRules": [{"targetDirectoryName": "App", "objectMappings": mappings, **fields}]}
    )


def imported(raw: bytes) -> Imported:
    return import_schema(raw, surroundings_of(system_runtime()))


def taken(*attributes: dict[str, Any], **fields: Any) -> tuple[list[dict[str, Any]], str]:
    """The lines behind that of the user name, and what is told."""
    (mapping,) = imported(export(object_mapping(*attributes, **fields))).mappings
    document: Any = mapping.document
    return document["spec"]["attributes"][1:], "\n".join(f"{note.place}: {note.message}" for note in mapping.notes)


def attribute(target: str, source: object, **fields: Any) -> dict[str, Any]:
    return {"targetAttributeName": target, "source": source, **fields}


def function(name: str, *parameters: tuple[str, object], **fields: Any) -> dict[str, Any]:
    listed = [{"key": key, "value": value} for key, value in parameters]
    return {"type": "Function", "name": name, "parameters": listed, **fields}


def constant(value: str) -> dict[str, Any]:
    return {"type": "Constant", "name": value}


# --- where a value comes from ----------------------------------------------------------------------------------------

MAIL = {"type": "Attribute", "name": "mail"}
SOURCES: dict[str, tuple[object, dict[str, Any]]] = {
    "an attribute by name": (MAIL, {"source": "mail"}),
    "an attribute by expression": ({"expression": "[mail]"}, {"source": "mail"}),
    "an attribute whose name no expression can hold": (
        {"type": "Attribute", "name": "a]b", "expression": "[a]b]"},
        {"source": "a]b"},
    ),
    "a constant by name": (constant("en-US"), {"constant": "en-US"}),
    "a constant in quotes": ({"type": "Constant", "expression": '"a \\" b"'}, {"constant": 'a " b'}),
    "a constant without quotes": (
        {"type": "Constant", "name": "en-US", "expression": "en-US"},
        {"constant": "en-US"},
    ),
    "a constant that is a word": ({"type": "Constant", "name": "Staff", "expression": "Staff"}, {"constant": "Staff"}),
    "a constant that is a number": ({"type": "Constant", "name": "007", "expression": "007"}, {"constant": "007"}),
    "an empty constant": (constant(""), {"constant": ""}),
    "an expression, to the letter": ({"expression": "ToLower( [mail],  )"}, {"expression": "ToLower( [mail],  )"}),
    "an expression with its parameters": (
        function("ToLower", ("source", MAIL), expression="ToLower([mail])"),
        {"expression": "ToLower([mail])"},
    ),
    "a function of parameters": (function("ToLower", ("source", MAIL)), {"expression": "ToLower([mail])"}),
    "a type that is missing": (
        {"name": "ToLower", "parameters": [{"key": "source", "value": MAIL}]},
        {"expression": "ToLower([mail])"},
    ),
    "an argument that was left empty": (
        function("Switch", ("source", MAIL), ("switchValue", constant("a")), ("switchValue", constant("b"))),
        {"expression": 'Switch([mail], , "a", "b")'},
    ),
    "parameters in another order": (
        function("ToLower", ("culture", constant("tr-TR")), ("source", MAIL)),
        {"expression": 'ToLower([mail], "tr-TR")'},
    ),
    "a condition that stands as a text": (
        function(
            "IIF",
            ("condition", {"type": "Function", "expression": '[mail] = "x"'}),
            ("valueIfTrue", MAIL),
            ("valueIfFalse", constant("y")),
        ),
        {"expression": 'IIF([mail] = "x", [mail], "y")'},
    ),
    "no source": (None, {"none": {}}),
    "an empty source": ({}, {"none": {}}),
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_is_carried_over_without_a_word(case: str) -> None:
    source, flow = SOURCES[case]

    lines, told = taken(attribute("nickName", source))

    assert (lines, told) == ([{"target": "nickName", **flow}], "")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"expression": "ToLower([mail]"}, "ends too early (line 1, column 15)"),
        ({"expression": '[mail] = "x"'}, "is a comparison alone"),
        ({"expression": "FindRole([roles])"}, "there is no function FindRole (line 1, column 1)"),
        (function("Find Role", ("source", MAIL)), '"Find Role" is no name of a function'),
        (function("ToLower", *[("source", MAIL)] * 501), '"ToLower" has more than 500 parameters'),
        ({"type": "Script", "name": "x"}, '"Script" is no type of a source'),
        (function("Join", ("separator", constant("-"))), "Join can't have one argument"),
        ({"expression": "Prepend([a], [mail]) , ToLower([x])"}, "can't be read"),
    ],
)
def test_a_source_that_can_not_be_run_is_left_out_and_told(source: dict[str, Any], why: str) -> None:
    lines, told = taken(attribute("nickName", source))

    assert lines == []
    assert why in told
    assert "nickName" in told
    assert "not carried over" in told


@pytest.mark.parametrize(
    ("source", "expression", "what"),
    [
        (function("ToLower", ("source", MAIL), expression="ToLower([upn])"), "ToLower([upn])", '"ToLower([mail])"'),
        (function("ToLower", ("text", MAIL)), "ToLower([mail])", 'the keys ["text"] are not those of ToLower'),
        (function("ToLower", ("source", MAIL), expression="ToLower([mail]"), "ToLower([mail])", "ends too early"),
        (function("Bad Name", ("source", MAIL), expression="ToLower([mail])"), "ToLower([mail])", '"Bad Name" is no'),
        (function("ToUpper", expression="ToLower([mail])"), "ToLower([mail])", "ToUpper()"),
    ],
)
def test_what_a_source_says_twice_in_two_ways_is_told(source: dict[str, Any], expression: str, what: str) -> None:
    lines, told = taken(attribute("nickName", source))

    assert lines == [{"target": "nickName", "expression": expression}]
    assert what in told


def test_arguments_of_replace_stand_where_their_keys_say_carried_over_or_told() -> None:
    source = function("Replace", ("source", MAIL), ("Find", constant("-")), ("Replacement", constant("_")))

    lines, told = taken(attribute("nickName", source))

    assert 'Replace([mail], "-", , , "_")' in f"{lines}{told}".replace('\\"', '"')


# --- flow, defaults, matching ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flow", "apply", "told"),
    [
        ("Always", None, ""),
        ("ObjectAddOnly", "OnCreate", ""),
        ("MultiValueAddOnly", "AddValuesOnly", ""),
        ("ValueAddOnly", "AddValuesOnly", "which is not the same"),
        ("AttributeAddOnly", "OnCreate", "which is not the same"),
        ("Sometimes", "OnCreate", "does not know this flow type"),
    ],
)
def test_a_flow_type_becomes_what_never_writes_more(flow: str, apply: str | None, told: str) -> None:
    lines, notes = taken(attribute("emails.value", MAIL, flowType=flow))

    assert lines[0].get("apply") == apply
    assert (told in notes) if told else notes == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"flowBehavior": "FlowAlways"},
        {"flowBehavior": "FlowNever"},
        {"exportMissingReferences": True},
        {"matchingPriority": -1},
        {"matchingPriority": "first"},
        {"defaultValue": ["a", "b"]},
        {"flowType": 5},
        {"comment": "since the merger"},
    ],
)
def test_a_field_that_says_more_than_can_be_carried_over_is_told(fields: dict[str, Any]) -> None:
    lines, told = taken(attribute("nickName", MAIL, **fields))

    ((name, value),) = fields.items()
    assert lines == [{"target": "nickName", "source": "mail"}]
    assert name in told
    assert (value if isinstance(value, str) else orjson.dumps(value).decode()) in told


@pytest.mark.parametrize(
    "fields",
    [
        {"flowBehavior": "FlowWhenChanged", "exportMissingReferences": False, "matchingPriority": 0},
        {"defaultValue": "", "flowType": None, "@odata.type": "#microsoft.graph.attributeMapping", "parameters": []},
    ],
)
def test_a_field_that_says_what_is_meant_anyway_is_not_told(fields: dict[str, Any]) -> None:
    assert taken(attribute("nickName", MAIL, **fields))[1] == ""


def test_defaults_are_carried_over_where_they_fit_the_type() -> None:
    lines, told = taken(
        attribute("title", MAIL, defaultValue="Employee"),
        attribute("nickName", None, defaultValue=7),
        attribute("active", {"expression": "Not([IsSoftDeleted])"}, defaultValue="perhaps"),
    )

    assert [line.get("default") for line in lines] == ["Employee", "7", None]
    assert 'defaultValue is "perhaps"' in told


def test_priorities_that_tie_or_leave_gaps_become_precedences_in_their_order() -> None:
    lines, told = taken(
        attribute("externalId", MAIL, matchingPriority=9),
        attribute("nickName", MAIL, matchingPriority=1),
        attribute("title", None, matchingPriority=2),
    )

    assert [line.get("match") for line in lines] == [3, 2, None]
    assert "matchingPriority is 9: became match: 3" in told
    assert "matchingPriority is 1: became match: 2" in told
    assert "matchingPriority is 2, but there is no value to match by" in told


@pytest.mark.parametrize(
    "target", ["id", "ID", "meta.created", "schemas", "groups", "name", "emails[type co x]", "", "a b"]
)
def test_a_target_that_no_mapping_may_write_is_told(target: str) -> None:
    lines, told = taken(attribute(target, MAIL))

    assert lines == []
    assert '"source":"mail"' in told


def test_a_mapping_that_would_keep_leavers_active_is_left_out() -> None:
    lines, told = taken(attribute("active", {"name": "accountEnabled"}))

    assert lines == []
    assert "this keeps the account of somebody who left active" in told


def test_the_second_mapping_of_a_target_and_what_is_too_much_are_told() -> None:
    many = [attribute(f"custom{index}", MAIL) for index in range(100)]

    lines, told = taken(attribute("userName", MAIL), *many)

    assert len(lines) == 99
    assert "mapped twice" in told
    assert "at most 100 attributes" in told


# --- object mappings, rules, the export ------------------------------------------------------------------------------


def clause_of(operator: str, *values: object) -> dict[str, Any]:
    return {"sourceOperandName": "city", "operatorName": operator, "targetOperand": {"values": list(values)}}


def scoped(*clauses: dict[str, Any]) -> Imported:
    scope = {"groups": [{"name": "staff", "clauses": list(clauses)}]}
    return imported(export(object_mapping(scope=scope)))


@pytest.mark.parametrize(
    ("operator", "values", "becomes", "value"),
    [
        ("EQUALS", ["Berlin"], "Equals", "Berlin"),
        ("NOT EQUALS", ["Berlin"], "NotEquals", "Berlin"),
        ("INCLUDES", ["erl"], "Includes", "erl"),
        ("ENDS_WITH", ["lin"], "EndsWith", "lin"),
        ("Greater_Than", ["7"], "GreaterThan", "7"),
        ("Greater_Than_OR_EQUALS", [7], "GreaterThanOrEquals", "7"),
        ("IS TRUE", [], "IsTrue", None),
        ("IS FALSE", [], "IsFalse", None),
        ("IS NULL", [], "IsNull", None),
        ("IS NOT NULL", [], "IsNotNull", None),
        ("REGEX MATCH", ["1[0-9]{6}"], "RegexMatch", ".*(?:1[0-9]{6}).*"),
        ("NOT REGEX MATCH", [".*@example.*"], "NotRegexMatch", ".*@example.*"),
        ("&", ["Berlin, Bonn"], "ExistsIn", "Berlin, Bonn"),
        ("!&", ["Berlin"], "NotExistsIn", "Berlin"),
    ],
)
def test_a_clause_becomes_that_of_a_scoping_filter(
    operator: str, values: list[object], becomes: str, value: str | None
) -> None:
    (mapping,) = scoped(clause_of(operator, *values)).mappings

    spec = mapping.document["spec"]
    assert isinstance(spec, dict)
    expected = {"attribute": "city", "operator": becomes, **({} if value is None else {"value": value})}
    assert spec["scopeFilters"] == [{"name": "staff", "clauses": [expected]}]


@pytest.mark.parametrize(
    "clause",
    [
        clause_of("EQUALS", "Berlin", "Bonn"),
        clause_of("EQUALS"),
        clause_of("IS NULL", "x"),
        clause_of("SOUNDS LIKE", "Berlin"),
        {"operatorName": "IS NULL"},
        clause_of("REGEX MATCH", "(?=x)"),
        clause_of("Greater_Than", "ten"),
    ],
)
def test_without_a_clause_that_can_not_be_carried_over_there_is_no_manifest(clause: dict[str, Any]) -> None:
    found = scoped(clause_of("EQUALS", "Bonn"), clause)

    assert not found.mappings
    assert any("no manifest is written" in note.message for note in found.notes)


def test_each_clause_of_other_filters_is_told() -> None:
    clause = {"sourceOperandName": "city", "operatorName": "EQUALS", "targetOperand": {"values": ["Berlin"], "x": 1}}
    scope = {
        "inputFilterGroups": [{"clauses": [clause]}],
        "categoryFilterGroups": [{"name": "nobody", "clauses": []}],
        "anyGroups": ["b"],
    }

    _, told = taken(scope=scope)

    assert told.count('city EQUALS ["Berlin"]') == 1
    assert 'filter "nobody": it has no clauses' in told
    assert "x is 1" in told
    assert 'anyGroups is ["b"]' in told


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"enabled": False}, "enabled is false"),
        ({"enabled": "perhaps"}, 'enabled is "perhaps"'),
        ({"flowTypes": "Add,Update"}, 'flowTypes is "Add,Update"'),
        ({"flowTypes": 3}, "flowTypes is 3"),
        ({"metadata": [{"key": "EscrowBehavior", "value": "Default"}]}, '"EscrowBehavior" = "Default"'),
    ],
)
def test_the_state_of_an_object_mapping_is_told(fields: dict[str, Any], what: str) -> None:
    assert what in taken(**fields)[1]


@pytest.mark.parametrize("flows", ["Add, Update, Delete", "Delete,Add,Update", ["Add", "Delete", "Update"], None])
def test_all_flows_are_what_a_connector_does(flows: object) -> None:
    assert taken(flowTypes=flows, enabled=True)[1] == ""


GROUP = {"sourceObjectName": "Group", "targetObjectName": "urn:ietf:params:scim:schemas:core:2.0:Group"}
GROUP_NAME = attribute("displayName", {"name": "displayName"}, matchingPriority=1)


@pytest.mark.parametrize(
    ("fields", "state"), [({}, {}), ({"enabled": True}, {}), ({"enabled": False}, {"enabled": False})]
)
def test_a_mapping_of_groups_is_one_and_stays_off_where_it_was(fields: dict[str, Any], state: dict[str, Any]) -> None:
    lines = [GROUP_NAME, attribute("members", {"name": "members"})]
    groups = {"attributeMappings": lines, **GROUP, **fields}

    users, mapping = imported(export(object_mapping(), groups)).mappings

    assert (users.name, mapping.name, mapping.notes) == ("app-users", "app-groups", ())
    assert mapping.document["spec"] == {
        "resourceType": "Group",
        **state,
        "attributes": [
            {"target": "displayName", "source": "displayName", "match": 1},
            {"target": "members", "source": "members"},
        ],
    }


def test_what_only_users_have_is_left_out_of_a_mapping_of_groups() -> None:
    (mapping,) = imported(export({"attributeMappings": [GROUP_NAME, attribute("title", MAIL)], **GROUP})).mappings

    assert "title is an attribute of users" in "".join(note.message for note in mapping.notes)


@pytest.mark.parametrize("names", [("Contact", "User"), ("User", "Group"), ("Group", "User")])
def test_what_is_no_mapping_of_users_or_of_groups_is_told_line_by_line(names: tuple[str, str]) -> None:
    others = object_mapping(sourceObjectName=names[0], targetObjectName=names[1])

    result = imported(export(others, name="R"))

    told = "\n".join(note.message for note in result.notes)
    assert result.mappings == ()
    assert "Usher makes Users of Users and Groups of Groups" in told
    assert '{"target":"userName","source":"userPrincipalName","match":1}' in told
    assert 'no manifest comes of this rule, {"name":"R","targetDirectoryName":"App"}' in told


def test_a_mapping_that_finds_no_account_is_not_written() -> None:
    result = imported(export(object_mapping(attributeMappings=[attribute("nickName", MAIL)])))

    assert result.mappings == ()
    assert any("at least one attribute needs match" in note.message for note in result.notes)


def test_manifests_have_names_of_their_own() -> None:
    result = imported(export(object_mapping(), object_mapping(), object_mapping()))

    assert [mapping.name for mapping in result.mappings] == ["app-users", "app-users-2", "app-users-3"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Grafana (Prod) users", "grafana-prod-users"),
        ("Çağrı.Merkezi", "cagr-merkezi"),
        ("--- 日本 ---", "imported-users"),
        ("", "imported-users"),
        ("a" * 300, "a" * (MAX_NAME - 8)),
        ("a" * 54 + " b", "a" * 54),
    ],
)
def test_a_name_is_one_of_kubernetes(text: str, name: str) -> None:
    assert name_of(text, set()) == name


def test_nothing_in_an_export_steers_a_terminal_or_ends_a_comment() -> None:
    evil = 'a\nkind: Secret\x1b[2J\u202e\u2028"'
    rule = {"name": evil, evil: evil}

    (text,) = render(
        imported(
            export(object_mapping(*(attribute(path, constant(evil)) for path in ("nickName", evil)), name=evil), **rule)
        )
    ).values()

    assert all(line.isprintable() for line in text.split("\n"))
    assert "\nkind: Secret" not in text


@pytest.mark.parametrize("text", ["y", "No", "null", "1e3", "0x1F", "1:20", "~", "", " a", "2020-01-01", "a: b", "- a"])
def test_a_text_stays_a_text_to_every_reader_of_yaml(text: str) -> None:
    result = imported(export(object_mapping(attribute("nickName", constant(text)))))

    (rendered,) = render(result).values()

    assert f"constant: '{text}'" in rendered


# --- what is no export -----------------------------------------------------------------------------------------------


def rules(value: object) -> bytes:
    return orjson.dumps({"synchronizationRules": value})


def mappings(value: object) -> bytes:
    return rules([{"objectMappings": value}])


NO_EXPORTS = {
    "nothing": (b"", "line 1, column 1: this is no JSON"),
    "no JSON": (b"{'a': 1}", "line 1, column 2: this is no JSON"),
    "no text": (b"\xff\xfe\x00", "no text in UTF-16-LE"),
    "half a character": (b'{"synchronizationRules": "\\ud800"}', "this is no JSON"),
    "a list": (b"[]", "expected an object with synchronizationRules at the top or under schema, found a list"),
    "another object": (b'{"error": {}}', "found there: error"),
    "an empty object": (b"{}", "found there: nothing"),
    "no rules": (rules("x"), "synchronizationRules: expected a list of objects, found a text"),
    "a rule that is none": (rules([None]), "synchronizationRules[0]: expected an object, found null"),
    "no object mappings": (rules([{}]), "synchronizationRules: expected objectMappings in a rule, found none"),
    "an object mapping that is none": (mappings([1]), "objectMappings[0]: expected an object, found a number"),
    "attributes that are none": (
        mappings([{"attributeMappings": {}}]),
        "objectMappings[0].attributeMappings: expected a list of objects, found an object",
    ),
    "a source that is none": (
        export(object_mapping(attribute("a", "mail"))),
        "attributeMappings[1].source: expected an object, found a text",
    ),
    "too many object mappings": (mappings([{}] * (MAX_MAPPINGS + 1)), "more than 200 object mappings"),
    "too many attribute mappings": (
        mappings([{"attributeMappings": [{}] * 5_001}] * 2),
        "more than 10,000 attribute mappings",
    ),
    "too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested more than 128 deep"),
    "far too deep": (b"[" * 100_000, "this is no JSON"),
    "too many values": (b"[" + b"1," * 1_000_000 + b"1]", "more than 1,000,000 values"),
    "too large": (b" " * (MAX_EXPORT + 1), "larger than 16 MiB"),
    "a key twice": (b'{"synchronizationRules": [], "synchronizationRules": []}', "stands twice in one object"),
}


@pytest.mark.parametrize("case", NO_EXPORTS)
def test_what_is_no_export_is_refused_with_what_was_expected_and_where(case: str) -> None:
    raw, why = NO_EXPORTS[case]

    with pytest.raises(SpecError) as caught:
        imported(raw)

    assert why in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_export_that_a_shell_of_windows_wrote_is_read(encoding: str) -> None:
    assert len(imported(export(object_mapping()).decode().encode(encoding)).mappings) == 1
