"""The temper of an app in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from usher.core.model.resources import AttributePath, ResourceType

USER_NAME: Final = AttributePath("userName")
DISPLAY_NAME: Final = AttributePath("displayName")
MEMBERS: Final = AttributePath("members")
DISABLE_PATHS: Final = {ResourceType.USER: AttributePath("active")}


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """The temper of the app.

    `unique`: no two accounts may have the same value there (compared without case); None: anything goes. `lag`: for how
    many seconds a new account hides from lists and queries. `latency`: seconds that each request takes on the runtime's
    clock. `id_format` makes an id of a number. `takes_strangers`: members may be ids of nobody.
    `deletes`: accounts can be deleted by a client.
    """

    unique: AttributePath | None = USER_NAME
    versioned: bool = True
    page_size: int = 100
    lag: float = 0.0
    latency: float = 0.0
    id_format: str = "u{}"
    takes_strangers: bool = False
    deletes: bool = True
