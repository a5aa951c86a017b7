"""What is done to a connection: each toxic of Toxiproxy in three strengths, on each connection of the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from outages.toxiproxy import DOWN, Toxic


class End(StrEnum):
    """What the operator speaks to, by the protocol that it speaks there."""

    APP = "SCIM"
    DIRECTORY = "LDAP"
    DATABASE = "PostgreSQL"
    CLUSTER = "Kubernetes"


_DOWN, _UP, _BOTH = ("downstream",), ("upstream",), ("upstream", "downstream")

_HALF: Final = 50

TOXICS: Final[Mapping[str, tuple[Toxic, Toxic, Toxic]]] = {
    "latency": (
        Toxic("latency", _DOWN, {"latency": 200, "jitter": 100}),
        Toxic("latency", _UP, {"latency": 1000, "jitter": 500}),
        Toxic("latency", _BOTH, {"latency": 3000, "jitter": 1000}),
    ),
    "down": (DOWN, DOWN, DOWN),
    "bandwidth": (
        Toxic("bandwidth", _DOWN, {"rate": 50}),
        Toxic("bandwidth", _UP, {"rate": 5}),
        Toxic("bandwidth", _BOTH, {"rate": 1}),
    ),
    "slow_close": (
        Toxic("slow_close", _DOWN, {"delay": 500}),
        Toxic("slow_close", _UP, {"delay": 3000}),
        Toxic("slow_close", _BOTH, {"delay": 10000}),
    ),
    "timeout": (
        Toxic("timeout", _DOWN, {"timeout": 500}),
        Toxic("timeout", _UP, {"timeout": 3000}),
        Toxic("timeout", _DOWN, {"timeout": 0}, share=_HALF),
    ),
    "reset_peer": (
        Toxic("reset_peer", _DOWN, {"timeout": 1000}),
        Toxic("reset_peer", _UP, {"timeout": 0}),
        Toxic("reset_peer", _DOWN, {"timeout": 0}, share=_HALF),
    ),
    "slicer": (
        Toxic("slicer", _DOWN, {"average_size": 64, "size_variation": 32, "delay": 10}),
        Toxic("slicer", _UP, {"average_size": 8, "size_variation": 4, "delay": 1000}),
        Toxic("slicer", _BOTH, {"average_size": 8, "size_variation": 4, "delay": 5000}),
    ),
    "limit_data": (
        Toxic("limit_data", _DOWN, {"bytes": 20_000}),
        Toxic("limit_data", _UP, {"bytes": 300}),
        Toxic("limit_data", _DOWN, {"bytes": 0}, share=_HALF),
    ),
}
"""Weak, middling and strong. The strong `timeout`, `reset_peer` and `limit_data` let requests through, not answers,
on half of the connections: the app gets creates, and nobody hears what came of them."""
SECONDS: Final = (4.0, 7.0, 12.0)
"""How long each strength lasts. A source is read every 5 seconds."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One toxic at one end. `strength` is 1 to 3."""

    end: End
    kind: str
    strength: int

    def __str__(self) -> str:
        return f"{self.end}:{self.kind}:{self.strength}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of `str`. Raises ValueError."""
        end, kind, strength = text.split(":")
        if kind not in TOXICS or strength not in ("1", "2", "3"):
            raise ValueError(f"{text} is not END:TOXIC:STRENGTH, such as SCIM:timeout:3")
        return cls(End(end), kind, int(strength))

    @property
    def toxic(self) -> Toxic:
        """What is done."""
        return TOXICS[self.kind][self.strength - 1]

    @property
    def seconds(self) -> float:
        """For how long."""
        return SECONDS[self.strength - 1]

    @property
    def in_the_middle(self) -> bool:
        """Whether it strikes a cycle that runs, and not one that begins."""
        return self.strength == 2


def every_cell() -> Iterator[Cell]:
    """All of them: neighbours are at different ends."""
    for strength in (1, 2, 3):
        for kind in TOXICS:
            for end in End:
                yield Cell(end, kind, strength)
