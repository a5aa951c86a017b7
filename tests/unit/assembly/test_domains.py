"""`DefaultDomain()` is the source's: one without a domain is named, and another domain is another mapping."""

from __future__ import annotations

import pytest

from usher.assembly.domains import digest_in, settle_domain
from usher.assembly.ends import SpecErrors
from usher.core.expressions.compile import Compiled
from usher.core.expressions.grammar import parse
from usher.core.model.resources import AttributePath
from usher.core.sync.flows import Computed
from usher.core.sync.rules import AttributeRule, CompiledMapping


def mapping(expression: str, *calls: str) -> CompiledMapping:
    flow = Computed(Compiled(expression, parse(expression), frozenset(("x",)), frozenset(calls), lambda _: None))
    rule = AttributeRule(AttributePath("userName"), flow, None, place="AttributeMapping/people spec.attributes[0]")
    return CompiledMapping((rule,), None, "digest")


ASKING = mapping('Join("@", [x], DefaultDomain())', "Join", "DefaultDomain")
PLAIN = mapping('Join("@", [x], "b")', "Join")


def test_a_mapping_that_asks_for_a_domain_that_the_source_has_not_is_refused_naming_both() -> None:
    with pytest.raises(SpecErrors) as caught:
        settle_domain(ASKING, "corp", "")

    (error,) = caught.value.errors
    assert (error.subject, error.path) == ("AttributeMapping/people", "spec.attributes[0].expression")
    assert "IdentitySource/corp has no spec.defaultDomain" in error.problem
    assert error.reason == "MappingInvalid"


def test_a_mapping_that_asks_for_none_runs_at_every_source() -> None:
    assert settle_domain(PLAIN, "corp", "") == PLAIN
    assert settle_domain(PLAIN, "corp", "example.com") == PLAIN


def test_another_domain_is_another_mapping_for_whoever_asks() -> None:
    one, other = (settle_domain(ASKING, "corp", domain).digest for domain in ("example.com", "example.org"))

    assert len({ASKING.digest, one, other}) == 3
    assert one == digest_in(ASKING, "example.com")
