"""The steps of an evaluation are those that were taken."""

from __future__ import annotations

from usher.core.expressions.compile import compile_expression
from usher.core.expressions.explain import Step, explain
from usher.testing.clock import fake_surroundings


def test_steps_tell_what_was_asked_for_and_no_more() -> None:
    compiled = compile_expression("IIF([n] > 9, ToLower([a]), [b])", fake_surroundings())

    steps = explain(compiled, {"n": "10", "a": "X", "b": "never read"}, fake_surroundings())

    n, a = Step("[n]", "10", "", ()), Step("[a]", "X", "", ())
    taken = (Step("[n] > 9", True, "", (n,)), Step("ToLower([a])", "x", "", (a,)))
    assert steps == Step("IIF([n] > 9, ToLower([a]), [b])", "x", "", taken)


def test_a_failure_is_told_by_the_step_where_it_happened() -> None:
    compiled = compile_expression('Join("", [a], Not([b]))', fake_surroundings())

    steps = explain(compiled, {"a": "x", "b": "maybe"}, fake_surroundings())

    assert (steps.value, steps.problem) == (None, "")
    assert steps.steps[0] == Step("[a]", "x", "", ())
    assert steps.steps[1].problem == "Not: [b] is neither True nor False"
    assert steps.steps[1].steps == (Step("[b]", "maybe", "", ()),)


def test_a_result_that_is_too_long_fails_the_whole() -> None:
    compiled = compile_expression('Switch([a], , "x", [b])', fake_surroundings())

    steps = explain(compiled, {"a": "x", "b": "y" * 70_000}, fake_surroundings())

    assert steps.value is None
    assert steps.problem == "Switch: the result is longer than 64 KiB"
    assert [step.text for step in steps.steps] == ["[a]", "[b]"]
