"""The sink as a process: what was asked of it, and what it holds."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self

import httpx

from bench.broken import Broken
from bench.programs import sink_program

TOKEN: Final = "let-me-in"
_PAGE: Final = 1000
_PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests by kind (create, patch, put, delete, get, list, find, discovery), and how many users there are.

    `writes` are creates, patches, puts and deletes; `refused` are the requests that were answered with an error;
    `at_once` is how many waited out the delay at the same time, at the most.
    """

    total: int
    writes: int
    refused: int
    users: int
    kinds: Mapping[str, int]
    at_once: int = 0

    def since(self, before: Counts) -> Counts:
        """What came after `before`; users as they are now."""
        kinds = {kind: number - before.kinds.get(kind, 0) for kind, number in self.kinds.items()}
        return replace(
            self,
            total=self.total - before.total,
            writes=self.writes - before.writes,
            refused=self.refused - before.refused,
            kinds=kinds,
        )

    def require(self, users: int, what: str) -> None:
        """Raises Broken unless it holds so many users and refused nothing."""
        if self.users != users or self.refused:
            raise Broken(
                f"{what}: the sink holds {self.users} users, {users} were expected, and refused {self.refused} requests"
            )


class Sink:
    """One sink, empty at its start. `delay` is what every answer waits, such as `20ms`. Ends with this process."""

    def __init__(self, delay: str = "0s") -> None:
        self._process = subprocess.Popen(
            [sink_program(), "-leash", "-delay", delay], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        if not self.url:
            raise Broken("the sink ended at once")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        self._process.communicate(timeout=_PATIENCE)

    def counts(self) -> Counts:
        """What was asked since the last `reset`."""
        answer = self._client.get("/-/counts").json()
        return Counts(
            answer["total"],
            answer["writes"],
            answer["refused"],
            answer["users"],
            answer["kinds"],
            answer["atOnce"],
        )

    def patches(self) -> list[float]:
        """When patches were answered since the last `reset`, in their order: seconds since 1970."""
        return [micros / 1e6 for micros in self._client.get("/-/patches").raise_for_status().json()]

    def reset(self) -> None:
        """Forgets users and counts."""
        self._client.post("/-/reset").raise_for_status()

    def documents(self) -> list[dict[str, Any]]:
        """All users as their clients wrote them: without id and meta."""
        found: list[dict[str, Any]] = []
        while True:
            query = {"startIndex": len(found) + 1, "count": _PAGE}
            page = self._client.get("/Users", params=query).raise_for_status().json()["Resources"]
            if not page:
                return found
            found += [{name: value for name, value in user.items() if name not in ("id", "meta")} for user in page]
