"""Functions that choose between values, and that say whether there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_text, read_truth
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.expressions.syntax import Comparison, Text
from usher.core.model.resources import Value


def _build_switch(arguments: Sequence[Input]) -> Evaluate:
    """The value whose key equals the source, compared as texts with regard to case; the first of equal keys wins.

    The key "" matches a source that is null or empty. Without a match the default, which may be left empty: then null.
    Values are passed on as they are, multi-valued ones too; the source and the keys have one value each.
    """
    source, default = read_text(arguments[0]), arguments[1].evaluate
    keys, values = arguments[2::2], [value.evaluate for value in arguments[3::2]]
    if all(key.is_constant for key in keys):
        table = {read_text(key)({}): value for key, value in reversed(list(zip(keys, values, strict=True)))}
        return lambda attributes: table.get(source(attributes), default)(attributes)
    branches = [(read_text(key), value) for key, value in zip(keys, values, strict=True)]

    def evaluate(attributes: Attributes) -> Value | None:
        wanted = source(attributes)
        for key, value in branches:
            if key(attributes) == wanted:
                return value(attributes)
        return default(attributes)

    return evaluate


def _build_not(arguments: Sequence[Input]) -> Evaluate:
    """The opposite of a boolean, or of the texts "True" and "False" in any case; anything else is an error.

    Null and the empty text give null: nothing is known, and an account must not become active because nobody said
    whether its owner left. The mapping's `default` then fills the gap of a new account.
    """
    source = read_truth(arguments[0])

    def evaluate(attributes: Attributes) -> Value | None:
        truth = source(attributes)
        return None if truth is None else not truth

    return evaluate


def _build_iif(arguments: Sequence[Input]) -> Evaluate:
    """The second argument if the condition holds, otherwise the third.

    The condition is a comparison, or something that is True or False. It does not hold if a side of the comparison
    that is not a constant is null or empty, whatever the operator; so `IIF([a]="", "x", "y")` is always "y": use
    Switch with the key "" for that. There is no AND and no OR: nest in the second or the third argument instead.
    Comparisons are numerical where both sides are numbers or read as such, except that two texts are equal only as
    texts ("007" is not "7"); otherwise by code point, with regard to case.
    """
    asked, then, otherwise = arguments
    condition = asked.evaluate if isinstance(asked.node, Comparison) else read_truth(asked)
    if isinstance(then.node, Text) and isinstance(otherwise.node, Text):
        one, other = then.node.value, otherwise.node.value
        return lambda attributes: one if condition(attributes) else other
    branch, rest = then.evaluate, otherwise.evaluate
    return lambda attributes: (branch if condition(attributes) else rest)(attributes)


FUNCTIONS: Final = (
    Function(
        "Switch",
        (Parameter("source"), Parameter("defaultValue", Takes.OPTIONAL)),
        (Parameter("key"), Parameter("value")),
        alone(_build_switch),
        Example(
            'Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney", "QLD", "Australia/Brisbane")',
            "Australia/Brisbane",
            {"state": "QLD"},
        ),
    ),
    Function(
        "Not",
        (Parameter("source"),),
        (),
        alone(_build_not),
        Example("Not([IsSoftDeleted])", value=True, attributes={"IsSoftDeleted": False}),
        differs="The reference gives True for all that is not True. Here null and the empty text give null, and what is"
        " neither True nor False is an error.",
    ),
    Function(
        "IIF",
        (Parameter("condition", Takes.CONDITION), Parameter("valueIfTrue"), Parameter("valueIfFalse")),
        (),
        alone(_build_iif),
        Example('IIF([country]="USA", [country], [department])', "Sales", {"country": "CH", "department": "Sales"}),
    ),
)
