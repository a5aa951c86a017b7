"""Vectors of the functions about several values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector

MAILS = ("SMTP:a@b", "smtp:c@d")
NO_DELIMITER = " is empty where a delimiter is needed"

VECTORS: Mapping[str, Sequence[Vector]] = {
    "Count": [
        Vector("Count([mails])", {"mails": MAILS}, 2),
        Vector("Count([mails])", {"mails": ("a", "a", "")}, 3),
        Vector("Count([mails])", {"mails": ()}, 0),
        Vector("Count([mails])", {}, 0),
        Vector("Count([mails])", {"mails": "a@b"}, 1),
        Vector("Count([mails])", {"mails": False}, 1),
        Vector('Count(Split([a], ","))', {"a": "x,y,z"}, 3),
    ],
    "Item": [
        Vector("Item([mails], 1)", {"mails": MAILS}, "SMTP:a@b"),
        Vector("Item([mails], 2)", {"mails": MAILS}, "smtp:c@d"),
        Vector("Item([mails], 3)", {"mails": MAILS}, None),
        Vector("Item([mails], 1)", {"mails": "a@b"}, "a@b"),
        Vector("Item([mails], 1)", {}, None),
        Vector("Item([mails], [n])", {"mails": (1, True), "n": "2"}, True),
        Vector("Item([mails], [n])", {"mails": (1, True), "n": 2.0}, True),
        Vector('Item(Split([a], ";"), 3)', {"a": "x;;z"}, "z"),
        Vector("Item([mails], [n])", {"mails": MAILS, "n": 0}, error="Item: [n] is less than 1"),
        Vector("Item([mails], [n])", {"mails": MAILS}, error="Item: [n] is no whole number"),
        Vector("Item([mails], [n])", {"mails": MAILS, "n": 1.5}, error="Item: [n] is no whole number"),
        Vector("Item([mails], [n])", {"mails": MAILS, "n": True}, error="Item: [n] is no number"),
        Vector("Item([mails], 0)", refused="Item: a number is less than 1 (line 1, column 15"),
        Vector('Item([mails], "x")', refused="Item: a text is no number"),
        Vector("Item([mails], )", refused="Item: index can't be left empty"),
    ],
    "RemoveDuplicates": [
        Vector("RemoveDuplicates([mails])", {"mails": ("b", "a", "b")}, ("b", "a")),
        Vector("RemoveDuplicates([mails])", {"mails": ("a", "A")}, ("a", "A")),
        Vector("RemoveDuplicates([mails])", {"mails": ("a",)}, ("a",)),
        Vector("RemoveDuplicates([mails])", {"mails": ()}, ()),
        Vector("RemoveDuplicates([mails])", {}, None),
        Vector("RemoveDuplicates([mails])", {"mails": "a"}, "a"),
        Vector("RemoveDuplicates([mails])", {"mails": (1, True, "1", 1.0)}, (1, True)),
        Vector(
            "RemoveDuplicates([mails])",
            {"mails": (10**5000,)},
            error="RemoveDuplicates: [mails] is a number too long to be written",
        ),
    ],
    "Split": [
        Vector(
            'Split([a], ",")', {"a": "PermissionSetOne, PermissionSetTwo"}, ("PermissionSetOne", "PermissionSetTwo")
        ),
        Vector('Split([a], ",")', {"a": "one"}, ("one",)),
        Vector('Split([a], ",")', {"a": "a,,b,"}, ("a", "", "b", "")),
        Vector('Split([a], ",")', {"a": ""}, None),
        Vector('Split([a], ",")', {}, None),
        Vector('Split([a], "::")', {"a": "x::y:z"}, ("x", "y:z")),
        Vector('Split([a], " ")', {"a": "x y"}, ("x", "y")),
        Vector('Split([a], "X")', {"a": "axbXc"}, ("axb", "c")),
        Vector('Split([a], ";")', {"a": "\ta ; b"}, ("\ta", "b")),
        Vector("Split([a], 0)", {"a": 101}, ("1", "1")),
        Vector('Split([a], ",")', {"a": ("x", "y")}, error="Split: [a] is multi-valued where a single value is needed"),
        Vector("Split([a], [b])", {"a": "x"}, error="Split: [b]" + NO_DELIMITER),
        Vector('Split([a], ",")', {"a": "," * 70_000}, error="Split: the result is longer than 64 KiB"),
        Vector('Split([a], "")', refused="Split: a text" + NO_DELIMITER),
    ],
}
