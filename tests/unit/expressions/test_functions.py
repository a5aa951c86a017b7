"""Vectors of the functions: what each gives, for the documented examples and at its edges."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import EvaluationError
from usher.core.expressions.functions import FUNCTIONS
from usher.core.model.resources import Value
from usher.testing.clock import fake_surroundings


def evaluate(source: str, attributes: Mapping[str, Value]) -> Value | None:
    return compile_expression(source, fake_surroundings()).evaluate(attributes)


STATE = 'Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney", "QLD", "Australia/Brisbane")'
ACTIVE = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'


@pytest.mark.parametrize(
    ("source", "attributes", "expected"),
    [
        (STATE, {"state": "QLD"}, "Australia/Brisbane"),
        (STATE, {"state": "qld"}, "Australia/Sydney"),
        (STATE, {}, "Australia/Sydney"),
        (ACTIVE, {"IsSoftDeleted": False}, "True"),
        (ACTIVE, {"IsSoftDeleted": True}, "False"),
        (ACTIVE, {"IsSoftDeleted": "True"}, "False"),
        (ACTIVE, {}, None),
        ('Switch([country], [country], "", "Other")', {"country": ""}, "Other"),
        ('Switch([country], [country], "", "Other")', {}, "Other"),
        ('Switch([country], [country], "", "Other")', {"country": ()}, "Other"),
        ('Switch([country], [country], "", "Other")', {"country": "CH"}, "CH"),
        ('Switch([flag], "Default Value", "true", "1", "", "0")', {}, "0"),
        ('Switch(ToLower([flag]), "0", "true", "1", "false", "0")', {"flag": "TRUE"}, "1"),
        ('Switch([level], , 1, "one", &HF, "fifteen")', {"level": 15}, "fifteen"),
        ('Switch([a], "none", "x", "first", "x", "second")', {"a": "x"}, "first"),
        ('Switch([a], "none", [b], "same")', {"a": "x", "b": "x"}, "same"),
        ('Switch([a], "none", [b], "same")', {}, "same"),
        ('Switch([a], "none", [b], "same")', {"a": "x"}, "none"),
        ('Switch([a], , "x", [many])', {"a": "x", "many": ("p", "q")}, ("p", "q")),
    ],
)
def test_switch_gives_the_value_of_the_equal_key(
    source: str, attributes: Mapping[str, Value], expected: Value | None
) -> None:
    assert evaluate(source, attributes) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, False), (False, True), ("True", False), ("False", True), ("true", False), ("", None), (None, None)],
)
def test_not_flips_a_boolean_and_leaves_nothing_alone(value: Value | None, expected: bool | None) -> None:
    given = {} if value is None else {"IsSoftDeleted": value}

    assert evaluate("Not([IsSoftDeleted])", given) is expected


@pytest.mark.parametrize("value", ["yes", "1", 0, 1.0, ("True",)])
def test_not_refuses_what_is_neither_true_nor_false(value: Value) -> None:
    with pytest.raises(EvaluationError, match=r"^Not: \[x\] is ") as raised:
        evaluate("Not([x])", {"x": value})

    assert raised.value.reason == "ExpressionFailed"


@pytest.mark.parametrize(
    ("source", "attributes", "expected"),
    [
        ('Join(", ", "", [surname], [givenName])', {"surname": "Doe", "givenName": "John"}, "Doe, John"),
        ('Join(", ", "", [surname], [givenName])', {"surname": "Doe"}, "Doe"),
        ('Join(", ", "", [surname], [givenName])', {}, None),
        ('Join("", 1000, [id])', {"id": "42"}, "100042"),
        ('Join(";", [mails], [mail])', {"mails": ("a", "", "b"), "mail": "c"}, "a;b;c"),
        ('Join("@", Join(".", [g], [s]), "contoso.com")', {"g": "John", "s": "Smith"}, "John.Smith@contoso.com"),
        ('Join(" ", [a], [b], [c])', {"a": True, "b": -7, "c": 1.5}, "True -7 1.5"),
        ('Join("-", [a], [b])', {"a": 1.0, "b": 1e-07}, "1-1e-07"),
        ('Join([sep], "a", "b")', {"sep": "/"}, "a/b"),
        ('Join([sep], "a", "b")', {}, "ab"),
    ],
)
def test_join_skips_what_is_empty(source: str, attributes: Mapping[str, Value], expected: str | None) -> None:
    assert evaluate(source, attributes) == expected


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("ToLower([x])", "John.Smith@Contoso.COM", "john.smith@contoso.com"),
        ("ToLower([x])", "STRASSE ÄÖÜ ΟΔΟΣ", "strasse äöü οδοσ"),
        ("ToLower([x])", "İI", "İi"),
        ("ToLower([x])", True, "true"),
        ("ToLower([x])", "", ""),
        ("ToLower([x])", None, None),
        ("ToLower([x], )", "A", "a"),
        ('ToLower([x], "en-US")', "TITLE I", "title i"),
        ('ToLower([x], "tr-TR")', "TITLE Iİ", "tıtle ıi"),
        ('ToLower([x], "AZ-Latn")', "I\u0307I", "iı"),
        ('ToLower([x], "trv")', "I", "i"),
        ("ToLower([x], [missing])", "I", "i"),
    ],
)
def test_to_lower_is_the_same_everywhere_but_in_turkic(source: str, value: Value | None, expected: str | None) -> None:
    assert evaluate(source, {} if value is None else {"x": value}) == expected


@pytest.mark.parametrize(
    ("condition", "attributes", "holds"),
    [
        ('[country]="USA"', {"country": "USA"}, True),
        ('[country]="USA"', {"country": "usa"}, False),
        ('[country]="USA"', {}, False),
        ('[country]<>"USA"', {"country": "CH"}, True),
        ('[country]<>"USA"', {}, False),
        ('[country]<>"USA"', {"country": ""}, False),
        ('[country]=""', {"country": ""}, False),
        ('[country]<>""', {"country": "CH"}, True),
        ('"USA"=[country]', {"country": "USA"}, True),
        ("[n]>9", {"n": "10"}, True),
        ("[n]>9", {"n": 8.5}, False),
        ("[n]>=9", {"n": "9.0"}, True),
        ("[n]<[m]", {"n": "9", "m": "10"}, True),
        ("[n]<[m]", {"n": "9", "m": "10a"}, False),
        ("[n]<=-1", {"n": -1}, True),
        ('[id]="7"', {"id": "007"}, False),
        ("[id]=7", {"id": "007"}, True),
        ('[flag]="True"', {"flag": True}, True),
        ("[flag]=1", {"flag": True}, False),
        ("[flag]", {"flag": True}, True),
        ("[flag]", {"flag": "False"}, False),
        ("[flag]", {}, False),
        ("Not([flag])", {"flag": False}, True),
        ("Not([flag])", {}, False),
        ('ToLower([a])="x"', {"a": "X"}, True),
    ],
)
def test_iif_checks_its_condition(condition: str, attributes: Mapping[str, Value], holds: bool) -> None:
    assert evaluate(f'IIF({condition}, "yes", "no")', attributes) == ("yes" if holds else "no")


def test_iif_gives_an_attribute_as_it_is() -> None:
    source = 'IIF([country]="USA",[country],[department])'

    assert evaluate(source, {"country": "CH", "department": ("a", "b")}) == ("a", "b")
    assert evaluate(source, {"country": "CH"}) is None


def test_an_error_in_a_branch_that_was_not_chosen_is_none() -> None:
    assert evaluate('IIF([a]="x", Not([b]), "fine")', {"a": "y", "b": "maybe"}) == "fine"
    assert evaluate('Switch([a], Not([b]), "y", "fine")', {"a": "y", "b": "maybe"}) == "fine"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('Switch([many], , "a", "b")', "Switch: [many] is multi-valued where a single value is needed"),
        ('Switch("a", , [many], "b")', "Switch: [many] is multi-valued where a single value is needed"),
        ("ToLower([many])", "ToLower: [many] is multi-valued where a single value is needed"),
        ('Join([many], "a")', "Join: [many] is multi-valued where a single value is needed"),
        ('IIF([many]="a", "b", "c")', "the comparison: [many] is multi-valued where a single value is needed"),
        ('IIF([word], "b", "c")', "IIF: [word] is neither True nor False"),
        ("Not(ToLower([word]))", "Not: ToLower(...) is neither True nor False"),
        ("ToLower([word], [many])", "ToLower: [many] is multi-valued where a single value is needed"),
        ("ToLower([word], [word])", "ToLower: [word] is no language tag"),
        ('Join("", [huge])', "Join: [huge] is a number too long to be written"),
        ('IIF([huge]="a", "b", "c")', "the comparison: a number is too long to be compared with a text"),
        ('Join("", [long], [long])', "Join: the result is longer than 64 KiB"),
        ('IIF([word]="s e c r e t!", [longer], "")', "IIF: the result is longer than 64 KiB"),
        ('IIF([word]="s e c r e t!", [longest], "")', "IIF: the result is longer than 64 KiB"),
    ],
)
def test_a_failure_names_function_and_attribute_and_never_a_value(source: str, message: str) -> None:
    attributes: dict[str, Value] = {
        "many": ("s e c r e t!", "b"),
        "word": "s e c r e t!",
        "huge": 10**5000,
        "long": "ä" * 20_000,
        "longer": "ä" * 40_000,
        "longest": ("ä" * 20_000, "b" * 30_000),
    }

    with pytest.raises(EvaluationError) as raised:
        evaluate(source, attributes)

    assert str(raised.value) == message


def test_every_function_is_documented() -> None:
    assert sorted(FUNCTIONS) == ["IIF", "Join", "Not", "Switch", "ToLower"]
    assert all(function.build.__doc__ for function in FUNCTIONS.values())
    assert FUNCTIONS["Join"].signature == "Join(separator, source1, source2, ...)"
