"""How many sequences a test tries."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

MANY: Final = 120


def few(examples: int) -> settings:
    """So many; MANY with USHER_EXHAUSTIVE in the environment."""
    wanted = MANY if os.environ.get("USHER_EXHAUSTIVE") else examples
    return settings(max_examples=wanted, suppress_health_check=[HealthCheck.too_slow])
