"""What compiling tells others about functions that say how a value flows."""

from __future__ import annotations

import pytest

from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import EvaluationError
from usher.testing.clock import fake_surroundings


def test_a_missing_domain_is_no_mistake_of_the_text_and_found_when_it_is_needed() -> None:
    compiled = compile_expression('Join("@", [alias], ToLower(DefaultDomain()))', fake_surroundings(""))

    assert "DefaultDomain" in compiled.calls
    with pytest.raises(EvaluationError) as raised:
        compiled.evaluate({"alias": "ada"})
    assert str(raised.value) == "DefaultDomain: the identity source has no defaultDomain"


def test_every_rule_of_a_unique_value_is_a_candidate_once_and_in_order() -> None:
    compiled = compile_expression('SelectUniqueValue([a], [none], [b], [a], "c")', fake_surroundings())

    assert list(compiled.candidates({"a": "x", "b": "y"})) == ["x", "y", "c"]
    assert compiled.evaluate({"a": "x", "b": "y"}) == "x"


def test_what_is_redacted_is_known_from_the_calls() -> None:
    assert "Redact" in compile_expression('Join("", [a], Redact([b]))', fake_surroundings()).calls
