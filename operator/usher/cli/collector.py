"""The garbage collector, told what kind of program this is."""

from __future__ import annotations

import gc
from functools import cache
from typing import Final

_YOUNG: Final = 10_000
_SURVIVORS: Final = 20


@cache
def calm_collector() -> None:
    """Leaves what the imports made out of every collection, and collects less often.

    People come as trees without cycles by the hundred thousand, which freed themselves while the collector looked at
    them again and again: a twelfth of a sync's CPU, and pauses of a tenth of a second for the event loop.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _SURVIVORS, _SURVIVORS)
