"""Functions that make roles at the target of the roles that a scope assigns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from usher.core.expressions.inputs import Attributes, Evaluate, Input
from usher.core.expressions.signatures import Example, Function, Kind, Parameter, alone
from usher.core.model.resources import Value


def _read_roles(given: Input) -> Callable[[Attributes], tuple[str, ...]]:
    """Each role once, in their order: somebody can have one of the scope itself and of two groups."""

    def read(attributes: Attributes) -> tuple[str, ...]:
        value = given.evaluate(attributes)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        roles = dict.fromkeys(given.write(item) for item in values)
        return tuple(role for role in roles if role)

    return read


def _build_single(arguments: Sequence[Input]) -> Evaluate:
    """The only role as a text, null without one. More than one role is an error of that person."""
    given = arguments[0]
    read = _read_roles(given)

    def evaluate(attributes: Attributes) -> Value | None:
        roles = read(attributes)
        if len(roles) > 1:
            raise given.failure("has several roles where one is needed: assign one, or use AppRoleAssignmentsComplex")
        return roles[0] if roles else None

    return evaluate


def _build_complex(arguments: Sequence[Input]) -> Evaluate:
    """All roles, as the values of `roles`, none of them primary. Roles that the app has beside them are removed.

    With `apply: AddValuesOnly` roles are only added, which the reference does always.
    """
    return _read_roles(arguments[0])


def _build_assertive(arguments: Sequence[Input]) -> Evaluate:
    """All roles, as the values of `roles`, none of them primary. Roles that the app has beside them are removed."""
    return _read_roles(arguments[0])


_ASSIGNED: Final = (Parameter("appRoleAssignments"),)
_BOTH: Final = {"appRoleAssignments": ("Admin", "Editor")}

FUNCTIONS: Final = (
    Function(
        "SingleAppRoleAssignment",
        _ASSIGNED,
        (),
        alone(_build_single),
        Example("SingleAppRoleAssignment([appRoleAssignments])", "Admin", {"appRoleAssignments": ("Admin",)}),
        differs="Several roles are an error; the reference leaves open which one it takes.",
    ),
    Function(
        "AppRoleAssignmentsComplex",
        _ASSIGNED,
        (),
        alone(_build_complex),
        Example("AppRoleAssignmentsComplex([appRoleAssignments])", ("Admin", "Editor"), _BOTH),
        differs="A role that is withdrawn at the source is taken away, unless the mapping says AddValuesOnly.",
        kind=Kind.OUTERMOST,
    ),
    Function(
        "AssertiveAppRoleAssignmentsComplex",
        _ASSIGNED,
        (),
        alone(_build_assertive),
        Example("AssertiveAppRoleAssignmentsComplex([appRoleAssignments])", ("Admin", "Editor"), _BOTH),
        kind=Kind.OUTERMOST,
    ),
)
