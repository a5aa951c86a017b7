"""Vectors of the functions that say how a value flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector

TITLE = 'IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443", "Dr.", "3444", "Prof.", "3445", "Prof. Dr."))'
UNIQUE = (
    'SelectUniqueValue(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [first], [last]))), "contoso.com"),'
    ' Join("@", NormalizeDiacritics(StripSpaces(Join(".", Mid([first], 1, 1), [last]))), "contoso.com"))'
)

VECTORS: Mapping[str, Sequence[Vector]] = {
    "IgnoreFlowIfNullOrEmpty": [
        Vector("IgnoreFlowIfNullOrEmpty([department])", {}, None),
        Vector("IgnoreFlowIfNullOrEmpty([department])", {"department": ""}, None),
        Vector("IgnoreFlowIfNullOrEmpty([department])", {"department": ()}, None),
        Vector("IgnoreFlowIfNullOrEmpty([department])", {"department": "Sales"}, "Sales"),
        Vector("IgnoreFlowIfNullOrEmpty([department])", {"department": ("a", "b")}, ("a", "b")),
        Vector("IgnoreFlowIfNullOrEmpty([department])", {"department": 0}, 0),
        Vector("IgnoreFlowIfNullOrEmpty([department])", {"department": False}, False),
        Vector(TITLE, {"prefix": "3444"}, "Prof."),
        Vector(TITLE, {"prefix": "9"}, None),
    ],
    "Redact": [
        Vector("Redact([userPrincipalName])", {"userPrincipalName": "a@b"}, "a@b"),
        Vector('Redact("StringToBeRedacted")', {}, "StringToBeRedacted"),
        Vector("Redact([a])", {}, None),
        Vector("Redact([a])", {"a": ""}, ""),
        Vector("Redact([a])", {"a": ("x", "y")}, ("x", "y")),
        Vector("Redact([a])", {"a": True}, True),
        Vector('Join("-", Redact([a]), [b])', {"a": "x", "b": "y"}, "x-y"),
        Vector("Redact()", refused="Redact can't have no argument"),
    ],
    "SelectUniqueValue": [
        Vector(UNIQUE, {"first": "John", "last": "Smith"}, "John.Smith@contoso.com"),
        Vector(UNIQUE, {"first": "Jéssica", "last": "von Süd"}, "Jessica.vonSud@contoso.com"),
        Vector("SelectUniqueValue([a], [b])", {"b": "second"}, "second"),
        Vector("SelectUniqueValue([a], [b], [c])", {"c": "third"}, "third"),
        Vector("SelectUniqueValue([a], [b])", {}, None),
        Vector("SelectUniqueValue([a], Not([b]))", {"a": "x", "b": "maybe"}, "x"),
        Vector(
            "SelectUniqueValue(Not([b]), [a])", {"a": "x", "b": "maybe"}, error="Not: [b] is neither True nor False"
        ),
        Vector("SelectUniqueValue([a])", refused="SelectUniqueValue can't have one argument"),
        Vector("ToLower(SelectUniqueValue([a], [b]))", refused="SelectUniqueValue has to be the whole expression"),
    ],
    "DefaultDomain": [
        Vector("DefaultDomain()", {}, "example.com"),
        Vector('Join("@", [alias], DefaultDomain())', {"alias": "ada"}, "ada@example.com"),
        Vector('Append("@", DefaultDomain())', {}, "@example.com"),
        Vector("ToUpper(DefaultDomain())", {}, "EXAMPLE.COM"),
        Vector('Replace([mail], "old.example", , , DefaultDomain(), , )', {"mail": "a@old.example"}, "a@example.com"),
        Vector('IIF(DefaultDomain() = "example.com", "ours", "other")', {}, "ours"),
        Vector("DefaultDomain([a])", refused="DefaultDomain can't have one argument"),
    ],
}
