"""From tree to closures, once for each expression; every mistake that can be seen without a resource is found here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeAlias

from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.functions import FUNCTIONS, Function, Parameter, Takes
from usher.core.expressions.grammar import parse
from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_scalar
from usher.core.expressions.syntax import (
    Argument,
    Attribute,
    Call,
    Comparison,
    Empty,
    Keyword,
    Number,
    Text,
    walk,
)
from usher.core.expressions.values import compare, is_too_long
from usher.core.expressions.wording import shorten
from usher.core.model.resources import Value

Observe: TypeAlias = Callable[[Argument, Evaluate], Evaluate]
"""Wraps the closure of each attribute, call and comparison; what `explain` looks through."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that can be run. `attributes` are the source attributes it can read."""

    source: str
    root: Call
    attributes: frozenset[str]
    run: Evaluate = field(repr=False, compare=False)

    def evaluate(self, attributes: Attributes) -> Value | None:
        """The value for one resource, None for null; depends on nothing but `attributes`.

        Raises EvaluationError, and nothing else, where the resource's values don't fit the functions.
        """
        value = self.run(attributes)
        if is_too_long(value):
            raise EvaluationError(self.root.name, "the result is longer than 64 KiB")
        return value


def compile_expression(source: str) -> Compiled:
    """Raises ExpressionError, and nothing else, where the text is not an expression that can be run."""
    root = parse(source)
    names = frozenset(node.name for node in walk(root) if isinstance(node, Attribute))
    return Compiled(source, root, names, build(root, _pass))


def _pass(_: Argument, evaluate: Evaluate) -> Evaluate:
    return evaluate


def build(node: Argument, observe: Observe) -> Evaluate:
    """The closure of a node. Raises ExpressionError."""
    match node:
        case Attribute(name=name):
            return observe(node, lambda attributes: attributes.get(name))
        case Text(value=value) | Number(value=value):
            return lambda _: value
        case Call():
            return observe(node, _build_call(node, observe))
        case Comparison():
            return observe(node, _build_comparison(node, observe))
        case Empty():
            return lambda _: None
        case Keyword(word=word):
            raise ExpressionError(
                f"{shorten(word)} has no meaning here",
                node.position,
                expected="an attribute in [brackets] or a text in double quotes",
            )


def _build_call(node: Call, observe: Observe) -> Evaluate:
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise _refuse_name(node)
    parameters = function.parameters_for(len(node.arguments))
    if parameters is None:
        raise _refuse_count(node, function)
    left_out = (Empty(node.position),) * (len(parameters) - len(node.arguments))
    arguments = (*node.arguments, *left_out)
    for parameter, argument in zip(parameters, arguments, strict=True):
        _check_argument(function, parameter, argument)
    evaluate = function.build([Input(node.name, argument, build(argument, observe)) for argument in arguments])
    if not any(isinstance(part, Attribute) for part in walk(node)):
        _try_out(node, evaluate)
    return evaluate


def _try_out(node: Call, evaluate: Evaluate) -> None:
    """A call of constants gives the same for everybody; so its failure is one of the text, not of a person."""
    try:
        evaluate({})
    except EvaluationError as error:
        raise ExpressionError(error.message, node.position) from None


def _check_argument(function: Function, parameter: Parameter, argument: Argument) -> None:
    if isinstance(argument, Empty) and parameter.takes is not Takes.OPTIONAL:
        explanation = f'{function.name}: {parameter.name} can\'t be left empty; an empty text is written ""'
        raise ExpressionError(explanation, argument.position, expected=function.signature)
    if isinstance(argument, Comparison) and parameter.takes is not Takes.CONDITION:
        explanation = f"{function.name}: {parameter.name} can't be a comparison, only the condition of IIF can"
        raise ExpressionError(explanation, argument.position, expected=function.signature)


def _refuse_name(node: Call) -> ExpressionError:
    name = shorten(node.name)
    folded = {known.lower(): known for known in FUNCTIONS}
    close = get_close_matches(name.lower(), folded, n=1)
    if close:
        return ExpressionError(f"there is no function {name}, did you mean {folded[close[0]]}?", node.position)
    expected = f"one of {', '.join(sorted(FUNCTIONS))}"
    return ExpressionError(f"there is no function {name}", node.position, expected=expected)


def _refuse_count(node: Call, function: Function) -> ExpressionError:
    count = len(node.arguments)
    given = {0: "no argument", 1: "one argument"}.get(count, f"{count} arguments")
    return ExpressionError(f"{function.name} can't have {given}", node.position, expected=function.signature)


def _build_comparison(node: Comparison, observe: Observe) -> Evaluate:
    """False, whatever the operator, where a side that is not a constant is null or empty."""
    symbol = node.operator
    left = Input("the comparison", node.left, build(node.left, observe))
    right = Input("the comparison", node.right, build(node.right, observe))
    read_left, read_right = read_scalar(left), read_scalar(right)
    empty_left, empty_right = left.is_constant, right.is_constant

    def evaluate(attributes: Attributes) -> Value | None:
        first, second = read_left(attributes), read_right(attributes)
        if first is None or second is None:
            return False
        if (first == "" and not empty_left) or (second == "" and not empty_right):
            return False
        try:
            return compare(first, symbol, second)
        except ValueError:
            raise EvaluationError("the comparison", "a number is too long to be compared with a text") from None

    return evaluate
