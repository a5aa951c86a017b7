"""What has to be known to talk to one SCIM app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from usher.contracts.runtime import SecretRef


@dataclass(frozen=True, slots=True)
class ScimSettings:
    """`url` is the base address, to which `/Users` is added. `ca` holds PEM and replaces the public authorities.

    `settle` is for how long the app may hide a new account from queries and lists; None where it answers neither.

    `connections` bounds the requests in flight, `requests_per_second` their number in a second unless it is 0;
    `deadline` is the longest time for one request, in seconds.
    """

    url: str
    token: SecretRef
    ca: SecretRef | None = None
    connections: int = 16
    requests_per_second: float = 0.0
    deadline: float = 60.0
    settle: timedelta | None = timedelta()
