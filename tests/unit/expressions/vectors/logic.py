"""Vectors of the functions that choose: Switch, Not, IIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector
from usher.core.model.resources import Value

STATE = 'Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney", "QLD", "Australia/Brisbane")'
ACTIVE = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'
COUNTRY = 'Switch([country], [country], "", "Other")'
SAME = 'Switch([a], "none", [b], "same")'
MANAGER = (
    "Switch(IsPresent([directManager]),[directManager], IsPresent([skip]),[skip], IsPresent([director]),[director])"
)
DEPARTMENT = 'IIF([country]="USA",[country],[department])'
MANY = " is multi-valued where a single value is needed"


def iif(condition: str, attributes: Mapping[str, Value], expected: str) -> Vector:
    return Vector(f'IIF({condition}, "yes", "no")', attributes, expected)


VECTORS: Mapping[str, Sequence[Vector]] = {
    "Switch": [
        Vector(STATE, {"state": "QLD"}, "Australia/Brisbane"),
        Vector(STATE, {"state": "qld"}, "Australia/Sydney"),
        Vector(STATE, {}, "Australia/Sydney"),
        Vector(ACTIVE, {"IsSoftDeleted": False}, "True"),
        Vector(ACTIVE, {"IsSoftDeleted": True}, "False"),
        Vector(ACTIVE, {"IsSoftDeleted": "True"}, "False"),
        Vector(ACTIVE, {}, None),
        Vector(COUNTRY, {"country": ""}, "Other"),
        Vector(COUNTRY, {}, "Other"),
        Vector(COUNTRY, {"country": ()}, "Other"),
        Vector(COUNTRY, {"country": "CH"}, "CH"),
        Vector('Switch([flag], "Default Value", "true", "1", "", "0")', {}, "0"),
        Vector('Switch(ToLower([flag]), "0", "true", "1", "false", "0")', {"flag": "TRUE"}, "1"),
        Vector('Switch([level], , 1, "one", &HF, "fifteen")', {"level": 15}, "fifteen"),
        Vector('Switch([a], "none", "x", "first", "x", "second")', {"a": "x"}, "first"),
        Vector(SAME, {"a": "x", "b": "x"}, "same"),
        Vector(SAME, {}, "same"),
        Vector(SAME, {"a": "x"}, "none"),
        Vector('Switch([a], , "x", [many])', {"a": "x", "many": ("p", "q")}, ("p", "q")),
        Vector('Switch(IsPresent([a]), , "True", "there", "False", "gone")', {"a": "x"}, "there"),
        Vector('Switch(IsPresent([a]), , "True", "there", "False", "gone")', {"a": ""}, "gone"),
        Vector('Switch(IsNull([a]), "no", "True", "yes")', {}, "yes"),
        Vector('Switch(IsNullOrEmpty([a]), "no", "True", "yes")', {"a": ""}, "yes"),
        Vector(MANAGER, {"directManager": "m", "skip": "s"}, "s"),
        Vector(MANAGER, {"directManager": "m", "director": "d"}, "d"),
        Vector(MANAGER, {"directManager": "m"}, "m"),
        Vector('Switch([a], Not([b]), "y", "fine")', {"a": "y", "b": "maybe"}, "fine"),
        Vector('Switch([many], , "a", "b")', {"many": ("a", "b")}, error="Switch: [many]" + MANY),
        Vector('Switch("a", , [many], "b")', {"many": ("a", "b")}, error="Switch: [many]" + MANY),
        Vector('Switch([a], , "b")', refused="Switch can't have 3 arguments"),
    ],
    "Not": [
        Vector("Not([IsSoftDeleted])", {"IsSoftDeleted": True}, False),
        Vector("Not([IsSoftDeleted])", {"IsSoftDeleted": False}, True),
        Vector("Not([IsSoftDeleted])", {"IsSoftDeleted": "True"}, False),
        Vector("Not([IsSoftDeleted])", {"IsSoftDeleted": "False"}, True),
        Vector("Not([IsSoftDeleted])", {"IsSoftDeleted": "true"}, False),
        Vector("Not([IsSoftDeleted])", {"IsSoftDeleted": ""}, None),
        Vector("Not([IsSoftDeleted])", {}, None),
        Vector("Not(IsPresent([a]))", {"a": "x"}, False),
        Vector("Not([x])", {"x": "yes"}, error="Not: [x] is neither True nor False"),
        Vector("Not([x])", {"x": "1"}, error="Not: [x] is neither True nor False"),
        Vector("Not([x])", {"x": 0}, error="Not: [x] is neither True nor False"),
        Vector("Not([x])", {"x": 1.0}, error="Not: [x] is neither True nor False"),
        Vector("Not([x])", {"x": ("True",)}, error="Not: [x]" + MANY),
        Vector("Not(ToLower([x]))", {"x": "s e c r e t!"}, error="Not: ToLower(...) is neither True nor False"),
        Vector('Not("yes")', refused="Not: a text is neither True nor False"),
    ],
    "IIF": [
        iif('[country]="USA"', {"country": "USA"}, "yes"),
        iif('[country]="USA"', {"country": "usa"}, "no"),
        iif('[country]="USA"', {}, "no"),
        iif('[country]<>"USA"', {"country": "CH"}, "yes"),
        iif('[country]<>"USA"', {}, "no"),
        iif('[country]<>"USA"', {"country": ""}, "no"),
        iif('[country]=""', {"country": ""}, "no"),
        iif('[country]<>""', {"country": "CH"}, "yes"),
        iif('"USA"=[country]', {"country": "USA"}, "yes"),
        iif("[n]>9", {"n": "10"}, "yes"),
        iif("[n]>9", {"n": 8.5}, "no"),
        iif("[n]>=9", {"n": "9.0"}, "yes"),
        iif("[n]<[m]", {"n": "9", "m": "10"}, "yes"),
        iif("[n]<[m]", {"n": "9", "m": "10a"}, "no"),
        iif("[n]<=-1", {"n": -1}, "yes"),
        iif('[id]="7"', {"id": "007"}, "no"),
        iif("[id]=7", {"id": "007"}, "yes"),
        iif('[flag]="True"', {"flag": True}, "yes"),
        iif("[flag]=1", {"flag": True}, "no"),
        iif("[flag]", {"flag": True}, "yes"),
        iif("[flag]", {"flag": "False"}, "no"),
        iif("[flag]", {}, "no"),
        iif("Not([flag])", {"flag": False}, "yes"),
        iif("Not([flag])", {}, "no"),
        iif('ToLower([a])="x"', {"a": "X"}, "yes"),
        iif("IsNullOrEmpty([country])", {}, "yes"),
        iif("IsPresent([country])", {"country": "CH"}, "yes"),
        iif("IsNull([country])", {"country": ""}, "no"),
        iif('InStr([mail], "@") > 0', {"mail": "a@b"}, "yes"),
        Vector(
            'IIF([country]="USA",IIF([state]="CA","True","False"),"False")', {"country": "USA", "state": "CA"}, "True"
        ),
        Vector(DEPARTMENT, {"country": "CH", "department": ("a", "b")}, ("a", "b")),
        Vector(DEPARTMENT, {"country": "CH"}, None),
        Vector('IIF([a]="x", Not([b]), "fine")', {"a": "y", "b": "maybe"}, "fine"),
        Vector('IIF([many]="a", "b", "c")', {"many": ("a", "b")}, error="the comparison: [many]" + MANY),
        Vector('IIF([word], "b", "c")', {"word": "s e c r e t!"}, error="IIF: [word] is neither True nor False"),
        Vector(
            'IIF([huge]="a", "b", "c")',
            {"huge": 10**5000},
            error="the comparison: a number is too long to be compared with a text",
        ),
        Vector(
            'IIF([word]="x", [longer], "")',
            {"word": "x", "longer": "ä" * 40_000},
            error="IIF: the result is longer than 64 KiB",
        ),
        Vector(
            'IIF([word]="x", [longest], "")',
            {"word": "x", "longest": ("ä" * 20_000, "b" * 30_000)},
            error="IIF: the result is longer than 64 KiB",
        ),
    ],
}
