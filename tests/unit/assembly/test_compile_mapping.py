"""What is wrong with a mapping is said when it is compiled, by object and YAML path."""

from __future__ import annotations

from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.ends import SpecErrors
from usher.assembly.mappings import compile_mapping
from usher.testing.clock import fake_surroundings

MATCH = {"target": "userName", "source": "userPrincipalName", "match": 1}


def problems(*attributes: dict[str, Any]) -> list[str]:
    spec = AttributeMappingSpec.model_validate({"attributes": (MATCH, *attributes)})
    with pytest.raises(SpecErrors) as caught:
        compile_mapping("people", spec, fake_surroundings())
    return [str(error) for error in caught.value.errors]


def switch(when_active: str, when_gone: str) -> dict[str, Any]:
    expression = f'Switch([IsSoftDeleted], , "False", "{when_active}", "True", "{when_gone}")'
    return {"target": "active", "expression": expression}


def test_an_expression_with_a_syntax_error_is_named_with_its_position() -> None:
    (problem,) = problems({"target": "title", "expression": "Join([a]"})
    assert problem.startswith("AttributeMapping/people spec.attributes[1].expression: ")
    assert "line 1, column 9" in problem


@pytest.mark.parametrize(
    ("attribute", "path", "words"),
    [
        ({"target": "id", "source": "a"}, "target", "read-only"),
        ({"target": "meta.created", "source": "a"}, "target", "read-only"),
        ({"target": "Active", "constant": "False"}, "target", "the attribute that disables accounts: write it so"),
        (
            {"target": "urn:ietf:params:scim:schemas:core:2.0:User:active", "source": "a"},
            "target",
            "the attribute that disables accounts: write it so",
        ),
        ({"target": "name", "source": "a"}, "target", "sub-attributes"),
        ({"target": "emails[type eq", "source": "a"}, "target", "expected"),
        ({"target": "active", "constant": "maybe"}, "constant", "true or false"),
    ],
)
def test_a_path_or_value_that_the_target_can_not_take_is_refused(
    attribute: dict[str, Any], path: str, words: str
) -> None:
    (problem,) = problems(attribute)
    assert problem.startswith(f"AttributeMapping/people spec.attributes[1].{path}: ")
    assert words in problem


@pytest.mark.parametrize(
    "attribute",
    [
        switch("True", "True"),
        {"target": "active", "constant": "true"},
        {"target": "active", "source": "accountEnabled"},
    ],
)
def test_a_mapping_that_keeps_leavers_active_is_refused(attribute: dict[str, Any]) -> None:
    assert "keeps the account of somebody who left active" in problems(attribute)[0]


@pytest.mark.parametrize("attribute", [switch("False", "False"), {"target": "active", "constant": "False"}])
def test_a_mapping_that_disables_everybody_is_refused(attribute: dict[str, Any]) -> None:
    assert "disables everybody" in problems(attribute)[0]


@pytest.mark.parametrize(
    "attribute",
    [
        switch("True", "False"),
        {"target": "active", "expression": "Not([IsSoftDeleted])"},
        {"target": "active", "expression": 'IIF([status]="terminated", "False", Not([IsSoftDeleted]))'},
    ],
)
def test_a_mapping_that_disables_those_who_left_is_taken(attribute: dict[str, Any]) -> None:
    spec = AttributeMappingSpec.model_validate({"attributes": (MATCH, attribute)})
    assert compile_mapping("people", spec, fake_surroundings()).disabling is not None


def test_every_finding_is_listed() -> None:
    assert len(problems({"target": "id", "source": "a"}, {"target": "title", "expression": "Nope()"})) == 2


@pytest.mark.parametrize("apply", [{}, {"apply": "Always"}])
def test_what_gives_something_else_each_time_is_written_on_creation_only(apply: dict[str, Any]) -> None:
    (problem,) = problems({"target": "title", "expression": 'Join("", [a], Guid())', **apply})
    assert problem.startswith("AttributeMapping/people spec.attributes[1].apply: Guid() ")
    assert "apply: OnCreate" in problem


@pytest.mark.parametrize("attribute", [{"target": "title", "apply": "OnCreate"}, {"target": "password"}])
def test_what_is_written_on_creation_only_may_be_something_else_each_time(attribute: dict[str, Any]) -> None:
    spec = AttributeMappingSpec.model_validate({"attributes": (MATCH, {"expression": "Guid()", **attribute})})
    assert compile_mapping("people", spec, fake_surroundings()).rules[1].place


CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("displayName", f"{CORE}:displayName"),
        ("displayName", "DisplayName"),
        ('emails[type eq "work"].value', 'emails[type eq "Work"].value'),
        ("name.givenName", "Name.GivenName"),
        ("roles", 'roles[type eq "x"].value'),
        ("roles.value", "roles"),
    ],
)
def test_two_lines_that_write_one_attribute_are_refused_however_it_is_spelled(one: str, other: str) -> None:
    (problem,) = problems({"target": one, "source": "a"}, {"target": other, "source": "b"})

    assert problem.startswith("AttributeMapping/people spec.attributes[2].target: ")
    assert f"{other} and {one} write the same attribute" in problem


def test_parts_of_one_attribute_are_lines_of_their_own() -> None:
    paths = (
        'emails[type eq "work"].value',
        'emails[type eq "home"].value',
        'emails[type eq "work"].primary',
        "name.givenName",
    )
    spec = AttributeMappingSpec.model_validate({"attributes": (MATCH, *({"target": p, "source": "a"} for p in paths))})

    assert len(compile_mapping("people", spec, fake_surroundings()).rules) == 5
