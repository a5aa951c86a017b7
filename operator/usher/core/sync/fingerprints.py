"""Fingerprints: equal content, equal 16 bytes, whatever the order in which it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import orjson

from usher.core.model.resources import AttributePath, Fingerprint, Json, SourceId, Value

_OPTIONS = orjson.OPT_SORT_KEYS


def fingerprint(content: Mapping[str, Value] | Mapping[AttributePath, Json] | tuple[object, ...]) -> Fingerprint:
    """blake2b-128 over the canonical JSON (keys sorted) of the content."""
    return Fingerprint(blake2b(orjson.dumps(content, option=_OPTIONS), digest_size=16).digest())


def digest_of_snapshot(fingerprints: Iterable[tuple[SourceId, Fingerprint]]) -> str:
    """One hash over a whole snapshot, independent of the order of reading; what an approval of a read names."""
    whole = blake2b(digest_size=16)
    for source_id, print_ in sorted(fingerprints):
        whole.update(source_id.encode())
        whole.update(b"\x00")
        whole.update(print_)
    return whole.hexdigest()
