r"""Regular expressions as .NET writes them, in the words of RE2.

Where both mean the same, nothing changes; `\d`, `\w` and `\s` are those of Unicode as in .NET (RE2's are of ASCII);
what RE2 has not, or means otherwise, is refused with its reason and a way out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


class PatternError(ValueError):
    """A pattern, or what shall replace its matches, can't be used; the message has nothing of the text itself."""


_DIGIT: Final = r"\p{Nd}"
_WORD: Final = r"\p{L}\p{Mn}\p{Nd}\p{Pc}"
_SPACE: Final = r"\t-\r\x{85}\p{Z}"
_OUTSIDE: Final[Mapping[str, str]] = {
    r"\d": f"[{_DIGIT}]",
    r"\D": f"[^{_DIGIT}]",
    r"\w": f"[{_WORD}]",
    r"\W": f"[^{_WORD}]",
    r"\s": f"[{_SPACE}]",
    r"\S": f"[^{_SPACE}]",
    r"\e": r"\x{1b}",
}
_INSIDE: Final[Mapping[str, str]] = {
    r"\d": _DIGIT,
    r"\D": r"\P{Nd}",
    r"\w": _WORD,
    r"\W": r"\p{Mc}\p{Me}\p{Nl}\p{No}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}",
    r"\s": _SPACE,
    r"\S": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\x{0}-\x{8}\x{e}-\x{1f}\x{7f}-\x{84}\x{86}-\x{9f}",
    r"\e": r"\x{1b}",
    r"\b": r"\x{8}",
    "[": r"\[",
}
_TOKEN: Final = re.compile(
    r"""
    \\u[0-9A-Fa-f]{4} | \\[pP]\{[^}]*\} | \\.
    | \(\?<[=!] | \(\?[=!>#(] | \(\?<[^>]*> | \(\?'[^']*' | \(\?[a-zA-Z-]*[:)]
    | \[\^?\]? | -\[ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME: Final = re.compile(r"\w+", re.ASCII)
_LOOK_AROUND: Final = "looks around (?= ?! ?<= ?<!), which RE2 does not: match what is around too, in groups of its own"
_BACK_REFERENCE: Final = "refers back to a group, which RE2 does not: write out what may stand there"
_ATOMIC: Final = "has an atomic group (?>, which RE2 does not know: (?: gives the same matches in most patterns"
_REFUSED: Final[Mapping[str, str]] = {
    "(?=": _LOOK_AROUND,
    "(?!": _LOOK_AROUND,
    "(?<=": _LOOK_AROUND,
    "(?<!": _LOOK_AROUND,
    "(?>": _ATOMIC,
    "(?#": "has a comment (?#, which RE2 does not know: leave it out",
    "(?(": "has a condition (?(, which RE2 does not know: write alternatives with |",
    r"\k": _BACK_REFERENCE,
    r"\Z": r"has \Z, which RE2 does not know: write \z for the end of the text",
    r"\G": r"has \G, which RE2 does not know: write \A for the start of the text",
    r"\C": r"has \C, which is no escape of .NET",
    r"\Q": r"has \Q, which is no escape of .NET: put a backslash before each sign that is meant as such",
    r"\c": r"has a control character as \c: write it as \x and two hexadecimal digits",
}
_BLOCK: Final = "asks for a block (Is...) of characters, which RE2 does not know: write a script such as \\p{Greek}"
_SUBTRACTION: Final = "subtracts one class from another, which RE2 does not: write out the ranges that are left"
_FLAGS: Final = "sets an option that RE2 does not know: i, m and s are there"
_GROUP: Final = "has a group whose name is not made of ASCII letters, digits and _"
_TWICE: Final = "has two groups of one name: give them different ones"


def translate(pattern: str) -> str:
    """The same pattern for RE2. Raises PatternError; what is malformed in both is left for RE2 to find."""
    parts = []
    within = False
    for token in _TOKEN.findall(pattern):
        parts.append(_translate_within(token) if within else _translate_token(token))
        if parts[-1].startswith("(?P<") and parts[-1] in parts[:-1]:
            raise PatternError(_TWICE)
        within = token != "]" if within else token.startswith("[")  # noqa: S105 - a part of a pattern, no secret
    return "".join(parts)


def _translate_within(token: str) -> str:
    """A token between square brackets, where groups are signs as any other."""
    if token == "-[":  # noqa: S105 - a part of a pattern, no secret
        raise PatternError(_SUBTRACTION)
    if token.startswith(("(", "[")):
        return "".join(_INSIDE.get(sign, sign) for sign in token)
    return _INSIDE.get(token) or _translate_escape(token)


def _translate_token(token: str) -> str:
    if reason := _REFUSED.get(token):
        raise PatternError(reason)
    if token.startswith(("(?<", "(?'")):
        return _translate_group(token[3:-1])
    if token.startswith("(?"):
        return _check_flags(token)
    return _OUTSIDE.get(token) or _translate_escape(token)


def _translate_group(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PatternError(_GROUP)
    return f"(?P<{name}>"


def _check_flags(token: str) -> str:
    if set(token[2:-1]) - set("ims-"):
        raise PatternError(_FLAGS)
    return token


def _translate_escape(token: str) -> str:
    if reason := _REFUSED.get(token):
        raise PatternError(reason)
    if token.startswith(r"\u") and len(token) > 2:
        return rf"\x{{{token[2:]}}}"
    if token.startswith((r"\p{Is", r"\P{Is")):
        raise PatternError(_BLOCK)
    if len(token) == 2 and token[0] == "\\" and token[1] in "123456789":
        raise PatternError(_BACK_REFERENCE)
    return token
