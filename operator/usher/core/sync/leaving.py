"""Why somebody shall have no access: the evidence of it in one word, as plan and log say it."""

from __future__ import annotations

from typing import Final

SOURCE_DISABLED: Final = "SourceDisabled"
"""The source says that the account is disabled, or soft-deleted; or the mapping does."""
SOURCE_DELETED: Final = "SourceDeleted"
"""A complete read has the person no more, or a tombstone says so."""
OUT_OF_SCOPE: Final = "OutOfScope"
"""No scoping filter admits what the source says of the person."""
UNASSIGNED: Final = "Unassigned"
"""No entry of the scope assigns the person (any more)."""
CAUSES: Final = frozenset({SOURCE_DISABLED, SOURCE_DELETED, OUT_OF_SCOPE, UNASSIGNED})
