"""Vectors of the functions of chance, whose turns are the same in every test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector


def impossible(arguments: str, why: str) -> Vector:
    return Vector(f"RandomString({arguments})", refused=f"RandomString: {why} (line 1, column 14: expected a Length up")


def fails(arguments: str, attributes: Mapping[str, str | int], why: str) -> Vector:
    return Vector(f"RandomString({arguments})", attributes, error=f"RandomString: {why}")


VECTORS: Mapping[str, Sequence[Vector]] = {
    "Guid": [
        Vector("Guid()", {}, "f728b4fa-4248-4e3a-8a5d-2f346baa9455"),
        Vector("CBool(Guid() = Guid())", {}, False),
        Vector('Switch(Guid(), "other", Guid(), "same")', {}, "other"),
        Vector('Switch([x], Guid(), "", "none")', {}, "none"),
        Vector('IIF([x] = "y", Guid(), "none")', {"x": "n"}, "none"),
        Vector("Guid([x])", refused="Guid can't have one argument"),
    ],
    "RandomString": [
        Vector("RandomString(6,3,0,0,3)", {}, "d8e24y"),
        Vector('RandomString(10,2,2,2,1,"?,")', {}, "1F4^#fV#Kp"),
        Vector("CBool(RandomString(12, 0, 0, 0, 0) = RandomString(12, 0, 0, 0, 0))", {}, False),
        Vector("RandomString(4, 4, 0, 0, 0, [avoid])", {"avoid": "012345678"}, "9999"),
        Vector("RandomString([n], 0, 1, 0, 0, [avoid])", {"n": "1", "avoid": "~!@#$%^&*_-+='|\\(){}[]:;\"<>,.?`"}, "/"),
        Vector("CBool(RandomString(1, 0, 0, 0, 0, ) = 10)", {}, False),
        impossible("0, 0, 0, 0, 0", "Length has to be from 1 to 256"),
        impossible("257, 0, 0, 0, 0", "Length has to be from 1 to 256"),
        impossible("9, 1, 2, 3, 4", "Length is less than all minimums together"),
        Vector("RandomString(9, 1, -2, 3, 4)", refused="RandomString: a number is less than 0 (line 1, column 20"),
        impossible('9, 1, 0, 0, 0, "0123456789"', "CharactersToAvoid leaves nothing for MinimumNumbers"),
        fails("[n], 0, 0, 0, 0", {"n": 300}, "Length has to be from 1 to 256"),
        fails("[n], 0, 0, 0, 0", {}, "[n] is no whole number"),
        fails("4, 4, 0, 0, 0, [avoid]", {"avoid": "0123456789"}, "CharactersToAvoid leaves nothing for MinimumNumbers"),
        Vector("RandomString(6,3,0)", refused="RandomString can't have 3 arguments"),
        Vector('RandomString("x", 0, 0, 0, 0)', refused="RandomString: a text is no number (line 1, column 14"),
    ],
}
