"""Vectors of the functions from texts to texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector

SINGLE = " is multi-valued where a single value is needed"
TOO_LONG = ": the result is longer than 64 KiB"
NAMES = 'Join(", ", "", [surname], [givenName])'
MANY = ("s e c r e t!", "b")
DEEP = "Append(" * 31 + "Append([a], [a])" + ", [a])" * 31
ALIAS = "Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))"

VECTORS: Mapping[str, Sequence[Vector]] = {
    "Join": [
        Vector(NAMES, {"surname": "Doe", "givenName": "John"}, "Doe, John"),
        Vector(NAMES, {"surname": "Doe"}, "Doe"),
        Vector(NAMES, {}, None),
        Vector('Join("", 1000, [id])', {"id": "42"}, "100042"),
        Vector('Join(";", [mails], [mail])', {"mails": ("a", "", "b"), "mail": "c"}, "a;b;c"),
        Vector('Join("@", Join(".", [g], [s]), "contoso.com")', {"g": "John", "s": "Smith"}, "John.Smith@contoso.com"),
        Vector('Join(" ", [a], [b], [c])', {"a": True, "b": -7, "c": 1.5}, "True -7 1.5"),
        Vector('Join("-", [a], [b])', {"a": 1.0, "b": 1e-07}, "1-1e-07"),
        Vector('Join([sep], "a", "b")', {"sep": "/"}, "a/b"),
        Vector('Join([sep], "a", "b")', {}, "ab"),
        Vector('Join([many], "a")', {"many": MANY}, error="Join: [many]" + SINGLE),
        Vector('Join("", [huge])', {"huge": 10**5000}, error="Join: [huge] is a number too long to be written"),
        Vector('Join("", [a], [a])', {"a": "x" * 32_768}, "x" * 65_536),
        Vector('Join("", [a], [a])', {"a": "ä" * 20_000}, error="Join" + TOO_LONG),
        Vector("Join([a], [a], [a])", {"a": "x" * 30_000}, error="Join" + TOO_LONG),
    ],
    "Append": [
        Vector('Append([upn], ".test")', {"upn": "John.Doe@contoso.com"}, "John.Doe@contoso.com.test"),
        Vector(ALIAS, {"givenName": "John", "surname": "Doe"}, "JohDoe"),
        Vector('Append([a], "x")', {}, None),
        Vector('Append([a], "x")', {"a": ""}, "x"),
        Vector("Append([a], [b])", {"a": "x"}, "x"),
        Vector("Append([a], [b])", {"a": 1, "b": True}, "1True"),
        Vector("Append([a], [b])", {"a": "x", "b": MANY}, error="Append: [b]" + SINGLE),
        Vector("Append([a], [a])", {"a": "ä" * 16_384}, "ä" * 32_768),
        Vector("Append([a], [a])", {"a": "ä" * 16_385}, error="Append" + TOO_LONG),
        Vector(DEEP, {"a": "x"}, "x" * 33),
        Vector(DEEP, {"a": "x" * 30_000}, error="Append" + TOO_LONG),
    ],
    "Left": [
        Vector('Left("John Doe", 3)', {}, "Joh"),
        Vector("Left([a], 0)", {"a": "John"}, ""),
        Vector("Left([a], -1)", {"a": "John"}, "John"),
        Vector("Left([a], 9)", {"a": "John"}, "John"),
        Vector("Left([a], 4)", {"a": "John"}, "John"),
        Vector("Left([a], 3)", {}, ""),
        Vector("Left([a], 1)", {"a": "😀x"}, "😀"),
        Vector("Left([a], [n])", {"a": "John", "n": "2"}, "Jo"),
        Vector("Left([a], [n])", {"a": "John", "n": 10**30}, "John"),
        Vector("Left([a], 2)", {"a": True}, "Tr"),
        Vector("Left([a], [n])", {"a": "John"}, error="Left: [n] is no whole number"),
        Vector("Left([a], [n])", {"a": "John", "n": float("inf")}, error="Left: [n] is no whole number"),
        Vector("Left([a], 1)", {"a": MANY}, error="Left: [a]" + SINGLE),
        Vector("Left([a], 1.5)", refused="Left: a number is no whole number"),
    ],
    "Mid": [
        Vector("Mid([a], 1, 3)", {"a": "John Doe"}, "Joh"),
        Vector("Mid([a], 6, 3)", {"a": "John Doe"}, "Doe"),
        Vector("Mid([a], 6, 9)", {"a": "John Doe"}, "Doe"),
        Vector("Mid([a], 9, 1)", {"a": "John Doe"}, ""),
        Vector("Mid([a], 2, 0)", {"a": "John Doe"}, ""),
        Vector("Mid([a], 1, 3)", {}, None),
        Vector("Mid([a], 1, 3)", {"a": ""}, ""),
        Vector("Mid([a], 2, 1)", {"a": "x😀y"}, "😀"),
        Vector("Mid([a], [n], 1)", {"a": "John", "n": "2"}, "o"),
        Vector("Mid([a], [n], 1)", {"a": "John", "n": 0}, error="Mid: [n] is less than 1"),
        Vector("Mid([a], 1, [n])", {"a": "John", "n": -1}, error="Mid: [n] is less than 0"),
        Vector("Mid([a], 0, 1)", refused="Mid: a number is less than 1 (line 1, column 10"),
        Vector("Mid([a], 1)", refused="Mid can't have 2 arguments"),
    ],
    "InStr": [
        Vector('InStr("The quick brown fox","quick")', {}, 5),
        Vector('InStr("repEated","e",3,vbBinaryCompare)', {}, 7),
        Vector('InStr("repEated","e",3,vbTextCompare)', {}, 4),
        Vector('InStr("repEated","e")', {}, 2),
        Vector('InStr("repEated","e", , vbTextCompare)', {}, 2),
        Vector('InStr("repEated","e", 3, )', {}, 7),
        Vector('InStr("repEated","x")', {}, 0),
        Vector('InStr([a],"x")', {}, 0),
        Vector('InStr("abc", "")', {}, 1),
        Vector('InStr("abc", "", 4)', {}, 0),
        Vector('InStr("ÄRGER", "är", 1, vbTextCompare)', {}, 1),
        Vector('InStr("😀@", "@")', {}, 2),
        Vector('InStr("abc", "c", 9)', {}, 0),
        Vector('InStr([a], "c", [n])', {"a": "abc", "n": 0}, error="InStr: [n] is less than 1"),
        Vector('InStr("abc", "c", 0)', refused="InStr: a number is less than 1"),
        Vector('InStr("abc", "c", 1, vbCompare)', refused="compareType has to be one of these words"),
        Vector('InStr("abc", "c", 1, "vbTextCompare")', refused="compareType has to be one of these words"),
    ],
    "Word": [
        Vector('Word("The quick brown fox",3," ")', {}, "brown"),
        Vector('Word("This,string!has&many separators",3,",!&#")', {}, "has"),
        Vector('Word([a],1,",")', {"a": "one"}, "one"),
        Vector('Word([a],2,",")', {"a": "one"}, ""),
        Vector('Word([a],2,",")', {"a": "one,,two,"}, "two"),
        Vector('Word([a],3,",")', {"a": "one,,two,"}, ""),
        Vector('Word([a],0,",")', {"a": "one"}, ""),
        Vector('Word([a],-1,",")', {"a": "one"}, ""),
        Vector('Word([a],1,",")', {}, ""),
        Vector('Word([a],1,"")', {"a": "one two"}, "one two"),
        Vector("Word([a],1,[b])", {"a": "one"}, "one"),
        Vector('Word([a],[n],",")', {"a": "one", "n": "x"}, error="Word: [n] is no number"),
        Vector('Word([a],1,",")', {"a": MANY}, error="Word: [a]" + SINGLE),
    ],
    "StripSpaces": [
        Vector("StripSpaces([a])", {"a": " Van der  Berg "}, "VanderBerg"),
        Vector("StripSpaces([a])", {"a": "a\tb\u00a0c"}, "a\tb\u00a0c"),
        Vector("StripSpaces([a])", {"a": "   "}, ""),
        Vector("StripSpaces([a])", {"a": ""}, ""),
        Vector("StripSpaces([a])", {}, None),
        Vector("StripSpaces([a])", {"a": 1.5}, "1.5"),
        Vector("StripSpaces([a])", {"a": MANY}, error="StripSpaces: [a]" + SINGLE),
    ],
}
