"""Scoping filters: what each operator asks, and how clauses and filters come together."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from usher.core.errors import ResourceError, SpecError
from usher.core.model.resources import Value
from usher.core.sync.scoping import EVERYBODY, Filter, Operator, Scope, compile_clause


@pytest.mark.parametrize(
    ("operator", "value", "held", "holds"),
    [
        ("Equals", "Berlin", "Berlin", True),
        ("Equals", "Berlin", "berlin", False),
        ("Equals", "7", 7, True),
        ("Equals", "True", True, True),
        ("Equals", "1.5", 1.5, True),
        ("NotEquals", "Berlin", "Bonn", True),
        ("NotEquals", "Berlin", "berlin", True),
        ("NotEquals", "Berlin", "Berlin", False),
        ("Includes", "erl", "Berlin", True),
        ("Includes", "ERL", "Berlin", False),
        ("Includes", "Berlin!", "Berlin", False),
        ("EndsWith", "lin", "Berlin", True),
        ("EndsWith", "Ber", "Berlin", False),
        ("GreaterThan", "10", 11, True),
        ("GreaterThan", "10", "11", True),
        ("GreaterThan", "10", 10, False),
        ("GreaterThan", "9", "10", True),
        ("GreaterThan", "10", "eleven", False),
        ("GreaterThan", "10", 10.5, False),
        ("GreaterThan", "10", True, False),
        ("GreaterThan", "-3", "-2", True),
        ("GreaterThanOrEquals", "10", "10", True),
        ("GreaterThanOrEquals", "10", 9, False),
        ("IsTrue", "", True, True),
        ("IsTrue", "", "true", True),
        ("IsTrue", "", False, False),
        ("IsTrue", "", "yes", False),
        ("IsFalse", "", False, True),
        ("IsFalse", "", "False", True),
        ("IsFalse", "", "no", False),
        ("IsNull", "", "x", False),
        ("IsNotNull", "", "x", True),
        ("IsNotNull", "", False, True),
        ("RegexMatch", "1[0-9]{6}", "1234567", True),
        ("RegexMatch", "1[0-9]{6}", "12345678", False),
        ("RegexMatch", "1[0-9]{6}", 1234567, True),
        ("RegexMatch", ".*@example\\.com", "ada@example.com", True),
        ("RegexMatch", "Berlin", "BERLIN", False),
        ("NotRegexMatch", "1[0-9]{6}", "2234567", True),
        ("NotRegexMatch", "1[0-9]{6}", "1234567", False),
        ("ExistsIn", "Berlin, Bonn", "Bonn", True),
        ("ExistsIn", "Berlin, Bonn", "Köln", False),
        ("NotExistsIn", "Berlin, Bonn", "Köln", True),
        ("NotExistsIn", "Berlin, Bonn", "Bonn", False),
    ],
)
def test_an_operator_asks_this_of_a_value(operator: str, value: str, held: Value, holds: bool) -> None:
    assert compile_clause("a", Operator(operator), value).holds({"a": held}) is holds


@pytest.mark.parametrize("operator", Operator)
@pytest.mark.parametrize("attributes", [{}, {"a": ""}, {"a": ()}, {"a": ("",)}])
def test_nothing_answers_no_question_but_whether_it_is_null(
    operator: Operator, attributes: Mapping[str, Value]
) -> None:
    clause = compile_clause("a", operator, "1")

    assert clause.holds(attributes) is (operator is Operator.IS_NULL)


def test_of_several_values_all_have_to_satisfy_a_clause() -> None:
    clause = compile_clause("a", Operator.ENDS_WITH, "@example.com")

    assert clause.holds({"a": ("x@example.com", "y@example.com")})
    assert not clause.holds({"a": ("x@example.com", "y@example.org")})


@pytest.mark.parametrize(
    ("operator", "value", "says"),
    [
        ("GreaterThan", "ten", "whole number"),
        ("GreaterThanOrEquals", "1.5", "whole number"),
        ("RegexMatch", "(", "without its"),
        ("RegexMatch", "(?=x)", "look"),
        ("NotRegexMatch", "x" * 1_001, "characters"),
    ],
)
def test_what_an_operator_can_not_work_with_is_refused(operator: str, value: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        compile_clause("a", Operator(operator), value)


def test_a_text_that_can_not_be_judged_is_that_persons_error() -> None:
    clause = compile_clause("a", Operator.NOT_REGEX_MATCH, "x")

    with pytest.raises(ResourceError) as caught:
        clause.holds({"a": "\ud800"})

    assert caught.value.reason == "ScopingFailed"
    assert "\ud800" not in str(caught.value)


BERLIN = compile_clause("city", Operator.EQUALS, "Berlin")
STAFF = compile_clause("kind", Operator.EQUALS, "staff")
ENGINEER = compile_clause("title", Operator.INCLUDES, "Engineer")
SCOPE = Scope((Filter("berlin staff", (BERLIN, STAFF)), Filter("engineers", (ENGINEER,))))


@pytest.mark.parametrize(
    ("attributes", "admitted"),
    [
        ({"city": "Berlin", "kind": "staff"}, True),
        ({"city": "Berlin", "kind": "guest"}, False),
        ({"city": "Bonn", "kind": "staff", "title": "Senior Engineer"}, True),
        ({}, False),
    ],
)
def test_clauses_are_anded_and_filters_ored(attributes: Mapping[str, Value], admitted: bool) -> None:
    assert SCOPE.admits(attributes) is admitted


def test_without_filters_everybody_is_meant() -> None:
    assert EVERYBODY.admits({})
    assert SCOPE.attributes == {"city", "kind", "title"}


def test_every_clause_is_explained() -> None:
    told = [(each.filter, str(each.clause), each.holds) for each in SCOPE.explain({"city": "Berlin", "title": "x"})]

    assert told == [
        ("berlin staff", "city Equals Berlin", True),
        ("berlin staff", "kind Equals staff", False),
        ("engineers", "title Includes Engineer", False),
    ]


@pytest.mark.parametrize(
    ("attributes", "admitted"),
    [
        ({"city": "Berlin", "kind": "staff"}, True),
        ({"city": "Berlin"}, False),
        ({"kind": "staff"}, False),
        ({"city": "Berlin", "title": "Engineer"}, True),
        ({}, False),
    ],
)
def test_the_filters_of_the_connector_are_anded_with_those_of_the_mapping(
    attributes: Mapping[str, Value], admitted: bool
) -> None:
    within = (Filter("staff", (STAFF,)), Filter("engineers", (ENGINEER,)))
    both = Scope((Filter("berlin", (BERLIN,)),), within)
    assert both.admits(attributes) is admitted
    assert Scope((), within).admits(attributes) is not ({"kind", "title"}.isdisjoint(attributes))
    assert both.attributes == {"city", "kind", "title"}


def test_an_explanation_says_whose_clause_it_is() -> None:
    mine = compile_clause("city", Operator.EQUALS, "Berlin", "AttributeMapping/people spec.scopeFilters[0].clauses[0]")
    place = "ProvisioningConnector/app spec.scope.scopeFilters[0].clauses[0]"
    others = compile_clause("kind", Operator.EQUALS, "staff", place)
    scope = Scope((Filter("filter 1", (mine,)),), (Filter("filter 1", (others,)),))

    told = [(each.clause.place, each.holds) for each in scope.explain({"city": "Berlin"})]

    assert told == [(mine.place, True), (place, False)]


def test_a_clause_that_can_not_be_judged_hides_no_other() -> None:
    pattern = compile_clause("city", Operator.REGEX_MATCH, "B.*")
    scope = Scope((Filter("filter 1", (pattern, STAFF)),))

    failed, held = scope.explain({"city": "B" * 1_000_000, "kind": "staff"})

    assert not failed.holds
    assert failed.problem.startswith("RegexMatch: the value")
    assert (held.holds, held.problem) == (True, "")


def test_only_what_the_connector_asks_makes_its_scope_another_one() -> None:
    """What the mapping asks is in the digest of the mapping."""
    assert SCOPE.digest == EVERYBODY.digest == ""
    asked = Scope((), (Filter("berlin", (BERLIN,)),))
    assert asked.digest != Scope((), (Filter("berlin", (STAFF,)),)).digest
    assert asked.digest != Scope((), (Filter("berlin", (BERLIN, STAFF)),)).digest
    split = Scope((), (Filter("a", (BERLIN,)), Filter("b", (STAFF,)))).digest
    assert split != Scope((), (Filter("a", (BERLIN, STAFF)),)).digest
    assert asked.digest == Scope((), (Filter("another name", (BERLIN,)),)).digest
