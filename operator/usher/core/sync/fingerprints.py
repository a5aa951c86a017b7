"""Fingerprints: equal content, equal 16 bytes, whatever the order in which it came."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import orjson

from usher.core.model.resources import AttributePath, Fingerprint, Json, ResourceType, SourceId, SourceKey, Value

_OPTIONS = orjson.OPT_SORT_KEYS
_SUM_BYTES: Final = 64
_MODULUS: Final = 1 << (8 * _SUM_BYTES)


def fingerprint(content: Mapping[str, Value] | Mapping[AttributePath, Json] | tuple[object, ...]) -> Fingerprint:
    """blake2b-128 over the canonical JSON (keys sorted) of the content."""
    return Fingerprint(blake2b(orjson.dumps(content, option=_OPTIONS), digest_size=16).digest())


def approval_of(source: SourceKey, resource_type: ResourceType, digest: str) -> str:
    """By which a void read with this digest is approved, and no other: not of another type, nor of another source."""
    return blake2b(f"{source}\x00{resource_type}\x00{digest}".encode(), digest_size=16).hexdigest()


class SnapshotDigest:
    """One hash over a whole snapshot, whatever the order of reading.

    It is the sum of a hash of each resource, so that nothing has to be kept and sorted for it. Sums can be steered
    where they are short, with much work: these have 512 bits.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0

    def add(self, source_id: SourceId, print_: Fingerprint) -> None:
        """One resource; each once."""
        self._count += 1
        self._sum += int.from_bytes(blake2b(print_ + source_id.encode()).digest(), "big")

    def hexdigest(self) -> str:
        """Of all that was added."""
        total = (self._sum % _MODULUS).to_bytes(_SUM_BYTES, "big")
        return blake2b(b"%d:%b" % (self._count, total), digest_size=16).hexdigest()
