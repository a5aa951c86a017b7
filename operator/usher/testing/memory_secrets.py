"""Secrets that a test sets."""

from __future__ import annotations

from collections.abc import Mapping

from usher.contracts.runtime import SecretRef
from usher.core.errors import CycleError


class MemorySecrets:
    """Secrets from a mapping, which a test may change at any time to rotate them."""

    def __init__(self, values: Mapping[SecretRef, str]) -> None:
        self.values = dict(values)

    async def read(self, ref: SecretRef) -> bytes:
        """The value as UTF-8. Raises CycleError (SecretNotFound or ConfigMapNotFound) for one that was never set."""
        if ref not in self.values:
            raise CycleError(f"{ref.kind}/{ref.name} has no key {ref.key}", reason=f"{ref.kind}NotFound")
        return self.values[ref].encode()
