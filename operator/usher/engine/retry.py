"""The one place where a request is sent again.

What had no effect (NotSent) is repeated with full jitter, not before a Retry-After has passed. What may have had its
effect is repeated only when it was a read; a write of that kind slows down all that follow it. A target that keeps
failing ends the cycle instead of being asked for every single person. No write goes out from a process that may have
lost its state to another one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, TypeVar

from usher.contracts.permits import FOR_EVER, permitted
from usher.contracts.runtime import Runtime
from usher.core.errors import (
    ComeBackLater,
    CycleError,
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    Overdue,
    ResourceError,
    Throttled,
)

ResultT = TypeVar("ResultT")
_Unanswered: TypeAlias = NotSent | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` in all; pauses of up to `base` * 2**n seconds, `cap` at the most.

    All requests of a cycle share what may be sent again: `spare` in all, and a `share` of what was sent first. So a
    storm of failures makes few more requests out of many.

    A Retry-After over `patience` seconds is not waited for: it ends the cycle. After `give_up` requests in a row that
    failed in all their attempts the target counts as unreachable; a write of unknown end, which is sent once, weighs as
    one attempt.
    """

    attempts: int = 4
    base: float = 0.5
    cap: float = 30.0
    patience: float = 120.0
    give_up: int = 5
    spare: int = 100
    share: float = 0.2


@dataclass(slots=True)
class _Streak:
    """How many attempts in a row had no answer."""

    attempts: int = 0


async def _nobody_else() -> float:
    return FOR_EVER


class Retrier:
    """Sends for one cycle against one target: all requests share its pauses, and reads and writes a count of failures.

    Reads and writes are counted apart: an app may answer every query while it can't write. `confirm` raises CycleError
    where another process may be writing by now; it is asked before each write, and says until when that may go out.
    """

    def __init__(
        self,
        runtime: Runtime,
        policy: RetryPolicy | None = None,
        confirm: Callable[[], Awaitable[float]] = _nobody_else,
    ) -> None:
        self._runtime = runtime
        self._confirm = confirm
        self._policy = policy or RetryPolicy()
        self._resume_at = 0.0
        self._reads = _Streak()
        self._writes = _Streak()
        self._ended: CycleError | None = None
        self._spare = float(self._policy.spare)

    async def write(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Repeats only what certainly had no effect.

        Raises NotSent when all attempts failed, OutcomeUnknown at once, CycleError when the target keeps failing or
        asks for more patience than a cycle has, and whatever else `confirm` and `call` raise.
        """

        async def confirmed() -> ResultT:
            while True:
                with permitted(await self._confirm()), suppress(Overdue):
                    return await call()

        return await self._attempt(confirmed, (NotSent,), self._writes)

    async def read(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Repeats whatever failed on the way: a read has no effect. `call` may be several requests, as a list is.

        Raises NotSent or OutcomeUnknown when all attempts failed, CycleError as `write` does.
        """
        return await self._attempt(call, (NotSent, OutcomeUnknown), self._reads)

    async def _attempt(
        self, call: Callable[[], Awaitable[ResultT]], again: tuple[type[_Unanswered], ...], streak: _Streak
    ) -> ResultT:
        self._spare += self._policy.share
        for attempt in range(1, self._policy.attempts + 1):
            await self._wait_for_turn()
            try:
                result = await call()
            except (NotSent, OutcomeUnknown) as error:
                self._heed(error)
                if attempt == self._policy.attempts or not isinstance(error, again) or not self._may_repeat():
                    self._count_failure(error, attempt, streak)
                    raise
                await self._runtime.sleep(self._jitter(attempt))
            except (ResourceError, IncompleteRead):
                streak.attempts = 0
                raise
            else:
                streak.attempts = 0
                return result
        message = "a retry policy needs at least one attempt"
        raise ValueError(message)

    def _may_repeat(self) -> bool:
        """Whether one more request may be sent again; takes it from what is shared."""
        if self._spare < 1.0:
            return False
        self._spare -= 1.0
        return True

    def _heed(self, error: _Unanswered) -> None:
        """Nobody asks before the target's Retry-After has passed."""
        wait = error.retry_after if isinstance(error, Throttled | OutcomeUnknown) else None
        if wait is None:
            return
        if wait > self._policy.patience:
            until = self._runtime.now() + timedelta(seconds=wait)
            message = f"{error.message}; it asks to come back at {until:%Y-%m-%dT%H:%M:%SZ}"
            self._ended = ComeBackLater(message, until=until, reason=_reason_of(error))
            raise self._ended from error
        self._hold_back(wait)

    def _hold_back(self, seconds: float) -> None:
        self._resume_at = max(self._resume_at, self._runtime.monotonic() + seconds)

    def _jitter(self, attempt: int) -> float:
        return self._runtime.random.uniform(0.0, min(self._policy.cap, self._policy.base * 2 ** (attempt - 1)))

    async def _wait_for_turn(self) -> None:
        """Raises the error that ended the cycle, so that nobody else goes on asking."""
        while (wait := self._resume_at - self._runtime.monotonic()) > 0 and self._ended is None:
            await self._runtime.sleep(wait)
        if self._ended is not None:  # without its cause: what follows was never sent
            raise CycleError(self._ended.message, reason=self._ended.reason)

    def _count_failure(self, error: _Unanswered, attempts: int, streak: _Streak) -> None:
        streak.attempts += attempts
        if streak.attempts >= self._policy.give_up * self._policy.attempts:
            message = f"{streak.attempts} attempts in a row had no answer: {error.message}"
            self._ended = CycleError(message, reason="TargetUnreachable")
            raise self._ended from error
        if isinstance(error, OutcomeUnknown) and error.retry_after is None:
            self._hold_back(self._jitter(streak.attempts))


def _reason_of(error: _Unanswered) -> str:
    """A 429 is TooManyRequests; a 503 says that the target is away."""
    return error.reason if isinstance(error, Throttled) else "TargetUnreachable"
