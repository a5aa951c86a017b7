"""Vectors of the functions about the roles that a scope assigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector
from usher.core.model.resources import Value

CASES: Sequence[tuple[Mapping[str, Value], tuple[str, ...]]] = [
    ({"appRoleAssignments": ("Admin", "Editor")}, ("Admin", "Editor")),
    ({"appRoleAssignments": ("Editor", "Admin", "Editor")}, ("Editor", "Admin")),
    ({"appRoleAssignments": "Admin"}, ("Admin",)),
    ({"appRoleAssignments": ("", "Admin")}, ("Admin",)),
    ({"appRoleAssignments": ()}, ()),
    ({}, ()),
]
SINGLE = "SingleAppRoleAssignment([appRoleAssignments])"


def all_roles(name: str) -> Sequence[Vector]:
    vectors = [Vector(f"{name}([appRoleAssignments])", given, roles) for given, roles in CASES]
    return [*vectors, Vector(f'Join(",", {name}([a]))', refused=f"{name} has to be the whole expression")]


VECTORS: Mapping[str, Sequence[Vector]] = {
    "SingleAppRoleAssignment": [
        Vector(SINGLE, {"appRoleAssignments": ("Admin",)}, "Admin"),
        Vector(SINGLE, {"appRoleAssignments": "Admin"}, "Admin"),
        Vector(SINGLE, {"appRoleAssignments": ("Admin", "Admin")}, "Admin"),
        Vector(SINGLE, {"appRoleAssignments": ()}, None),
        Vector(SINGLE, {}, None),
        Vector(f"ToLower({SINGLE})", {"appRoleAssignments": ("Admin",)}, "admin"),
        Vector(
            SINGLE,
            {"appRoleAssignments": ("Admin", "Editor")},
            error="SingleAppRoleAssignment: [appRoleAssignments] has several roles where one is needed:"
            " assign one, or use AppRoleAssignmentsComplex",
        ),
    ],
    "AppRoleAssignmentsComplex": all_roles("AppRoleAssignmentsComplex"),
    "AssertiveAppRoleAssignmentsComplex": all_roles("AssertiveAppRoleAssignmentsComplex"),
}
