"""Vectors of Replace, in its five forms, and of what it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector

PHONE = r'"\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})"'
NUMBER = f'Replace([phone], , {PHONE}, , "${{phoneNumber}}", , )'
OTHER = f'Replace([phone], , {PHONE}, "phoneNumber" , , [mobile], )'
TEMPLATE = 'Replace([UserID],"<username>", , , , , "<username>@contoso.com")'
STREET = r'Replace([AddressLineData], ,"(?<streetNumber>^\\d*)","streetNumber", "888", , )'
TITLE = 'Replace([title],"Product Developer", , , "Software Engineer", , )'
DOMAIN = 'Replace([mail], "@contoso.com", , ,"", ,)'
TOO_MUCH = "Replace: [x] is too long for this pattern: shorten one of them, or let a match take more at once, with +"
TOO_LONG = "Replace: the result is longer than 64 KiB"


def matches(pattern: str, replacement: str, text: str, expected: str) -> Vector:
    """The third form, whose pattern and replacement stand in the expression."""
    quoted = [part.replace("\\", "\\\\").replace('"', '\\"') for part in (pattern, replacement)]
    return Vector(f'Replace([x], , "{quoted[0]}", , "{quoted[1]}", , )', {"x": text}, expected)


def bad_pattern(pattern: str, said: str) -> Vector:
    quoted = pattern.replace("\\", "\\\\")
    return Vector(f'Replace([x], , "{quoted}", , "", , )', refused=f"Replace: a text {said}")


VECTORS: Mapping[str, Sequence[Vector]] = {
    "Replace": [
        Vector(TITLE, {"title": "Product Developer"}, "Software Engineer"),
        Vector(TITLE, {"title": "product developer"}, "product developer"),
        Vector(DOMAIN, {"mail": "john.doe@contoso.com"}, "john.doe"),
        Vector(DOMAIN, {}, None),
        Vector('Replace([x], "a", , , "b", , )', {"x": "banana"}, "bbnbnb"),
        Vector('Replace([x], "a", , , "b")', {"x": "banana"}, "bbnbnb"),
        Vector('Replace([x], [old], , , "b")', {"x": "banana"}, "banana"),
        Vector("Replace([x], 1, , , 2)", {"x": 101}, "202"),
        Vector(TEMPLATE, {"UserID": "jsmith"}, "jsmith@contoso.com"),
        Vector(TEMPLATE, {}, None),
        Vector(NUMBER, {"phone": "+91 9998887777"}, "9998887777"),
        Vector(NUMBER, {"phone": "none"}, "none"),
        Vector(NUMBER, {}, None),
        matches(r"[()\s-]+", "", "+1 (999) 888-7777", "+19998887777"),
        matches("[a-zA-Z_]*", "", "john_doe72", "72"),
        matches("[a-zA-Z_]*", "-", "jd72", "--7-2-"),
        matches(r"(\w+) (\w+)", "$2 ${1}", "Ada Lovelace", "Lovelace Ada"),
        matches(r"(?<first>\w)(\d)", "$1$2", "a1", "1a"),
        matches(r"(a)|b", "[$1]", "ab", "[a][]"),
        matches("a", "$$$&$0", "a", "$aa"),
        matches("a", "$ $`", "a", "$ $`"),
        matches(r"\W", "", "José 😀", "José"),
        matches(r"[\W_]", "", "José_É ", "JoséÉ"),
        matches(r"\d+", "#", "1٣x", "#x"),
        matches(r"\s", "_", "a\u00a0b\u3000c", "a_b_c"),
        matches(r"[\S]", "x", "é b", "x x"),
        matches(r"(?i)É", "e", "éÉ", "ee"),
        matches(r"(?'n'b)", "<${n}>", "abc", "a<b>c"),
        matches(r"\u00e9[[]", "", "é[x", "x"),
        matches("a.c", "", "a\nc", "a\nc"),
        matches("^", ">", "a\nb", ">a\nb"),
        matches("(?m)^", ">", "a\nb", ">a\n>b"),
        Vector(STREET, {"AddressLineData": "545 Tremont Street"}, "888 Tremont Street"),
        Vector('Replace([u], , "(?<Suffix>@(.)*)", "Suffix", "", , )', {"u": "jsmith@contoso.com"}, "jsmith"),
        Vector('Replace([x], , "a(b)?c", 1, "$&", , )', {"x": "abcac"}, "a$&cac"),
        Vector(OTHER, {"phone": "", "mobile": "+91 8887779999"}, "8887779999"),
        Vector(OTHER, {"mobile": "+91 8887779999"}, "8887779999"),
        Vector(OTHER, {"phone": "1", "mobile": "+91 8887779999"}, "1"),
        Vector(OTHER, {"mobile": "none"}, None),
        Vector(OTHER, {}, None),
        Vector('Replace([x], , [p], , "")', {"x": "abc", "p": "b"}, "ac"),
        Vector('Replace([x], , "(b)", , [n])', {"x": "abc", "n": "$1$1"}, "abbc"),
        Vector('Replace([x], , [p], "n", "y")', {"x": "abc", "p": "(?<n>b)"}, "ayc"),
        Vector('Replace([x], "", "b", "", "y", , "")', {"x": "abc"}, "ayc"),
        Vector(
            'Replace([x], , [p], , "")', {"x": "abc", "p": "s e c r e t!("}, error="Replace: [p] has a ( without its )"
        ),
        Vector('Replace([x], , "(b)", , [n])', {"x": "b", "n": "$7"}, error="Replace: [n] has no such group"),
        Vector('Replace([x], , "b", [n], "")', {"x": "b", "n": "n"}, error="Replace: [n] has no such group"),
        Vector(
            'Replace([x], , "b", , "")',
            {"x": "\ud800"},
            error="Replace: [x] has half of a surrogate pair, which is no character",
        ),
        Vector('Replace([x], , "b", , "")', {"x": "b" * 65_537}, error="Replace: [x] is longer than 64 KiB"),
        Vector('Replace([x], , "b", , "")', {"x": "b" * 65_536}, error=TOO_MUCH),
        Vector(r'Replace([x], , "\\w{50}x", , "")', {"x": "b" * 10_000}, error=TOO_MUCH),
        Vector('Replace([x], , "b+", , "c")', {"x": "b" * 65_536}, "c"),
        Vector('Replace([x], "x", , , [x])', {"x": "x" * 300}, error=TOO_LONG),
        Vector('Replace([x], "x", , , , , [t])', {"x": "y" * 300, "t": "x" * 300}, error=TOO_LONG),
        Vector('Replace([x], , "x", , [x])', {"x": "x" * 300}, error=TOO_LONG),
        Vector('Replace([x], , "(?<n>x)", "n", [x])', {"x": "x" * 300}, error=TOO_LONG),
        Vector(
            'Replace([x], "x", , , [x])',
            {"x": ("x", "y")},
            error="Replace: [x] is multi-valued where a single value is needed",
        ),
        bad_pattern("(?=x)", "looks around"),
        bad_pattern("(?<!x)y", "looks around"),
        bad_pattern(r"(x)\1", "refers back to a group"),
        bad_pattern(r"(?<n>x)\k<n>", "refers back to a group"),
        bad_pattern("(?>x)", "has an atomic group"),
        bad_pattern("(?#x)", "has a comment"),
        bad_pattern("(?(x)y|z)", "has a condition"),
        bad_pattern("(?x)y", "sets an option"),
        bad_pattern("[a-z-[aeiou]]", "subtracts one class from another"),
        bad_pattern(r"\p{IsGreek}", "asks for a block"),
        bad_pattern("(?<a-b>x)", "has a group whose name"),
        bad_pattern("(?<a>x)(?<a>y)", "has two groups of one name"),
        bad_pattern(r"x\Z", r"has \Z"),
        bad_pattern(r"\y", "has a backslash before a letter"),
        bad_pattern("*", "has a repetition"),
        bad_pattern("[z-a]", "has a range or a class"),
        bad_pattern(r"(\w{200}){5}", "is too large"),
        bad_pattern("x" * 1001, "has more than 1,000 characters"),
        Vector('Replace([x], , "(b)", , "$2", , )', refused="Replace: a text has no such group (line 1, column 25)"),
        Vector('Replace([x], , "(b)", "n", "", , )', refused="Replace: a text has no such group"),
        Vector('Replace([x], "a", "b", , "c", , )', refused="Replace: these arguments don't go together"),
        Vector("Replace([x])", refused="Replace: these arguments don't go together"),
        Vector('Replace([x], "", , , "b", , )', refused="Replace: these arguments don't go together"),
        Vector("Replace(, [x])", refused="Replace: source can't be left empty"),
    ],
}
