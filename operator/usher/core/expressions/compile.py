"""From tree to closures, once for each expression; every mistake that can be seen without a resource is found here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, TypeAlias

from usher.core.expressions.errors import DomainMissing, EvaluationError, ExpressionError
from usher.core.expressions.functions import FUNCTIONS
from usher.core.expressions.grammar import parse
from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_scalar, single_of
from usher.core.expressions.signatures import Function, Kind, Parameter, Surroundings, Takes
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
    walk,
)
from usher.core.expressions.values import IDENTITY, compare, is_too_long
from usher.core.expressions.wording import shorten
from usher.core.model.resources import Scalar, Value

Observe: TypeAlias = Callable[[Argument, Evaluate], Evaluate]
"""Wraps the closure of each attribute, call and comparison; what `explain` looks through."""

UNIQUE: Final = "SelectUniqueValue"


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that can be run. `attributes` are the source attributes it can read, `calls` what it can call.

    `alternatives` are, of `SelectUniqueValue` alone, the values of which the first that the target has not is taken.
    """

    source: str
    root: Call
    attributes: frozenset[str]
    calls: frozenset[str]
    run: Evaluate = field(repr=False, compare=False)
    alternatives: tuple[Evaluate, ...] = field(default=(), repr=False, compare=False)

    @property
    def volatile(self) -> frozenset[str]:
        """The functions in it that give something else each time."""
        return frozenset(name for name in self.calls if FUNCTIONS[name].kind is Kind.VOLATILE)

    def evaluate(self, attributes: Attributes) -> Value | None:
        """The value for one resource, None for null; depends on nothing but `attributes` and the surroundings.

        Raises EvaluationError, and nothing else, where the resource's values don't fit the functions.
        """
        return self.bounded(self.run(attributes))

    def candidates(self, attributes: Attributes) -> Iterator[Value]:
        """Of `SelectUniqueValue` the values to try, in their order, each once. Raises EvaluationError."""
        seen: set[Value] = set()
        for alternative in self.alternatives:
            value = self.bounded(alternative(attributes))
            if value is not None and value not in seen:
                seen.add(value)
                yield value

    def bounded(self, value: Value | None) -> Value | None:
        """The value; raises EvaluationError where it is longer than any may be."""
        if is_too_long(value):
            raise EvaluationError(self.root.name, "the result is longer than 64 KiB")
        return value


def compile_expression(source: str, surroundings: Surroundings) -> Compiled:
    """Raises ExpressionError, and nothing else, where the text is not an expression that can be run."""
    root = parse(source)
    return assemble(source, root, Workshop(surroundings))


def assemble(source: str, root: Call, workshop: Workshop) -> Compiled:
    """The closures of a tree. Raises ExpressionError."""
    nodes = list(walk(root))
    for node in nodes[1:]:
        if isinstance(node, Call) and _kind_of(node) is Kind.OUTERMOST:
            raise ExpressionError(f"{node.name} has to be the whole expression, not a part of one", node.position)
    run = workshop.build(root)
    return Compiled(
        source,
        root,
        attributes=frozenset(node.name for node in nodes if isinstance(node, Attribute)),
        calls=frozenset(node.name for node in nodes if isinstance(node, Call)),
        run=run,
        alternatives=tuple(map(workshop.build, root.arguments)) if root.name == UNIQUE else (),
    )


def _kind_of(node: Call) -> Kind | None:
    function = FUNCTIONS.get(node.name)
    return None if function is None else function.kind


