"""What the stages of one cycle share."""

from __future__ import annotations

from dataclasses import dataclass, field

from usher.contracts.target import TargetSession
from usher.core.model.standing import Standing
from usher.engine.job import ConnectorJob, Control, Ports
from usher.engine.licences import Licences
from usher.engine.retry import Retrier
from usher.engine.selecting import EVERYBODY, Selection


@dataclass(frozen=True, slots=True)
class Bench:
    """What every stage of one cycle shares. The mappings of its job have the types of the target's own schemas.

    `standing` is that of before the cycle. `cycle` is its name, empty for one that only looks. `selection` is whom it
    is about.
    """

    job: ConnectorJob
    ports: Ports
    control: Control
    session: TargetSession
    retrier: Retrier
    standing: Standing
    cycle: str = ""
    licences: Licences = field(default_factory=Licences)
    selection: Selection = EVERYBODY

    @property
    def is_new(self) -> bool:
        """Whether no cycle has run to its end under this spec yet."""
        return self.standing.spec != self.job.digest
