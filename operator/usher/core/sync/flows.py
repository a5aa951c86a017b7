"""Where the value of an attribute comes from, and what gives it for one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.core.expressions.compile import Compiled
from usher.core.expressions.outcomes import DROPS_EMPTY
from usher.core.expressions.values import CERTAINLY_SHORT
from usher.core.model.resources import Json, Value
from usher.core.scim.schemas import AttributeDefinition, AttributeType, convert, takes_any_text


@dataclass(frozen=True, slots=True)
class Direct:
    """The value of one source attribute."""

    source: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for everybody: `text` is what the mapping says, `value` the same, typed by the target's schema."""

    text: str
    value: Json


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of an expression."""

    expression: Compiled


@dataclass(frozen=True, slots=True)
class Unique:
    """The first value of `SelectUniqueValue` that nobody has at the target; chosen when the account is created."""

    expression: Compiled


@dataclass(frozen=True, slots=True)
class Untouched:
    """The target's own; only its default fills an empty value."""


@dataclass(frozen=True, slots=True)
class Refers:
    """The account of the resource whose source id the attribute holds; of several ids, of each.

    It is given when both accounts are there, after all else: see `core.sync.references`.
    """

    source: str


Flow: TypeAlias = Direct | Constant | Computed | Unique | Untouched | Refers


Evaluation: TypeAlias = Callable[[Mapping[str, Value]], Json]
"""Gives the typed value of one rule for one person, None for null; raises ResourceError."""


def ignores_null(flow: Flow) -> bool:
    """Whether nothing at all happens when there is no value, not even the default."""
    return isinstance(flow, Computed) and flow.expression.root.name == DROPS_EMPTY


def evaluation(flow: Flow, definition: AttributeDefinition | None) -> Evaluation:
    """What gives the value, typed by the definition; nothing for what is chosen or looked up at the target."""
    match flow:
        case Direct(source=name):
            return _direct(name, definition)
        case Computed(expression=expression):
            return _computed(expression, definition)
        case Constant(value=constant):
            return lambda _: constant
        case Unique() | Untouched() | Refers():
            return lambda _: None


_FLAGS: Final = {"True": True, "False": False}
"""How expressions write them mostly; `convert` knows all other ways."""


def _direct(name: str, definition: AttributeDefinition | None) -> Evaluation:
    takes_texts = takes_any_text(definition)

    def evaluate(attributes: Mapping[str, Value]) -> Json:
        value = attributes.get(name)
        if value is None or (takes_texts and isinstance(value, str)):
            return value
        return None if value == () else convert(definition, value)

    return evaluate


def _computed(expression: Compiled, definition: AttributeDefinition | None) -> Evaluation:
    run, takes_texts = expression.run, takes_any_text(definition)
    one_flag = definition is not None and definition.type is AttributeType.BOOLEAN and not definition.multi_valued
    flags = _FLAGS if one_flag else {}

    def evaluate(attributes: Mapping[str, Value]) -> Json:
        value = run(attributes)
        if isinstance(value, str) and len(value) <= CERTAINLY_SHORT:
            if takes_texts:
                return value
            if value in flags:
                return flags[value]
        value = expression.bounded(value)
        return None if value is None or value == () else convert(definition, value)

    return evaluate
