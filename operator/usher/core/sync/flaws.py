"""What is wrong with a mapping at its ends, or with the filters of a connector, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from usher.core.errors import CycleError

MAPPING_INVALID: Final = "MappingInvalid"
MAX_SHOWN: Final = 5
_CONNECTOR: Final = "ProvisioningConnector/"


class Severity(StrEnum):
    """With an error the mapping does not run; a warning tells of what is perhaps not meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong. `place` is where, `AttributeMapping/people spec.attributes[3].target`.

    Of a rule that stands nowhere `place` is its target path. `problem` names attributes, never values of people.
    """

    place: str
    problem: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" if self.place else self.problem


def refuse_errors(flaws: Iterable[Flaw]) -> None:
    """Raises CycleError that names each line with an error, at most five, if there is one.

    Its reason is `MappingInvalid`, or `InvalidSpec` where nothing but the connector is wrong.
    """
    errors = [flaw for flaw in flaws if flaw.severity is Severity.ERROR]
    if errors:
        more = f" (and {len(errors) - MAX_SHOWN} more)" if len(errors) > MAX_SHOWN else ""
        of_connector = all(flaw.place.startswith(_CONNECTOR) for flaw in errors)
        told = "; ".join(map(str, errors[:MAX_SHOWN]))
        raise CycleError(told + more, reason="InvalidSpec" if of_connector else MAPPING_INVALID)
