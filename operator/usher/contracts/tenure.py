"""What the engine asks about whose the state is."""

from __future__ import annotations

from typing import Protocol


class TenureStore(Protocol):
    """At most one process has the state. One that was stopped for long may have lost it without knowing.

    The state itself takes nothing from such a process. Its requests to a target are what nobody else can refuse: so it
    asks before each.
    """

    async def confirm(self) -> float:
        """Until when the state is certainly ours, which leaves the time of a request. Cheap: mostly it is known.

        In seconds of `time.monotonic`; no clock is lent, as a stopped process has to see that time went on.

        Raises CycleError: `StateTaken` where another process took it over, `StateUnreachable` where nobody can tell.
        """

    async def until_taken(self) -> None:
        """Returns once it is known that another process has taken the state over; a file is never taken."""
