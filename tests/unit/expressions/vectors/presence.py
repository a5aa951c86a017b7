"""Vectors of the functions that ask whether there is a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector

FIRST = "Coalesce([mail],[userPrincipalName])"

VECTORS: Mapping[str, Sequence[Vector]] = {
    "Coalesce": [
        Vector(FIRST, {"userPrincipalName": "John.Doe@contoso.com"}, "John.Doe@contoso.com"),
        Vector(FIRST, {"mail": "a@b", "userPrincipalName": "c@d"}, "a@b"),
        Vector(FIRST, {"mail": "", "userPrincipalName": "c@d"}, ""),
        Vector(FIRST, {"mail": (), "userPrincipalName": "c@d"}, "c@d"),
        Vector(FIRST, {}, None),
        Vector('Coalesce([a], [b], "none")', {}, "none"),
        Vector('Coalesce([a], [b], "")', {}, ""),
        Vector("Coalesce([a], )", {}, None),
        Vector("Coalesce([a], [b])", {"a": False, "b": True}, False),
        Vector("Coalesce([a], [b])", {"b": ("x", "y")}, ("x", "y")),
        Vector("Coalesce([a])", {"a": 7}, 7),
        Vector("Coalesce([a], Not([b]))", {"a": "x", "b": "maybe"}, "x"),
        Vector("Coalesce([a], Not([b]))", {"b": "maybe"}, error="Not: [b] is neither True nor False"),
        Vector("Coalesce()", refused="Coalesce can't have no argument"),
    ],
    "IsNull": [
        Vector("IsNull([displayName])", {}, True),
        Vector("IsNull([displayName])", {"displayName": "Ada"}, False),
        Vector("IsNull([displayName])", {"displayName": ""}, False),
        Vector("IsNull([displayName])", {"displayName": ()}, True),
        Vector("IsNull([displayName])", {"displayName": ("",)}, False),
        Vector("IsNull([displayName])", {"displayName": False}, False),
        Vector("IsNull([displayName])", {"displayName": 0}, False),
        Vector('IsNull(Switch([a], , "x", "y"))', {"a": "z"}, True),
    ],
    "IsNullOrEmpty": [
        Vector("IsNullOrEmpty([displayName])", {}, True),
        Vector("IsNullOrEmpty([displayName])", {"displayName": ""}, True),
        Vector("IsNullOrEmpty([displayName])", {"displayName": ()}, True),
        Vector("IsNullOrEmpty([displayName])", {"displayName": " "}, False),
        Vector("IsNullOrEmpty([displayName])", {"displayName": "Ada"}, False),
        Vector("IsNullOrEmpty([displayName])", {"displayName": False}, False),
        Vector("IsNullOrEmpty([displayName])", {"displayName": ("a", "b")}, False),
    ],
    "IsPresent": [
        Vector("IsPresent([manager])", {"manager": "m"}, True),
        Vector("IsPresent([manager])", {}, False),
        Vector("IsPresent([manager])", {"manager": ""}, False),
        Vector("IsPresent([manager])", {"manager": ()}, False),
        Vector("IsPresent([manager])", {"manager": " "}, True),
        Vector("IsPresent([manager])", {"manager": 0}, True),
        Vector("IsPresent(Left([manager], 0))", {"manager": "m"}, False),
    ],
    "IsString": [
        Vector("IsString([a])", {"a": "x"}, True),
        Vector("IsString([a])", {"a": ""}, True),
        Vector("IsString([a])", {"a": 7}, True),
        Vector("IsString([a])", {"a": True}, True),
        Vector("IsString([a])", {}, False),
        Vector("IsString([a])", {"a": ("x",)}, False),
        Vector("IsString([a])", {"a": ()}, False),
    ],
}
