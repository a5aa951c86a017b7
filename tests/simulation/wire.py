"""One request on its way: what was sent, what the app does, and the answer as aiohttp gives one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import orjson

from simulation.process import Process
from usher.testing.clock import FakeClock
from usher.testing.faults import FaultKind
from usher.testing.memory_target import MemoryTarget
from usher.testing.scim_app import Reply, ScimApp, error_reply
from usher.testing.scim_schemas import Refusal
from usher.testing.scim_service import Asked, answer


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the wire had it. `status` is that of the answer, 0 for none."""

    at: float
    method: str
    path: str
    status: int
    not_before: float = 0.0
    """Until when the app asked for patience, on the same clock."""
    struck: str = ""
    stale: bool = False
    """Whether it comes from a process whose state was another one's by then."""


class Response:
    """An answer as aiohttp gives one. `broken` is raised where half of its body has been read."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, broken: Exception | None = None) -> None:
        self.status = status
        self.headers = headers
        self.raw_headers = tuple((name.encode(), value.encode()) for name, value in headers.items())
        self._body = body
        self._broken = broken
        self._read = False
        self.content = self

    def at_eof(self) -> bool:
        """Whether all of it was read."""
        return self._read

    async def readany(self) -> bytes:
        """All of it at once."""
        self._read = True
        if self._broken is not None:
            raise self._broken
        return self._body

    def release(self) -> None:
        """There is nothing to give back."""

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """The reply on the wire."""
        body = b"" if reply.body is None else orjson.dumps(reply.body)
        headers = {**reply.headers, "content-type": "application/scim+json"}
        return cls(reply.status, headers, body)


class Call:
    """One request while it is answered: what a fault may do with it."""

    def __init__(self, process: Process, asked: Asked, scim: ScimApp, clock: FakeClock) -> None:
        self.process = process
        self.asked = asked
        self.clock = clock
        self._scim = scim

    @property
    def app(self) -> MemoryTarget:
        """What stands behind it."""
        return self._scim.memory

    def proceed(self, lie: FaultKind | None = None) -> Reply:
        """The app does what it is asked for."""
        try:
            return answer(self._scim, self.asked, lie)
        except Refusal as refusal:
            return error_reply(refusal)
