"""Functions about several values: how many, which one, each once, and from one text to many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.expressions.inputs import (
    Attributes,
    Evaluate,
    Input,
    check_size,
    read_text,
    read_text_or_null,
)
from usher.core.expressions.numerals import read_integer
from usher.core.expressions.signatures import Example, Function, Parameter, alone
from usher.core.model.resources import Scalar, Value


def _values(value: Value | None) -> tuple[Scalar, ...]:
    """The values of an attribute: one value is a list of one, null is none."""
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def _build_count(arguments: Sequence[Input]) -> Evaluate:
    """How many values there are: 0 for null, 1 for a single value."""
    evaluate = arguments[0].evaluate
    return lambda attributes: len(_values(evaluate(attributes)))


def _build_item(arguments: Sequence[Input]) -> Evaluate:
    """The value at that place, counted from 1; null where there is none. An index below 1 is an error.

    A single value has the place 1.
    """
    evaluate, index = arguments[0].evaluate, read_integer(arguments[1], least=1)

    def pick(attributes: Attributes) -> Value | None:
        place, values = index(attributes), _values(evaluate(attributes))
        return values[place - 1] if place <= len(values) else None

    return pick


def _build_remove_duplicates(arguments: Sequence[Input]) -> Evaluate:
    """The values, each once and in their order; the first of equal ones stays.

    They are compared as texts, with regard to case. Null and a single value stay as they are.
    """
    given = arguments[0]

    def evaluate(attributes: Attributes) -> Value | None:
        value = given.evaluate(attributes)
        if not isinstance(value, tuple):
            return value
        first: dict[str, Scalar] = {}
        for item in value:
            first.setdefault(given.write(item), item)
        return tuple(first.values())

    return evaluate


def _build_split(arguments: Sequence[Input]) -> Evaluate:
    """The parts of the source between the delimiters, each without the blanks around it; null for null and for "".

    The delimiter is one character or more, with regard to case; "" is an error. A part between two delimiters is the
    empty text, so that all parts keep their places for Item.
    """
    given, source, delimiter = arguments[1], read_text_or_null(arguments[0]), read_text(arguments[1])
    if given.is_constant and not delimiter({}):
        raise given.mistake("is empty where a delimiter is needed")

    def evaluate(attributes: Attributes) -> Value | None:
        text, between = source(attributes), delimiter(attributes)
        if not between:
            raise given.failure("is empty where a delimiter is needed")
        if not text:
            return None
        check_size("Split", len(text))
        return tuple(part.strip(" ") for part in text.split(between))

    return evaluate


FUNCTIONS: Final = (
    Function(
        "Count",
        (Parameter("attribute"),),
        (),
        alone(_build_count),
        Example("Count([proxyAddresses])", 2, {"proxyAddresses": ("a@example.com", "b@example.com")}),
    ),
    Function(
        "Item",
        (Parameter("attribute"), Parameter("index")),
        (),
        alone(_build_item),
        Example("Item([proxyAddresses], 1)", "a@example.com", {"proxyAddresses": ("a@example.com", "b@example.com")}),
        differs="Index 0, which the reference advises against, is refused.",
    ),
    Function(
        "RemoveDuplicates",
        (Parameter("attribute"),),
        (),
        alone(_build_remove_duplicates),
        Example("RemoveDuplicates([mails])", ("a", "b"), {"mails": ("a", "b", "a")}),
    ),
    Function(
        "Split",
        (Parameter("source"), Parameter("delimiter")),
        (),
        alone(_build_split),
        Example(
            'Split([extensionAttribute5], ",")',
            ("PermissionSetOne", "PermissionSetTwo"),
            {"extensionAttribute5": "PermissionSetOne, PermissionSetTwo"},
        ),
        differs="Blanks around a part are always dropped, which the reference shows in its example and does not say.",
    ),
)
