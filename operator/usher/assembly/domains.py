"""The domain that a source lends to expressions: `DefaultDomain()` in a mapping, `spec.defaultDomain` at the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from usher.assembly.ends import SpecErrors
from usher.core.errors import SpecError
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.flaws import MAPPING_INVALID
from usher.core.sync.flows import Computed, Unique
from usher.core.sync.rules import CompiledMapping

DEFAULT_DOMAIN: Final = "DefaultDomain"


def digest_in(mapping: CompiledMapping, domain: str) -> str:
    """The digest of the mapping at a source of this domain: another domain is another mapping, where it is asked."""
    return fingerprint((mapping.digest, domain)).hex() if any(_asking(mapping)) else mapping.digest


def settle_domain(mapping: CompiledMapping, source: str, domain: str) -> CompiledMapping:
    """The mapping, with the digest that it has at `IdentitySource/<source>`, whose domain is `domain`.

    Raises SpecErrors that name mapping and source where the mapping asks for a domain and the source has none.
    """
    if not domain:
        errors = []
        for place in _asking(mapping):
            subject, _, path = place.partition(" ")
            problem = (
                f"DefaultDomain() has no value, as IdentitySource/{source} has no spec.defaultDomain: set it there"
            )
            errors.append(SpecError(problem, subject=subject, path=f"{path}.expression", reason=MAPPING_INVALID))
        if errors:
            raise SpecErrors(errors)
    return replace(mapping, digest=digest_in(mapping, domain))


def _asking(mapping: CompiledMapping) -> Iterator[str]:
    """The places of the rules that ask for the domain."""
    for rule in mapping.rules:
        if isinstance(rule.flow, Computed | Unique) and DEFAULT_DOMAIN in rule.flow.expression.calls:
            yield rule.place
