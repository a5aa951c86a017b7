"""What a mapping may say and perhaps does not mean: warnings, for whoever checks it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from usher.core.expressions.outcomes import DROPS_EMPTY, SWITCH, always_has_value
from usher.core.expressions.syntax import Argument, Attribute, Call, Comparison, Operator, Text, walk
from usher.core.model.resources import ResourceType
from usher.core.sync.flaws import Flaw, Severity
from usher.core.sync.flows import Computed, Constant, Unique, ignores_null
from usher.core.sync.leaving import CAUSES, Deprovisioning, Policy, Writes
from usher.core.sync.retyping import place_of
from usher.core.sync.rules import AttributeRule, CompiledMapping

_PRESENCE: Final = frozenset({"IsNull", "IsNullOrEmpty", "IsPresent"})
_STAY: Final = {
    ResourceType.USER: "without Update leavers keep an active account, as a disable is an update",
    ResourceType.GROUP: "without Update groups that leave keep their members, and those that stay get none",
}


def find_doubts(mapping: CompiledMapping) -> Iterator[Flaw]:
    """Warnings, in the order of the rules: `Switch` on presence, a comparison with nothing, a default without a use.

    And a disable attribute that is not mapped, at the list of the rules, and leavers who stay, at the actions.
    """
    for rule in mapping.rules:
        if isinstance(rule.flow, Computed | Unique):
            for node in walk(rule.flow.expression.root):
                doubt = _doubt_of(node)
                if doubt:
                    yield Flaw(place_of(rule, "expression"), doubt, Severity.WARNING)
        unused = _why_unused(rule)
        if unused:
            yield Flaw(place_of(rule, "default"), f"the default is never used: {unused}", Severity.WARNING)
    if mapping.disable_path is not None and mapping.disabling is None:
        yield Flaw(_place_of_rules(mapping), _unmapped(mapping.disable_path), Severity.WARNING)
    if Writes.UPDATE not in mapping.writes:
        place = f"{_place_of_rules(mapping).partition(' ')[0]} spec.actions"
        yield Flaw(place, _STAY[mapping.resource_type], Severity.WARNING)


def find_idle_deletions(
    connector: str, deprovisioning: Deprovisioning, mappings: Sequence[CompiledMapping]
) -> Iterator[Flaw]:
    """Warnings of a connector (`ProvisioningConnector/wiki`) that writes Delete, which then does less than it says."""
    if all(deprovisioning.of(cause) is not Policy.DELETE for cause in CAUSES):
        return
    place = f"{connector} spec.deprovisioning"
    if deprovisioning.delete_after is None:
        problem = "without deleteAfter an account that was disabled stays so: Delete deletes it only where the source"
        yield Flaw(f"{place}.deleteAfter", f"{problem} itself tells its deletion", Severity.WARNING)
    for mapping in mappings:
        if Writes.DELETE not in mapping.writes:
            name = _place_of_rules(mapping).partition(" ")[0]
            yield Flaw(place, f"Delete deletes nothing where {name} has no action Delete", Severity.WARNING)


def _doubt_of(node: Argument) -> str:
    match node:
        case Call(name=name, arguments=(Call(name=presence), *_)) if name == SWITCH and presence in _PRESENCE:
            return (
                f'Switch on {presence} ({node.position}): its keys have to be "True" and "False".'
                f' IIF({presence}(...), ..., ...) says the same, and Switch([attribute], ..., "", ...) on the attribute'
                " itself has a key for nothing"
            )
        case Comparison(operator=Operator.EQUAL, left=left, right=right) if _is_nothing(left, right):
            return (
                f'a comparison with "" never holds ({node.position}), as one with an attribute that is null or empty'
                ' does not: use Switch with the key ""'
            )
        case _:
            return ""


def _is_nothing(left: Argument, right: Argument) -> bool:
    """Whether one side is the empty text, and the other something that can vary."""
    pairs = ((left, right), (right, left))
    return any(isinstance(a, Text) and a.value == "" and isinstance(b, Attribute | Call) for a, b in pairs)


def _why_unused(rule: AttributeRule) -> str:
    """Why the default of the rule can't ever be a value, empty where it can or there is none."""
    if rule.default is None:
        return ""
    match rule.flow:
        case Constant():
            return "a constant is a value for everybody"
        case flow if ignores_null(flow):
            return f"{DROPS_EMPTY} leaves the attribute alone where there is no value"
        case Computed(expression=expression) if always_has_value(expression.root):
            return "the expression has a value for everybody"
        case _:
            return ""


def _place_of_rules(mapping: CompiledMapping) -> str:
    return mapping.rules[0].place.rpartition("[")[0] if mapping.rules else ""


def _unmapped(path: str) -> str:
    return (
        f"{path} is not mapped. A leaver's account is disabled all the same; but the mapping enables nobody's: a new"
        f" account is as the app makes it, and one that others disabled at the app stays so. To manage it, map {path}"
        ' to Switch([IsSoftDeleted], , "False", "True", "True", "False")'
    )
