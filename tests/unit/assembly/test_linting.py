"""What is wrong with a mapping at its ends is said line by line, and what is right is not complained about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.core.errors import CycleError
from usher.core.expressions.compile import Compiled, compile_expression
from usher.core.expressions.functions import FUNCTIONS
from usher.core.expressions.grammar import parse
from usher.core.expressions.outcomes import _ALWAYS, _PASS_ON, SWITCH, always_has_value
from usher.core.expressions.syntax import Attribute, Call, walk
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.discovery import Discovery, Documents, read_discovery
from usher.core.scim.schemas import AttributeDefinition, AttributeType, ConversionError, convert
from usher.core.sync.doubts import find_doubts
from usher.core.sync.fitting import _NEVER, find_misfits
from usher.core.sync.flaws import Flaw, Severity
from usher.core.sync.flows import Computed, Constant
from usher.core.sync.linting import find_unknown_attributes, fit, lint
from usher.core.sync.rules import AttributeRule, CompiledMapping
from usher.testing.clock import fake_surroundings
from usher.testing.hostile_documents import schemas_document, told, types_document

HR = "urn:example:hr:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MATCH: dict[str, Any] = {"target": "userName", "source": "login", "match": 1}
ACTIVE: dict[str, Any] = {
    "target": "active",
    "expression": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
}
RFC = Discovery()


def compiled(*attributes: dict[str, Any], **more: Any) -> CompiledMapping:
    spec = AttributeMappingSpec.model_validate({"attributes": (MATCH, ACTIVE, *attributes), **more})
    return compile_mapping("people", spec, fake_surroundings())


def app(*core: dict[str, Json], **extensions: list[dict[str, Json]]) -> Discovery:
    return read_discovery(told(*core, **extensions))


def flaws(rule: dict[str, Any], target: Discovery = RFC) -> list[Flaw]:
    """Those of a mapping with this rule beside userName and active, which are right."""
    return list(lint(compiled(rule), target))


def only(rule: dict[str, Any], target: Discovery = RFC) -> Flaw:
    (flaw,) = flaws(rule, target)
    return flaw


# --- target paths ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "displayName",
        "DISPLAYNAME",
        'emails[type eq "work"].value',
        "urn:ietf:params:scim:schemas:core:2.0:User:title",
        f"{ENTERPRISE}:department",
    ],
)
def test_a_path_that_the_schema_names_is_right(path: str) -> None:
    assert flaws({"target": path, "source": "x"}) == []
    assert flaws({"target": path, "source": "x"}, app({"name": "nickName"})) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("displayNam", "displayNam is not in {}; did you mean displayName?"),
        ("name.givenname2", "name.givenname2 is not in {}; did you mean name.givenName?"),
        (
            f"{ENTERPRISE}:departmen",
            f"{ENTERPRISE}:departmen is not in {{}}; did you mean {ENTERPRISE}:department?",
        ),
        ('emails[kind eq "work"].value', 'emails[kind eq "work"].value is not in {}'),
        ("zzz", "zzz is not in {}"),
    ],
)
def test_an_unknown_path_is_an_error_where_the_app_told_its_schemas_and_a_warning_where_not(
    path: str, problem: str
) -> None:
    place = "AttributeMapping/people spec.attributes[2].target"
    told = only({"target": path, "source": "x"}, app({"name": "nickName"}))
    silent = only({"target": path, "source": "x"})

    assert (told.place, told.severity) == (place, Severity.ERROR)
    assert told.problem.startswith(problem.format("the app's schema"))
    assert (silent.place, silent.severity) == (place, Severity.WARNING)
    assert silent.problem.startswith(problem.format("RFC 7643"))


def test_an_unknown_extension_is_a_warning_where_the_app_told_nothing_and_an_error_where_it_told_its_schemas() -> None:
    rule = {"target": f"{HR}:badge", "source": "x"}

    assert only(rule).severity is Severity.WARNING
    assert only(rule, app({"name": "nickName"})).severity is Severity.ERROR
    assert flaws(rule, app(hr=[{"name": "badge"}])) == []
    assert (
        "did you mean urn:example:hr:User?"
        in only({"target": "urn:example:hrr:User:badge", "source": "x"}, app(hr=[{"name": "badge"}])).problem
    )


def test_of_an_extension_that_the_app_names_and_does_not_describe_nothing_can_be_said() -> None:
    documents = Documents(None, types_document("hr"), schemas_document({"name": "nickName"}))

    assert only({"target": f"{HR}:badge", "source": "x"}, read_discovery(documents)).severity is Severity.WARNING


def test_a_path_into_an_attribute_whose_parts_the_app_does_not_describe_is_a_warning() -> None:
    blank = app(hr=[{"name": "desk", "type": "complex"}])
    described = app(hr=[{"name": "desk", "type": "complex", "subAttributes": [{"name": "floor"}]}])

    assert only({"target": f"{HR}:desk.room", "source": "x"}, blank).severity is Severity.WARNING
    assert only({"target": f"{HR}:desk.room", "source": "x"}, described).severity is Severity.ERROR
    assert flaws({"target": f"{HR}:desk.floor", "source": "x"}, described) == []


# --- matching, and what is demanded ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "target", "problem"),
    [
        ("password", RFC, "the app never returns password"),
        (f"{HR}:pin", app(hr=[{"name": "pin", "returned": "never"}]), f"the app never returns {HR}:pin"),
        ("roles", RFC, "roles has sub-attributes"),
        ("x509Certificates.value", RFC, "x509Certificates.value is binary and has several values"),
    ],
)
def test_an_attribute_by_which_the_app_can_not_be_asked_finds_no_account(
    path: str, target: Discovery, problem: str
) -> None:
    flaw = only({"target": path, "source": "x", "match": 2}, target)

    assert (flaw.place, flaw.severity) == ("AttributeMapping/people spec.attributes[2].match", Severity.ERROR)
    assert flaw.problem.startswith(problem)
    assert flaws({"target": path, "source": "x"}, target) == []
    pair = {"matchGroups": ({"targets": ("userName", path), "precedence": 2},)}
    (found,) = lint(compiled({"target": path, "source": "x"}, **pair), target)
    assert (found.place, found.problem) == ("AttributeMapping/people spec.attributes[2].target", flaw.problem)


@pytest.mark.parametrize("path", ["externalId", 'emails[type eq "work"].value', f"{ENTERPRISE}:employeeNumber"])
def test_an_attribute_that_can_be_asked_for_finds_accounts(path: str) -> None:
    assert flaws({"target": path, "source": "x", "match": 2}) == []


def test_what_the_app_demands_and_nobody_maps_is_told() -> None:
    target = app({"name": "displayName", "required": True})

    flaw = only({"target": "title", "source": "x"}, target)
    assert (flaw.place, flaw.severity) == ("AttributeMapping/people spec.attributes", Severity.WARNING)
    assert "displayName" in flaw.problem
    assert flaws({"target": "displayName", "source": "x"}, target) == []
    assert flaws({"target": "displayName", "none": {}, "default": "x"}, target) == []


def test_what_is_read_only_or_the_protocols_own_is_not_asked_of_the_mapping() -> None:
    target = app({"name": "badge", "required": True, "mutability": "readOnly"}, {"name": "schemas", "required": True})

    assert flaws({"target": "title", "source": "x"}, target) == []


def test_a_part_is_demanded_only_where_something_of_its_whole_is_written() -> None:
    target = app(
        {
            "name": "emails",
            "type": "complex",
            "multiValued": True,
            "subAttributes": [{"name": "value", "required": True}, {"name": "display"}, {"name": "type"}],
        },
        hr=[{"name": "badge", "required": True}, {"name": "desk"}],
    )

    assert flaws({"target": "title", "source": "x"}, target) == []
    assert flaws({"target": 'emails[type eq "work"].value', "source": "x"}, target) == []
    assert "emails.value" in only({"target": 'emails[type eq "work"].display', "source": "x"}, target).problem
    assert f"{HR}:badge".lower() in only({"target": f"{HR}:desk", "source": "x"}, target).problem
    assert flaws({"target": f"{HR}:badge", "source": "x"}, target) == []


# --- types ----------------------------------------------------------------------------------------------------------


def rule_of(expression: str, kind: AttributeType) -> AttributeRule:
    """As a rule is compiled, with functions that need not be there."""
    root = parse(expression)
    names = frozenset(node.name for node in walk(root) if isinstance(node, Attribute))
    calls = frozenset(node.name for node in walk(root) if isinstance(node, Call))
    flow = Computed(Compiled(expression, root, names, calls, lambda _: None))
    return AttributeRule(AttributePath("x"), flow, AttributeDefinition(kind), place="AttributeMapping/people spec")


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ('Switch([x], "maybe", "1", "True")', AttributeType.BOOLEAN),
        ('Switch([x], , "1", "yes")', AttributeType.BOOLEAN),
        ('IIF([x]="1", "True", "no")', AttributeType.BOOLEAN),
        ('IIF([x]="1", "True", IIF([y]="2", "off", "False"))', AttributeType.BOOLEAN),
        ('Switch([x], "none", "1", "1")', AttributeType.INTEGER),
        ('Coalesce([x], "unknown")', AttributeType.DECIMAL),
        ('IgnoreFlowIfNullOrEmpty(IIF([x]="1", "on", "True"))', AttributeType.BOOLEAN),
        ('Append([x], "@example.com")', AttributeType.BOOLEAN),
        ("Count([x])", AttributeType.BOOLEAN),
        ('IIF([x]="1", "True", Count([y]))', AttributeType.BOOLEAN),
        ("Not([x])", AttributeType.INTEGER),
        ("Guid()", AttributeType.INTEGER),
    ],
)
def test_a_branch_that_can_not_be_of_the_attributes_type_is_an_error(expression: str, kind: AttributeType) -> None:
    (flaw,) = find_misfits(rule_of(expression, kind))

    assert (flaw.place, flaw.severity) == ("AttributeMapping/people spec.expression", Severity.ERROR)
    assert "can only accept" in flaw.problem
    assert "line 1, column" in flaw.problem
    assert all(secret not in flaw.problem for secret in ("maybe", "unknown", "example.com"))


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ('Switch([x], , "1", "True", "2", "FALSE")', AttributeType.BOOLEAN),
        ('Switch([x], [y], "1", [z])', AttributeType.BOOLEAN),
        ('IIF([x]="maybe", "True", "False")', AttributeType.BOOLEAN),
        ('IIF([x]="1", 1, "2")', AttributeType.INTEGER),
        ('IgnoreFlowIfNullOrEmpty(Switch([x], "", "1", "True"))', AttributeType.BOOLEAN),
        ('Append([x], "e")', AttributeType.BOOLEAN),
        ("Append([x], [y])", AttributeType.BOOLEAN),
        ("ToLower([x])", AttributeType.BOOLEAN),
        ("Not([x])", AttributeType.BOOLEAN),
        ("Not([x])", AttributeType.STRING),
        ("Count([x])", AttributeType.INTEGER),
        ('Join("", [x], "y")', AttributeType.BOOLEAN),
    ],
)
def test_what_may_be_of_the_attributes_type_is_none(expression: str, kind: AttributeType) -> None:
    assert list(find_misfits(rule_of(expression, kind))) == []


def test_lines_that_the_schema_does_not_let_be_are_among_the_errors() -> None:
    target = app({"name": "title", "mutability": "readOnly"}, {"name": "nickName", "type": "integer"})

    assert "title is read-only" in only({"target": "title", "source": "x"}, target).problem
    assert "a whole number" in only({"target": "nickName", "constant": "soon"}, target).problem
    assert (
        "a whole number" in only({"target": "nickName", "expression": 'Switch([x], "soon", "1", "2")'}, target).problem
    )


# --- warnings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"constant": "a", "default": "b"}, "default"),
        ({"expression": 'Switch([x], "a", "1", "b")', "default": "c"}, "default"),
        ({"expression": 'IIF([x]="1", "a", "b")', "default": "c"}, "default"),
        ({"expression": 'IIF([x]="", "a", "b")'}, "expression"),
        ({"expression": 'Join(" ", [y], IIF(""=[x], "a", "b"))'}, "expression"),
    ],
)
def test_what_may_be_written_and_is_hardly_meant_is_a_warning(rule: dict[str, Any], field: str) -> None:
    flaw = only({"target": "title", **rule})

    assert (flaw.place, flaw.severity) == (f"AttributeMapping/people spec.attributes[2].{field}", Severity.WARNING)


@pytest.mark.parametrize(
    "rule",
    [
        {"source": "x", "default": "b"},
        {"none": {}, "default": "b"},
        {"expression": 'Switch([x], , "1", "b")', "default": "c"},
        {"expression": 'Switch([x], "a", "1", [y])', "default": "c"},
        {"expression": 'IIF([x]="1", "", "b")'},
        {"expression": 'IIF([x]<>"", "a", "b")'},
        {"expression": 'IIF("a"="", "a", "b")'},
    ],
)
def test_what_can_be_of_use_is_none(rule: dict[str, Any]) -> None:
    assert flaws({"target": "title", **rule}) == []


def test_a_default_of_what_is_left_alone_without_a_value_is_a_warning() -> None:
    rule = replace(rule_of("IgnoreFlowIfNullOrEmpty([x])", AttributeType.STRING), default=Constant("a", "a"))

    (flaw,) = find_doubts(CompiledMapping((rule,), None, ""))

    assert (flaw.place, flaw.severity) == ("AttributeMapping/people spec.default", Severity.WARNING)


@pytest.mark.parametrize("presence", ["IsPresent", "IsNull", "IsNullOrEmpty"])
def test_switch_on_presence_is_a_warning(presence: str) -> None:
    rule = rule_of(f'Join("", "a", Switch({presence}([x]), "a", "True", "b"))', AttributeType.STRING)
    usual = rule_of(f'Switch([x], "a", "True", {presence}([y]))', AttributeType.STRING)

    (flaw,) = find_doubts(CompiledMapping((rule,), None, ""))

    assert f"Switch on {presence} (line 1, column 15)" in flaw.problem
    assert list(find_doubts(CompiledMapping((usual,), None, ""))) == []


def test_a_mapping_that_can_disable_nobody_is_told_that_leavers_stay_active() -> None:
    (flaw,) = lint(compiled(actions=("Create", "Delete")), RFC)

    assert (flaw.place, flaw.severity) == ("AttributeMapping/people spec.actions", Severity.WARNING)
    assert "leavers keep an active account" in flaw.problem
    assert lint(compiled(actions=("Update",)), RFC) == ()


def test_a_mapping_without_the_disable_attribute_is_told_what_becomes_of_leavers() -> None:
    spec = AttributeMappingSpec.model_validate({"attributes": (MATCH,)})
    (flaw,) = lint(compile_mapping("people", spec, fake_surroundings()), RFC)

    assert (flaw.place, flaw.severity) == ("AttributeMapping/people spec.attributes", Severity.WARNING)
    assert "disabled all the same" in flaw.problem
    assert lint(compiled(), RFC) == ()


# --- what a connector does with it ----------------------------------------------------------------------------------


def test_a_warning_keeps_no_connector_from_running_and_errors_are_named_five_at_the_most() -> None:
    doubtful = compiled({"target": "title", "constant": "a", "default": "b"}, {"target": f"{HR}:x", "source": "x"})
    wrong = compiled(*({"target": f"zzz{number}", "source": "x"} for number in range(7)))

    assert fit(doubtful, RFC) == doubtful
    with pytest.raises(CycleError) as caught:
        fit(wrong, app({"name": "nickName"}))
    assert caught.value.reason == "MappingInvalid"
    assert str(caught.value).count("AttributeMapping/people spec.attributes[") == 5
    assert str(caught.value).endswith("(and 2 more)")


def test_an_attribute_that_the_source_has_not_is_named_with_what_may_be_meant() -> None:
    place = "AttributeMapping/people spec.attributes[3].source"
    known = ("jobTitle", "mail")

    (near,) = find_unknown_attributes({"jobtitel": place, "mail": "elsewhere"}, known, "IdentitySource/corp")
    (far,) = find_unknown_attributes({"zzz": place}, known, "IdentitySource/corp")

    assert near == Flaw(place, "IdentitySource/corp has no attribute jobtitel; did you mean jobTitle?")
    assert far.problem == "IdentitySource/corp has no attribute zzz. It has: jobTitle, mail"


# --- the tables beside the functions --------------------------------------------------------------------------------


def test_the_tables_name_functions_that_there_are() -> None:
    assert sorted({*_NEVER, *_ALWAYS, *_PASS_ON, SWITCH} - FUNCTIONS.keys()) == []


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", [AttributeType.BOOLEAN, AttributeType.INTEGER, AttributeType.DECIMAL])
def test_no_example_of_a_function_gives_what_is_said_to_be_no_value_of_it(name: str, kind: AttributeType) -> None:
    example = FUNCTIONS[name].example
    value = compile_expression(example.expression, fake_surroundings()).evaluate(example.attributes)

    if any(find_misfits(rule_of(example.expression, kind))) and value is not None:
        with pytest.raises(ConversionError):
            convert(AttributeDefinition(kind), value)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_said_to_have_a_value_for_everybody_has_one_for_whoever_has_nothing(name: str) -> None:
    compiled_example = compile_expression(FUNCTIONS[name].example.expression, fake_surroundings())

    assert not always_has_value(compiled_example.root) or compiled_example.evaluate({}) is not None
