"""What holds for every text, every tree and every resource."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.claims import gives_value_or_error
from usher.core.expressions.casing import find_lower
from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import EvaluationError, ExpressionError, Position
from usher.core.expressions.explain import explain
from usher.core.expressions.grammar import parse
from usher.core.expressions.syntax import (
    Argument,
    Attribute,
    Call,
    Comparison,
    Empty,
    Keyword,
    Number,
    Operator,
    Text,
    render,
)
from usher.core.model.resources import Value
from usher.testing.clock import fake_surroundings

P = Position(1, 1)
FITTING = st.characters(exclude_categories=["Cs", "Cc"])
NAMES = st.sampled_from(["a", "b", "extension_1", "urn:x:User:c", "d e"])
LITERALS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.tuples(st.integers(-999, 999), st.integers(0, 999)).map(lambda parts: f"{parts[0]}.{parts[1]}"),
    st.integers(0, 2**64).map(lambda number: f"&H{number:X}"),
)


def number(literal: str) -> Number:
    return Number(literal, int(literal.lstrip("&Hh"), 16) if literal.startswith("&") else float(literal), P)


ATTRIBUTES = NAMES.map(lambda name: Attribute(name, P))
TEXTS = st.text(FITTING | st.sampled_from('"\\\n\t'), max_size=8).map(lambda text: Text(text, P))
LEAVES: st.SearchStrategy[Argument] = ATTRIBUTES | TEXTS | LITERALS.map(number)
OPERATORS = st.sampled_from(list(Operator))
EMPTY = st.just(Empty(P))


def call(name: str, arguments: list[Argument]) -> Call:
    bare = len(arguments) == 1 and isinstance(arguments[0], Empty)
    return Call(name, () if bare else tuple(arguments), P)


def any_call(below: st.SearchStrategy[Argument]) -> st.SearchStrategy[Argument]:
    """Calls as the grammar allows them, whether or not there is such a function."""
    words = st.sampled_from(["vbTextCompare", "x_1"]).map(lambda word: Keyword(word, P))
    operands = below.filter(lambda node: not isinstance(node, Empty | Comparison)) | words
    comparisons = st.builds(Comparison, operands, OPERATORS, operands, st.just(P))
    slots = st.lists(operands | comparisons | EMPTY, max_size=4)
    return st.builds(call, st.sampled_from(["F", "Switch", "g_2"]), slots)


def good_call(below: st.SearchStrategy[Argument]) -> st.SearchStrategy[Argument]:
    """Calls that have the right arguments (by their kind)."""
    pairs = st.lists(st.tuples(below, below), min_size=1, max_size=3).map(
        lambda items: [x for pair in items for x in pair]
    )
    conditions = st.builds(Comparison, below, OPERATORS, below, st.just(P)) | below
    return st.one_of(
        st.builds(lambda head, default, rest: call("Switch", [head, default, *rest]), below, below | EMPTY, pairs),
        st.builds(lambda source: call("Not", [source]), ATTRIBUTES | below),
        st.builds(lambda items: call("Join", items), st.lists(below, min_size=2, max_size=5)),
        st.builds(lambda source, culture: call("ToLower", [source, culture]), below, EMPTY | ATTRIBUTES),
        st.builds(lambda *items: call("IIF", list(items)), conditions, below, below),
    )


def roots(step: st.SearchStrategy[Argument]) -> st.SearchStrategy[Argument]:
    return step.filter(lambda node: isinstance(node, Call))


ANY_TREES = roots(st.recursive(LEAVES, any_call, max_leaves=25))
GOOD_TREES = roots(st.recursive(LEAVES, good_call, max_leaves=25))
SCALARS = st.one_of(
    st.sampled_from(["", "True", "False", "false", "7", "007", "1.5", "tr", "I"]),
    st.text(max_size=8),
    st.booleans(),
    st.integers(),
    st.floats(),
)
VALUES: st.SearchStrategy[Value] = SCALARS | st.lists(SCALARS, max_size=3).map(tuple)
RESOURCES: st.SearchStrategy[Mapping[str, Value]] = st.dictionaries(NAMES, VALUES)
SNIPPETS = st.sampled_from(
    ["(", ")", ",", "[a]", "[", "]", '"', '"x"', "\\", "=", "<>", "-1", "&HF", "Join", "IIF(", " ", "\n"]
)


def outcome(source: str, attributes: Mapping[str, Value]) -> tuple[str, str]:
    try:
        return "value", repr(compile_expression(source, fake_surroundings()).evaluate(attributes))
    except EvaluationError as error:
        return "failed", str(error)


@given(st.text() | st.lists(SNIPPETS | st.text(max_size=3), max_size=40).map("".join), RESOURCES)
@settings(max_examples=400)
def test_any_text_is_an_expression_or_an_expression_error(text: str, attributes: Mapping[str, Value]) -> None:
    gives_value_or_error(text, attributes)


@given(ANY_TREES)
def test_parsing_what_was_rendered_gives_the_same_tree(tree: Argument) -> None:
    assert parse(render(tree)) == tree


@given(GOOD_TREES, RESOURCES)
@settings(max_examples=300)
def test_evaluation_is_total_and_depends_on_nothing_else(tree: Argument, attributes: Mapping[str, Value]) -> None:
    source = render(tree)
    before = dict(attributes)
    try:
        compiled = compile_expression(source, fake_surroundings())
    except ExpressionError as error:
        assert "True nor False" in str(error) or "is no language tag" in str(error)
        return

    first = outcome(source, attributes)

    assert first == outcome(source, attributes)
    assert repr(attributes) == repr(before)
    needed = {name: value for name, value in attributes.items() if name in compiled.attributes}
    assert outcome(source, needed) == first


@given(GOOD_TREES, RESOURCES)
def test_the_explained_value_is_the_value(tree: Argument, attributes: Mapping[str, Value]) -> None:
    source = render(tree)
    try:
        compiled = compile_expression(source, fake_surroundings())
    except ExpressionError:
        return

    step = explain(compiled, attributes, fake_surroundings())

    kind, result = outcome(source, attributes)
    assert repr(step.value) == (result if kind == "value" else "None")
    assert step.text == source


@given(st.text(), st.sampled_from(["", "en", "tr-TR", "az"]))
def test_lower_case_of_lower_case_changes_nothing(text: str, culture: str) -> None:
    lower = find_lower(culture)
    assert lower is not None

    assert lower(lower(text)) == lower(text)


@given(st.text())
def test_any_text_is_a_language_tag_or_not(text: str) -> None:
    assert find_lower(text) is None or text.isascii()
