"""Values that hypothesis makes up, for as long as is wanted.

python -m fuzz.unguided evaluator|formats|patterns SECONDS

Ends with 0, or with the smallest example for which a claim does not hold.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.claims import gives_value_or_error, is_pattern_or_error, is_read_or_refused
from fuzz.strategies import CALLS, EXPRESSIONS, FORMATS, MOMENTS, PEOPLE, STYLES

AT_ONCE: Final = 500
"""Examples between two looks at the clock."""
_TEXTS: Final = st.text(max_size=12)
CLAIMS: Final[Mapping[str, tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...]]]] = {
    "evaluator": (gives_value_or_error, (CALLS, PEOPLE)),
    "formats": (is_read_or_refused, (FORMATS, FORMATS | st.text(max_size=30), STYLES, MOMENTS)),
    "patterns": (is_pattern_or_error, (EXPRESSIONS, _TEXTS)),
}


def look(name: str, seconds: float) -> int:
    """How many examples there were. Raises what the claim raises, for the smallest example."""
    claim, strategies = CLAIMS[name]
    tried = 0

    def counted(*values: Any) -> None:
        nonlocal tried
        tried += 1
        claim(*values)

    # Health checks measure speed, of which a busy machine says nothing; a hang is seen by whoever waits.
    chance = settings(max_examples=AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        chance(given(st.tuples(*strategies))(lambda values: counted(*values)))()
    return tried


def main(name: str, seconds: str) -> None:
    """Looks, and says how far it came."""
    print(f"{look(name, float(seconds)):,} examples")  # noqa: T201 - its result


if __name__ == "__main__":
    main(*sys.argv[1:])
