"""Whether what an expression gives can be a value of its attribute, as far as the text of the expression says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from usher.core.errors import ResourceError
from usher.core.expressions.outcomes import DROPS_EMPTY, branches
from usher.core.expressions.syntax import Argument, Call, Number, Text, label
from usher.core.scim.schemas import AttributeDefinition, AttributeType, ConversionError, convert
from usher.core.sync.flaws import Flaw
from usher.core.sync.flows import Computed, Unique
from usher.core.sync.retyping import place_of
from usher.core.sync.rules import Apply, AttributeRule

_FLAG: Final = frozenset({AttributeType.BOOLEAN})
_NUMBERS: Final = frozenset({AttributeType.INTEGER, AttributeType.DECIMAL})
_NEVER: Final[Mapping[str, frozenset[AttributeType]]] = {
    **dict.fromkeys(("BitAnd", "Count", "DateDiff", "InStr", "NumFromDate"), _FLAG),
    **dict.fromkeys(("ConvertToBase64", "ConvertToUTF8Hex", "FormatDateTime", "RandomString"), _FLAG),
    **dict.fromkeys(("CDate", "DateAdd", "DateFromNum", "DefaultDomain", "Guid", "Now"), _FLAG | _NUMBERS),
    **dict.fromkeys(("CBool", "IsNull", "IsNullOrEmpty", "IsPresent", "IsString", "Not"), _NUMBERS),
}
"""By function the types that no value of it can have."""
_EXPECTED: Final[Mapping[AttributeType, str]] = {
    AttributeType.BOOLEAN: "true or false",
    AttributeType.INTEGER: "a whole number",
    AttributeType.DECIMAL: "a number",
}


def find_misfits(rule: AttributeRule) -> Iterator[Flaw]:
    """The branches of the rule's expression whose value can't be converted to the attribute's type."""
    definition = rule.definition
    if not isinstance(rule.flow, Computed | Unique) or definition is None:
        return
    drops_empty = rule.flow.expression.root.name == DROPS_EMPTY
    for node in branches(rule.flow.expression.root):
        if isinstance(node, Text) and node.value == "" and drops_empty:
            continue
        problem = _misfit(node, definition)
        if problem:
            yield Flaw(place_of(rule, "expression"), problem)


def why_not_again(rule: AttributeRule) -> Iterator[tuple[str, str]]:
    """What keeps the value of a rule from being written more than once, on creation: the field, and why."""
    if not isinstance(rule.flow, Computed) or rule.apply is Apply.ON_CREATE:
        return
    called = " and ".join(f"{name}()" for name in sorted(rule.flow.expression.volatile))
    if called:
        yield "apply", f"{called} would give another value in every cycle: write it on creation only, apply: OnCreate"


def _misfit(node: Argument, definition: AttributeDefinition) -> str:
    match node:
        case Text(value=value, position=position) | Number(value=value, position=position):
            try:
                convert(definition, value)
            except ResourceError as error:
                return f"{label(node)} that this can give does not fit: {error.message} ({position})"
        case Call(position=position) if definition.type in _never(node):
            expected = ConversionError(_EXPECTED[definition.type]).message
            return f"{label(node)} gives nothing that fits: {expected} ({position})"
        case _:
            pass
    return ""


def _never(call: Call) -> frozenset[AttributeType]:
    if call.name != "Append" or len(call.arguments) != 2 or not isinstance(suffix := call.arguments[1], Text):
        return _NEVER.get(call.name, frozenset())
    tail = suffix.value.strip().lower()
    if tail == "" or "true".endswith(tail) or "false".endswith(tail):
        return frozenset()
    return _FLAG
