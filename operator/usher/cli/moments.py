"""Points in time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_moment(text: str) -> datetime:
    """A time with its zone (ISO 8601), in UTC. Raises ValueError that says what is wanted."""
    wanted = "has to be a time with its zone, such as 2026-01-01T00:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(wanted) from error
    if moment.tzinfo is None:
        raise ValueError(wanted)
    return moment.astimezone(UTC)
