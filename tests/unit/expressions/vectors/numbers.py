"""Vectors of the functions about numbers, and from one type to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector
from usher.core.model.resources import Value

SINGLE = "is multi-valued where a single value is needed"


def and_two(value: Value, expected: int) -> Vector:
    return Vector("BitAnd([x], 2)", {"x": value}, expected)


def no_number(value: Value, why: str) -> Vector:
    return Vector("BitAnd([x], 2)", {"x": value}, error=f"BitAnd: [x] {why}")


def truth(value: Value, expected: bool) -> Vector:
    return Vector("CBool([x])", {"x": value}, expected)


def text(value: Value, expected: str) -> Vector:
    return Vector("CStr([x])", {"x": value}, expected)


VECTORS: Mapping[str, Sequence[Vector]] = {
    "BitAnd": [
        Vector("BitAnd(&HF, &HF7)", {}, 7),
        Vector('IIF(BitAnd([uac], 2) = 2, "off", "on")', {"uac": "514"}, "off"),
        Vector('IIF(BitAnd([uac], 2) = 2, "off", "on")', {"uac": "512"}, "on"),
        and_two(514, 2),
        and_two(514.0, 2),
        and_two("514.0", 2),
        and_two(-1, 2),
        and_two("-2147483646", 2),
        Vector("BitAnd([x], -2147483648)", {"x": -2147483646}, -2147483648),
        Vector("BitAnd([x], [x])", {"x": 2**80 + 1}, 2**80 + 1),
        Vector("BitAnd([x], 2)", {}, None),
        Vector("BitAnd(2, [x])", {"x": ""}, None),
        no_number("five", "is no number"),
        no_number("&HF", "is no number"),
        no_number(True, "is no number"),
        no_number(2.5, "is no whole number"),
        no_number(float("inf"), "is no whole number"),
        no_number((2,), SINGLE),
        Vector('BitAnd("x", [x])', refused="BitAnd: a text is no number (line 1, column 8: expected a number)"),
        Vector("BitAnd(1.5, [x])", refused="BitAnd: a number is no whole number (line 1, column 8"),
    ],
    "CBool": [
        Vector("CBool([a] = [b])", {"a": "x", "b": "x"}, True),
        Vector("CBool([a] = [b])", {"a": "x", "b": "X"}, False),
        Vector("CBool([a] = [b])", {"a": "x"}, False),
        Vector("CBool([a] > 5)", {"a": "10"}, True),
        Vector("CBool([a] <> [b])", {"a": 1, "b": 2}, True),
        Vector('Switch(CBool([a] = "x"), "no", "True", "yes")', {"a": "x"}, "yes"),
        Vector("CBool(2)", {}, True),
        Vector("CBool(&H0)", {}, False),
        truth(0, False),
        truth(-1, True),
        truth(0.0, False),
        truth(0.1, True),
        truth("0", False),
        truth("0.0", False),
        truth("10", True),
        truth(True, True),
        truth("False", False),
        truth("TRUE", True),
        Vector("CBool([x])", {}, None),
        Vector("CBool([x])", {"x": ""}, None),
        Vector("CBool([x])", {"x": "yes"}, error="CBool: [x] is neither a number nor True nor False"),
        Vector("CBool([x])", {"x": (1,)}, error=f"CBool: [x] {SINGLE}"),
        Vector('CBool("yes")', refused="column 7: expected a comparison, a number, True or False)"),
    ],
    "CStr": [
        text("cn=Joe,dc=contoso,dc=com", "cn=Joe,dc=contoso,dc=com"),
        text(True, "True"),
        text(False, "False"),
        text(7, "7"),
        text(-1.5, "-1.5"),
        text(1.0, "1"),
        text(2**64, "18446744073709551616"),
        text("", ""),
        Vector("CStr(&HF)", {}, "15"),
        Vector("CStr(CBool(1))", {}, "True"),
        Vector("CStr([x])", {}, None),
        Vector("CStr([x])", {"x": ("a", "b")}, error=f"CStr: [x] {SINGLE}"),
        Vector("CStr([x])", {"x": 10**5000}, error="CStr: [x] is a number too long to be written"),
        Vector("CStr([a] = [b])", refused="CStr: value can't be a comparison"),
    ],
}
