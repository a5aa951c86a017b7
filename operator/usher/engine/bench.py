"""What the stages of one cycle share."""

from __future__ import annotations

from dataclasses import dataclass

from usher.contracts.target import TargetSession
from usher.engine.job import ConnectorJob, Control, Ports
from usher.engine.retry import Retrier


@dataclass(frozen=True, slots=True)
class Bench:
    """What every stage of one cycle shares. The mappings of its job have the types of the target's own schemas.

    `cycle` is its name, empty for one that only looks.
    """

    job: ConnectorJob
    ports: Ports
    control: Control
    session: TargetSession
    retrier: Retrier
    cycle: str = ""
