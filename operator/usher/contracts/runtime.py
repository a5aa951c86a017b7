"""What an end may borrow: time, randomness and secrets. Nothing below the command line reads them any other way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A key of a Secret (or of a ConfigMap, for what is public) in the namespace of the object that refers to it."""

    kind: str
    name: str
    key: str


class SecretText:
    """A secret value. It shows itself to nobody but `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one line that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "SecretText(***)"


class Secrets(Protocol):
    """Reads Secrets and ConfigMaps of one namespace."""

    async def read(self, ref: SecretRef) -> bytes:
        """The bytes under the key.

        Raises CycleError: `SecretNotFound`/`ConfigMapNotFound`, or `KeyNotFound`, naming the object and the key.
        """


@dataclass(frozen=True, slots=True)
class Runtime:
    """Time and chance, injected, so that a test owns both. `now` is aware and in UTC; `monotonic` in seconds."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Random
