"""What jobs may use, and how what is wrong with their objects is told."""

from __future__ import annotations

import time
from asyncio import sleep
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import SystemRandom

from usher.contracts.runtime import Runtime, Secrets
from usher.core.errors import SpecError, UsherError
from usher.core.expressions.signatures import Surroundings
from usher.transport.addresses import AddressPolicy
from usher.transport.ldap.pool import DirectoryLender, lend_once


class SpecErrors(UsherError):
    """Everything that is wrong with the objects of one job, in the order in which it stands in them."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors = tuple(errors)
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        super().__init__(f"{self.errors[0]}{more}", reason=self.errors[0].reason)


@dataclass(frozen=True, slots=True)
class Ends:
    """What jobs of one namespace may use to reach their ends."""

    secrets: Secrets
    runtime: Runtime
    policy: AddressPolicy
    lend_directory: DirectoryLender = lend_once


def system_runtime() -> Runtime:
    """The real time and chance of this machine."""
    return Runtime(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=sleep, random=SystemRandom())


def surroundings_of(runtime: Runtime, default_domain: str = "") -> Surroundings:
    """What expressions may ask beside the resource."""
    return Surroundings(runtime.now, runtime.random, default_domain)
