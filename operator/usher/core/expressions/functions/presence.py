"""Functions that ask whether there is a value, and give another one instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.expressions.inputs import Attributes, Evaluate, Input
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.model.resources import Value


def _build_coalesce(arguments: Sequence[Input]) -> Evaluate:
    """The first source that is not null, as it is; null where all are.

    The last source is the default: it may be a constant or left empty. The empty text is not null; a multi-valued
    attribute without a value is.
    """
    sources = tuple(argument.evaluate for argument in arguments)

    def evaluate(attributes: Attributes) -> Value | None:
        for source in sources:
            value = source(attributes)
            if value is not None and value != ():
                return value
        return None

    return evaluate


def _build_is_null(arguments: Sequence[Input]) -> Evaluate:
    """Whether there is no value: True for a missing attribute, and for a multi-valued one without a value.

    The empty text is a value.
    """
    evaluate = arguments[0].evaluate
    return lambda attributes: evaluate(attributes) in _NOTHING


def _build_is_null_or_empty(arguments: Sequence[Input]) -> Evaluate:
    """Whether there is no value, or the empty text."""
    evaluate = arguments[0].evaluate
    return lambda attributes: evaluate(attributes) in _NOTHING_OR_EMPTY


def _build_is_present(arguments: Sequence[Input]) -> Evaluate:
    """Whether there is a value other than the empty text: the opposite of IsNullOrEmpty."""
    evaluate = arguments[0].evaluate
    return lambda attributes: evaluate(attributes) not in _NOTHING_OR_EMPTY


def _build_is_string(arguments: Sequence[Input]) -> Evaluate:
    """Whether the value is a text or can be written as one: a single number or boolean too, not null, not several."""
    evaluate = arguments[0].evaluate

    def check(attributes: Attributes) -> Value | None:
        value = evaluate(attributes)
        return value is not None and not isinstance(value, tuple)

    return check


_NOTHING: Final = (None, ())
_NOTHING_OR_EMPTY: Final = (None, (), "")
_IN_CONDITIONS: Final = "May be the condition of IIF, for which the reference recommends Switch instead."

FUNCTIONS: Final = (
    Function(
        "Coalesce",
        (),
        (Parameter("source", Takes.OPTIONAL),),
        alone(_build_coalesce),
        Example("Coalesce([mail], [userPrincipalName])", "ada@example.com", {"userPrincipalName": "ada@example.com"}),
    ),
    Function(
        "IsNull",
        (Parameter("Expression"),),
        (),
        alone(_build_is_null),
        Example("IsNull([displayName])", value=True, attributes={}),
        differs=_IN_CONDITIONS,
    ),
    Function(
        "IsNullOrEmpty",
        (Parameter("Expression"),),
        (),
        alone(_build_is_null_or_empty),
        Example("IsNullOrEmpty([displayName])", value=True, attributes={"displayName": ""}),
        differs=_IN_CONDITIONS,
    ),
    Function(
        "IsPresent",
        (Parameter("Expression"),),
        (),
        alone(_build_is_present),
        Example("IsPresent([displayName])", value=True, attributes={"displayName": "Ada"}),
        differs=_IN_CONDITIONS,
    ),
    Function(
        "IsString",
        (Parameter("Expression"),),
        (),
        alone(_build_is_string),
        Example("IsString([displayName])", value=True, attributes={"displayName": "Ada"}),
    ),
)
