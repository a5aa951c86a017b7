"""Functions that say how a value flows: whether, unchanged but hidden, or after a look at the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.expressions.errors import DomainMissing
from usher.core.expressions.inputs import Attributes, Evaluate, Input
from usher.core.expressions.signatures import Example, Function, Kind, Parameter, Surroundings, alone
from usher.core.model.resources import Value


def _build_ignore_flow(arguments: Sequence[Input]) -> Evaluate:
    """The value as it is; null for null, for the empty text and for no values, so that the attribute is left alone."""
    evaluate = arguments[0].evaluate

    def check(attributes: Attributes) -> Value | None:
        value = evaluate(attributes)
        return None if value in ("", ()) else value

    return check


def _build_redact(arguments: Sequence[Input]) -> Evaluate:
    """The value as it is; it is brought to the app, and every log has [Redact] in its place."""
    return arguments[0].evaluate


def _build_select_unique_value(arguments: Sequence[Input]) -> Evaluate:
    """The value of the first rule that the target has not yet; a rule that gives null is skipped.

    Written on creation only, and not for an attribute that is matched by. Where the target has them all the person
    fails, and is tried again later. Without a target, as in `usher eval`: the first rule that has a value.
    """
    rules = tuple(argument.evaluate for argument in arguments)

    def evaluate(attributes: Attributes) -> Value | None:
        return next((value for rule in rules if (value := rule(attributes)) is not None), None)

    return evaluate


def _build_default_domain(_: Sequence[Input], surroundings: Surroundings) -> Evaluate:
    """The domain that the source gives to names without one: `defaultDomain` of the identity source.

    An error where the source names none.
    """
    domain = surroundings.default_domain

    def evaluate(_: Attributes) -> Value | None:
        if not domain:
            raise DomainMissing("DefaultDomain")
        return domain

    return evaluate


FUNCTIONS: Final = (
    Function(
        "IgnoreFlowIfNullOrEmpty",
        (Parameter("expression"),),
        (),
        alone(_build_ignore_flow),
        Example("IgnoreFlowIfNullOrEmpty([department])", None, {"department": ""}),
    ),
    Function(
        "Redact",
        (Parameter("value"),),
        (),
        alone(_build_redact),
        Example("Redact([employeeId])", "4711", {"employeeId": "4711"}),
        differs="The whole attribute is hidden, also where Redact is only a part of its expression.",
    ),
    Function(
        "SelectUniqueValue",
        (),
        (Parameter("uniqueValueRule"),),
        alone(_build_select_unique_value),
        Example(
            'SelectUniqueValue(Join(".", [givenName], [surname]), Join(".", Left([givenName], 1), [surname]))',
            "John.Smith",
            {"givenName": "John", "surname": "Smith"},
        ),
        differs="Works with every target that can be asked for the attribute, not with three applications only.",
        kind=Kind.OUTERMOST,
        least=2,
    ),
    Function(
        "DefaultDomain",
        (),
        (),
        _build_default_domain,
        Example('Join("@", [mailNickname], DefaultDomain())', "ada@example.com", {"mailNickname": "ada"}),
    ),
)
