"""What is claimed of every input. A claim that does not hold raises AssertionError, or whatever else broke out."""

from __future__ import annotations

from collections.abc import Mapping

from usher.core.errors import SpecError
from usher.core.expressions.compile import Compiled, compile_expression
from usher.core.expressions.dateformats import FormatError, read_format
from usher.core.expressions.datereading import read_date
from usher.core.expressions.datestyles import Style
from usher.core.expressions.dialect import PatternError
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.grammar import parse
from usher.core.expressions.moments import Moment
from usher.core.expressions.patterns import compile_pattern
from usher.core.expressions.syntax import render
from usher.core.expressions.values import is_too_long
from usher.core.model.resources import Value
from usher.importing.entra import import_schema
from usher.testing.clock import fake_surroundings

LONGEST_MESSAGE = 1_000


def is_expression_or_error(text: str) -> Compiled | None:
    """Any text is an expression, equal to what its tree is written as, or an error with a position inside the text."""
    try:
        compiled = compile_expression(text, fake_surroundings())
    except ExpressionError as error:
        lines = text.split("\n")
        assert 1 <= error.position.line <= len(lines), f"{error.position} of {len(lines)} lines"
        width = len(lines[error.position.line - 1])
        assert 1 <= error.position.column <= width + 1, f"{error.position} of {width} characters"
        assert len(str(error)) < LONGEST_MESSAGE
        return None
    assert parse(render(compiled.root)) == compiled.root
    return compiled


def gives_value_or_error(text: str, attributes: Mapping[str, Value]) -> None:
    """An expression gives any person a value of at most 64 KiB, or an EvaluationError; candidates likewise."""
    compiled = is_expression_or_error(text)
    if compiled is None:
        return
    for give in (lambda: [compiled.evaluate(attributes)], lambda: list(compiled.candidates(attributes))):
        try:
            values = give()
        except EvaluationError as error:
            assert len(str(error)) < LONGEST_MESSAGE
            continue
        assert all(value is None or isinstance(value, str | bool | int | float | tuple) for value in values)
        assert not any(map(is_too_long, values))


def is_read_or_refused(pattern: str, text: str, styles: frozenset[Style], moment: Moment) -> None:
    """Any format is refused or writes any moment; any text, and what was written, is read as a moment or refused."""
    try:
        understood = read_format(pattern)
    except FormatError:
        return
    for candidate in (text, understood.write(moment)):
        try:
            assert isinstance(read_date(understood, candidate, styles), Moment)
        except FormatError:
            continue


def is_pattern_or_error(source: str, text: str) -> None:
    """Any text is a pattern or a PatternError; each match replaced by itself leaves the text as it was."""
    try:
        pattern = compile_pattern(source)
        pieces = list(pattern.rewrite(text, pattern.template("$&")))
        pattern.find(text, 0)
        pattern.fits(text)
    except PatternError as error:
        assert len(str(error)) < LONGEST_MESSAGE
        return
    assert "".join(pieces) == text


def is_imported_or_refused(raw: bytes) -> None:
    """Any bytes are an export that becomes manifests, or a SpecError."""
    try:
        import_schema(raw, fake_surroundings())
    except SpecError as error:
        assert len(str(error)) < LONGEST_MESSAGE
