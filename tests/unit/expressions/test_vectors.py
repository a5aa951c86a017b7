"""Vectors of the functions: what each gives, for the documented examples and at its edges.

Each module of `vectors` has a table of them, by the function that they are about.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from unit.expressions.vectors.vector import Vector
from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.functions import FUNCTIONS
from usher.core.model.resources import Value
from usher.testing.clock import fake_surroundings

THEMES = sorted(path.stem for path in Path(__file__).with_name("vectors").glob("*.py") if path.stem != "vector")
LEAST = 6


def tables() -> Iterator[tuple[str, Vector]]:
    for theme in THEMES:
        module = import_module(f"unit.expressions.vectors.{theme}")
        for name, vectors in module.VECTORS.items():
            for vector in vectors:
                yield name, vector


VECTORS = list(tables())


def typed(value: Value | None) -> object:
    """True is not 1, and 1 is not 1.0."""
    return [typed(item) for item in value] if isinstance(value, tuple) else (type(value), value)


def check(vector: Vector) -> None:
    """Raises AssertionError where something else comes of it."""
    if vector.refused:
        with pytest.raises(ExpressionError) as refused:
            compile_expression(vector.expression, fake_surroundings())
        assert vector.refused in str(refused.value)
        return
    compiled = compile_expression(vector.expression, fake_surroundings())
    if vector.error:
        with pytest.raises(EvaluationError) as raised:
            compiled.evaluate(vector.attributes)
        assert str(raised.value) == vector.error
        assert raised.value.reason == "ExpressionFailed"
        return
    assert typed(compiled.evaluate(vector.attributes)) == typed(vector.expected)


@pytest.mark.parametrize(("name", "vector"), VECTORS, ids=[f"{name}-{vector}" for name, vector in VECTORS])
def test_a_function_gives_what_its_vector_says(name: str, vector: Vector) -> None:
    check(vector)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_at_least_six_vectors_that_call_it(name: str) -> None:
    own = [vector for about, vector in VECTORS if about == name]

    assert len(own) >= LEAST
    assert [vector.expression for vector in own if f"{name}(" not in vector.expression] == []


def test_no_vector_is_about_a_function_that_is_none() -> None:
    assert sorted({name for name, _ in VECTORS} - set(FUNCTIONS)) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_documented_example_of_a_function_is_true(name: str) -> None:
    example = FUNCTIONS[name].example

    assert f"{name}(" in example.expression
    check(Vector(example.expression, example.attributes, example.value))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name: str) -> None:
    function = FUNCTIONS[name]

    assert function.meaning
    assert function.signature.startswith(f"{name}(")


@pytest.mark.parametrize("wrong", [Vector("Not([a])", {"a": True}, True), Vector("Not([a])", {}, error="Not: no")])
def test_a_wrong_vector_is_noticed(wrong: Vector) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(wrong)
