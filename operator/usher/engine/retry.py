"""The one place where a request is sent again.

What had no effect (NotSent) is repeated with full jitter, not before a Retry-After has passed. What may have had its
effect is repeated only when it was a read. A target that keeps failing ends the cycle instead of being asked for every
single person.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from usher.contracts.runtime import Runtime
from usher.core.errors import CycleError, NotSent, OutcomeUnknown, Throttled

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` in all; pauses of up to `base` * 2**n seconds, `cap` at the most.

    A Retry-After over `patience` seconds is not waited for in this cycle. After `give_up` requests in a row that failed
    in all their attempts the target counts as unreachable.
    """

    attempts: int = 4
    base: float = 0.5
    cap: float = 30.0
    patience: float = 120.0
    give_up: int = 5


class Retrier:
    """Sends for one cycle against one target: all requests share its pauses and its count of failures."""

    def __init__(self, runtime: Runtime, policy: RetryPolicy | None = None) -> None:
        self._runtime = runtime
        self._policy = policy or RetryPolicy()
        self._resume_at = 0.0
        self._exhausted = 0

    async def write(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Repeats only what certainly had no effect.

        Raises NotSent when all attempts failed, and whatever else `call` raises.
        """
        return await self._attempt(call, (NotSent,))

    async def read(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Repeats whatever failed on the way: a read has no effect.

        Raises NotSent or OutcomeUnknown when all attempts failed.
        """
        return await self._attempt(call, (NotSent, OutcomeUnknown))

    async def _attempt(
        self, call: Callable[[], Awaitable[ResultT]], again: tuple[type[NotSent | OutcomeUnknown], ...]
    ) -> ResultT:
        for attempt in range(1, self._policy.attempts + 1):
            await self._wait_for_turn()
            try:
                result = await call()
            except again as error:
                if attempt == self._policy.attempts or not self._may_wait(error):
                    self._count_failure(error)
                    raise
                await self._pause(error, attempt)
            else:
                self._exhausted = 0
                return result
        message = "a retry policy needs at least one attempt"
        raise ValueError(message)

    def _may_wait(self, error: NotSent | OutcomeUnknown) -> bool:
        return not isinstance(error, Throttled) or (error.retry_after or 0.0) <= self._policy.patience

    async def _pause(self, error: NotSent | OutcomeUnknown, attempt: int) -> None:
        jitter = self._runtime.random.uniform(0.0, min(self._policy.cap, self._policy.base * 2 ** (attempt - 1)))
        if isinstance(error, Throttled) and error.retry_after is not None:
            resume_at = self._runtime.monotonic() + error.retry_after
            self._resume_at = max(self._resume_at, resume_at)
        await self._runtime.sleep(jitter)

    async def _wait_for_turn(self) -> None:
        while (wait := self._resume_at - self._runtime.monotonic()) > 0:
            await self._runtime.sleep(wait)

    def _count_failure(self, error: NotSent | OutcomeUnknown) -> None:
        self._exhausted += 1
        if self._exhausted >= self._policy.give_up:
            message = (
                f"{self._exhausted} requests in a row failed after {self._policy.attempts} attempts: {error.message}"
            )
            raise CycleError(message, reason="TargetUnreachable") from error
