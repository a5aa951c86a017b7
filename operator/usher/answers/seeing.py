"""Values as people may see them."""

from __future__ import annotations

from typing import Final

from usher.core.model.resources import AttributePath, Json
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.telling import REDACTED

SECRET: Final = "***"  # noqa: S105 - what stands in place of one
NAMED: Final = 20
"""So many accounts or people are shown to people where one thing is about many; programs get all of them."""


def seen(mapping: CompiledMapping, path: AttributePath, value: Json) -> Json:
    """The value as it may be shown: what the target never returns, or what Redact hides, is not."""
    if value is None or path not in mapping.hidden:
        return value
    return SECRET if path in mapping.withheld else REDACTED
