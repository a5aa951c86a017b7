"""What a command's exit code says."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """The exit codes; 2 comes from the parser of options."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PENDING = 3
    """`plan`: changes are pending; `links --transfer`: links would be handed over."""
    HELD = 4
    """`plan`, `sync`: something waits for an approval."""


_FROM_WORST: Final = (Exit.FAILED, Exit.HELD, Exit.PENDING)


def worst(exits: Iterable[Exit]) -> Exit:
    """The one that a command with several connectors ends with."""
    present = set(exits)
    return next((code for code in _FROM_WORST if code in present), Exit.DONE)