def _pass(_: Argument, evaluate: Evaluate) -> Evaluate:
    return evaluate


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes closures of nodes. `observe` sees each attribute, call and comparison."""

    surroundings: Surroundings
    observe: Observe = _pass

    def build(self, node: Argument) -> Evaluate:
        """The closure of a node. Raises ExpressionError."""
        match node:
            case Attribute(name=name):
                return self.observe(node, lambda attributes: attributes.get(name))
            case Text(value=value) | Number(value=value):
                return lambda _: value
            case Call():
                return self.observe(node, self._build_call(node))
            case Comparison():
                return self.observe(node, self._build_comparison(node))
            case Empty():
                return lambda _: None
            case Keyword():
                raise _refuse_word(node)

    def _build_call(self, node: Call) -> Evaluate:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise _refuse_name(node)
        parameters = function.parameters_for(len(node.arguments))
        if parameters is None:
            raise _refuse_count(node, function)
        left_out = (Empty(node.position),) * (len(parameters) - len(node.arguments))
        arguments = (*node.arguments, *left_out)
        inputs = [
            self._input(function, parameter, argument)
            for parameter, argument in zip(parameters, arguments, strict=True)
        ]
        evaluate = function.build(inputs, self.surroundings)
        if not any(isinstance(part, Attribute) for part in walk(node)):
            _try_out(node, evaluate)
        return evaluate

    def _input(self, function: Function, parameter: Parameter, argument: Argument) -> Input:
        _check_argument(function, parameter, argument)
        if isinstance(argument, Keyword):
            return Input(function.name, argument, lambda _: argument.word)
        return Input(function.name, argument, self.build(argument))

    def _build_comparison(self, node: Comparison) -> Evaluate:
        left = Input("the comparison", node.left, self.build(node.left))
        right = Input("the comparison", node.right, self.build(node.right))
        judge = _judging(node.operator, left, right)
        if node.operator in IDENTITY and isinstance(node.right, Text):
            return _quick(node.operator, left, node.right.value, judge)
        read_left, read_right = read_scalar(left), read_scalar(right)
        return lambda attributes: judge(read_left(attributes), read_right(attributes))


Judge: TypeAlias = Callable[[Scalar | None, Scalar | None], bool]


def _judging(symbol: Operator, left: Input, right: Input) -> Judge:
    """False, whatever the operator, where a side that is not a constant is null or empty."""
    empty_left, empty_right = left.is_constant, right.is_constant

    def judge(first: Scalar | None, second: Scalar | None) -> bool:
        if first is None or second is None:
            return False
        if (first == "" and not empty_left) or (second == "" and not empty_right):
            return False
        try:
            return compare(first, symbol, second)
        except ValueError:
            raise EvaluationError("the comparison", "a number is too long to be compared with a text") from None

    return judge


def _quick(symbol: Operator, left: Input, wanted: str, judge: Judge) -> Evaluate:
    """For the comparison that is written most: whether something equals a text."""
    read_left, unequal = left.evaluate, symbol is Operator.NOT_EQUAL

    def evaluate(attributes: Attributes) -> Value | None:
        first = read_left(attributes)
        if isinstance(first, str) and first:
            return (first == wanted) is not unequal
        return judge(single_of(left, first), wanted)

    return evaluate


def _try_out(node: Call, evaluate: Evaluate) -> None:
    """A call of constants gives the same for everybody; so its failure is one of the text, not of a person."""
    try:
        evaluate({})
    except DomainMissing:
        return  # a mapping is compiled for itself too, before there is a source
    except EvaluationError as error:
        raise ExpressionError(error.message, node.position) from None


def _check_argument(function: Function, parameter: Parameter, argument: Argument) -> None:
    if isinstance(argument, Empty) and not parameter.may_be_empty:
        explanation = f'{function.name}: {parameter.name} can\'t be left empty; an empty text is written ""'
        raise ExpressionError(explanation, argument.position, expected=function.signature)
    if isinstance(argument, Comparison) and parameter.takes is not Takes.CONDITION:
        explanation = f"{function.name}: {parameter.name} can't be a comparison, only the condition of IIF or CBool can"
        raise ExpressionError(explanation, argument.position, expected=function.signature)
    if parameter.takes is Takes.KEYWORD and not isinstance(argument, Empty):
        if not isinstance(argument, Keyword) or argument.word not in parameter.words:
            explanation = f"{function.name}: {parameter.name} has to be one of these words, without quotes"
            raise ExpressionError(explanation, argument.position, expected=" or ".join(parameter.words))
    elif isinstance(argument, Keyword):
        raise _refuse_word(argument)


def _refuse_word(node: Keyword) -> ExpressionError:
    expected = "an attribute in [brackets] or a text in double quotes"
    return ExpressionError(f"{shorten(node.word)} has no meaning here", node.position, expected=expected)


def _refuse_name(node: Call) -> ExpressionError:
    name = shorten(node.name)
    folded = {known.lower(): known for known in FUNCTIONS}
    close = get_close_matches(name.lower(), folded, n=1)
    if close:
        return ExpressionError(f"there is no function {name}, did you mean {folded[close[0]]}?", node.position)
    return ExpressionError(f"there is no function {name}", node.position, expected="a function of docs/expressions.md")


def _refuse_count(node: Call, function: Function) -> ExpressionError:
    count = len(node.arguments)
    given = {0: "no argument", 1: "one argument"}.get(count, f"{count} arguments")
    return ExpressionError(f"{function.name} can't have {given}", node.position, expected=function.signature)
