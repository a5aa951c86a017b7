"""Replace: one name, five functions, told apart by which arguments are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from usher.core.expressions.dialect import PatternError
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.inputs import (
    Attributes,
    Evaluate,
    Input,
    check_size,
    concatenate,
    read_text,
    read_text_or_null,
)
from usher.core.expressions.patterns import Pattern, compile_pattern
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.model.resources import Value

_NAMES: Final = (
    "source", "oldValue", "regexPattern", "regexGroupName", "replacementValue", "replacementAttributeName", "template",
)  # fmt: skip
Given = Mapping[str, Input]
T = TypeVar("T")


def _build_replace(arguments: Sequence[Input]) -> Evaluate:
    r"""Replaces within a text, with regard to case; what happens depends on the arguments that are not left empty.

    - oldValue and replacementValue: every oldValue in the source becomes replacementValue.
    - oldValue and template: every oldValue in the template becomes the source.
    - regexPattern and replacementValue: every match in the source becomes replacementValue, in which `$1`, `${1}` and
      `${name}` are groups, `$&` is the match and `$$` a dollar.
    - regexPattern, regexGroupName and replacementValue: of every match, that group becomes replacementValue, as it is.
    - regexPattern, regexGroupName and replacementAttributeName: the source if it has a value, else what the group
      matches in the other attribute, null without a match.

    Null stays null, but in the last. Patterns are those of .NET, and run on RE2: no look-around, no references back.
    """
    given = dict(zip(_NAMES, arguments, strict=True))
    present = frozenset(name for name, argument in given.items() if not _is_left_out(name, argument))
    build = _FORMS.get(present - {"source"})
    if build is None:
        raise ExpressionError(
            "Replace: these arguments don't go together",
            arguments[0].node.position,
            expected="oldValue with replacementValue or template; or regexPattern with replacementValue, with"
            " regexGroupName and replacementValue, or with regexGroupName and replacementAttributeName",
        )
    return build(given)


def _is_left_out(name: str, argument: Input) -> bool:
    """An empty text in quotes is one too, except as what shall stand instead."""
    if argument.is_empty:
        return True
    return name not in {"source", "replacementValue"} and argument.is_constant and read_text(argument)({}) == ""


def _build_old_by_new(given: Given) -> Evaluate:
    source = read_text_or_null(given["source"])
    old, new = read_text(given["oldValue"]), read_text(given["replacementValue"])

    def evaluate(attributes: Attributes) -> Value | None:
        text = source(attributes)
        return None if text is None else _replace_all(text, old(attributes), new(attributes))

    return evaluate


def _build_template(given: Given) -> Evaluate:
    source = read_text_or_null(given["source"])
    old, template = read_text(given["oldValue"]), read_text(given["template"])

    def evaluate(attributes: Attributes) -> Value | None:
        text = source(attributes)
        return None if text is None else _replace_all(template(attributes), old(attributes), text)

    return evaluate


def _replace_all(text: str, old: str, new: str) -> str:
    """Nothing is replaced where there is nothing to look for."""
    if not old:
        return text
    if len(new) > len(old):
        check_size("Replace", len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _build_matches(given: Given) -> Evaluate:
    source, new = given["source"], given["replacementValue"]
    read, read_pattern = read_text_or_null(source), _read_pattern(given["regexPattern"])
    read_new = read_text(new)
    find_template = _fixed(new, [given["regexPattern"]], lambda none: read_pattern(none).template(read_new(none)))

    def evaluate(attributes: Attributes) -> Value | None:
        text = read(attributes)
        if text is None:
            return None
        pattern, template = read_pattern(attributes), find_template(attributes)
        return _guarded(source, lambda: concatenate("Replace", pattern.rewrite(text, template)))

    return evaluate


def _build_group(given: Given) -> Evaluate:
    source = given["source"]
    read, read_pattern = read_text_or_null(source), _read_pattern(given["regexPattern"])
    new, find_group = read_text(given["replacementValue"]), _read_group(given, read_pattern)

    def evaluate(attributes: Attributes) -> Value | None:
        text = read(attributes)
        if text is None:
            return None
        pattern, group, template = read_pattern(attributes), find_group(attributes), (new(attributes),)
        return _guarded(source, lambda: concatenate("Replace", pattern.rewrite(text, template, group)))

    return evaluate


def _build_other_attribute(given: Given) -> Evaluate:
    source, other = read_text_or_null(given["source"]), given["replacementAttributeName"]
    read_pattern, read_other = _read_pattern(given["regexPattern"]), read_text(other)
    find_group = _read_group(given, read_pattern)

    def evaluate(attributes: Attributes) -> Value | None:
        text = source(attributes)
        if text:
            return text
        pattern, group, replacement = read_pattern(attributes), find_group(attributes), read_other(attributes)
        return _guarded(other, lambda: pattern.find(replacement, group))

    return evaluate


def _read_pattern(given: Input) -> Callable[[Attributes], Pattern]:
    """A constant is compiled once."""
    read = read_text(given)
    return _fixed(given, [], lambda attributes: compile_pattern(read(attributes)))


def _read_group(given: Given, read_pattern: Callable[[Attributes], Pattern]) -> Callable[[Attributes], int]:
    name = given["regexGroupName"]
    read = read_text(name)
    return _fixed(
        name, [given["regexPattern"]], lambda attributes: read_pattern(attributes).find_group(read(attributes))
    )


def _fixed(given: Input, others: Sequence[Input], read: Callable[[Attributes], T]) -> Callable[[Attributes], T]:
    """Reads once what constants decide, with a mistake as one of the text; the rest is read for each person."""
    if given.is_constant and all(other.is_constant for other in others):
        try:
            value = read({})
        except PatternError as error:
            raise given.mistake(str(error)) from None
        return lambda _: value
    return lambda attributes: _guarded(given, lambda: read(attributes))


def _guarded(given: Input, read: Callable[[], T]) -> T:
    try:
        return read()
    except PatternError as error:
        raise given.failure(str(error)) from None


_FORMS: Final[Mapping[frozenset[str], Callable[[Given], Evaluate]]] = {
    frozenset({"oldValue", "replacementValue"}): _build_old_by_new,
    frozenset({"oldValue", "template"}): _build_template,
    frozenset({"regexPattern", "replacementValue"}): _build_matches,
    frozenset({"regexPattern", "regexGroupName", "replacementValue"}): _build_group,
    frozenset({"regexPattern", "regexGroupName", "replacementAttributeName"}): _build_other_attribute,
}
FUNCTIONS: Final = (
    Function(
        "Replace",
        (Parameter("source"), *(Parameter(name, Takes.OPTIONAL) for name in _NAMES[1:])),
        (),
        alone(_build_replace),
        Example(
            r'Replace([phone], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", , "${phoneNumber}", , )',
            "9998887777",
            {"phone": "+91 9998887777"},
        ),
        differs=(
            r"Look-around, back-references, atomic groups, conditions, comments in a pattern, class subtraction, \G and"
            r" \Z are refused. $ matches at the very end only, not before a last line feed; \b knows the words of ASCII"
            " only. In replacementValue $`, $', $+ and $_ stand for themselves, and a group that is not there is an"
            " error. A pattern has at most 1,000 characters."
        ),
    ),
)
