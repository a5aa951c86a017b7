"""Functions about numbers, and from one type of value to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_scalar
from usher.core.expressions.numerals import read_whole, settle
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.expressions.values import number_of, truth_of
from usher.core.model.resources import Value


def _build_bit_and(arguments: Sequence[Input]) -> Evaluate:
    """The bits that both whole numbers have, as a number. Negative numbers have all high bits (two's complement).

    Null and the empty text give null.
    """
    first, second = read_whole(arguments[0]), read_whole(arguments[1])

    def evaluate(attributes: Attributes) -> Value | None:
        left, right = first(attributes), second(attributes)
        return None if left is None or right is None else left & right

    return evaluate


def _build_cbool(arguments: Sequence[Input]) -> Evaluate:
    """Whether a comparison holds, or whether a value is other than zero, as a boolean.

    Numbers count, texts that read as numbers, booleans, and the texts "True" and "False" in any case; anything else is
    an error. Null and the empty text give null. A comparison follows the rules of IIF.
    """
    given = arguments[0]
    scalar = read_scalar(given)

    def read(attributes: Attributes) -> bool | None:
        value = scalar(attributes)
        if value is None or value == "":
            return None
        truth = truth_of(value)
        if truth is not None:
            return truth
        number = number_of(value)
        if number is None:
            raise given.failure("is neither a number nor True nor False")
        return number != 0

    return settle(given, read, "a comparison, a number, True or False")


def _build_cstr(arguments: Sequence[Input]) -> Evaluate:
    """The value as text: booleans are "True" and "False", 1.0 is "1"; null stays null."""
    given = arguments[0]
    scalar = read_scalar(given)

    def evaluate(attributes: Attributes) -> Value | None:
        value = scalar(attributes)
        return None if value is None else given.write(value)

    return evaluate


FUNCTIONS: Final = (
    Function(
        "BitAnd",
        (Parameter("value1"), Parameter("value2")),
        (),
        alone(_build_bit_and),
        Example("BitAnd(&HF, &HF7)", 7, {}),
    ),
    Function(
        "CBool",
        (Parameter("Expression", Takes.CONDITION),),
        (),
        alone(_build_cbool),
        Example("CBool([a] = [b])", value=True, attributes={"a": "x", "b": "x"}),
        differs="Null and the empty text give null, and not False.",
    ),
    Function(
        "CStr",
        (Parameter("value"),),
        (),
        alone(_build_cstr),
        Example("CStr([dn])", "cn=Joe,dc=contoso,dc=com", {"dn": "cn=Joe,dc=contoso,dc=com"}),
    ),
)
