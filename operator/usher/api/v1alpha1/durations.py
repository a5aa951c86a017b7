"""Durations as Go writes them: `90s`, `5m`, `1h30m`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from usher.api.v1alpha1.rules import VALIDATIONS, broken

MAX_LENGTH: Final = 20
"""With at most six digits a part, 20 characters stay below the 292 years that an int64 of nanoseconds holds."""
PATTERN: Final = r"([0-9]{1,6}([.][0-9]{1,3})?(ms|s|m|h))+"
EXPLANATION: Final = "must be a duration such as 90s, 5m or 1h30m (units: h, m, s, ms)"

_PART = re.compile(r"([0-9]+(?:[.][0-9]+)?)(ms|s|m|h)")
_UNITS: Final = {
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


def parse_duration(text: str) -> timedelta:
    """The duration that the text says; ValueError, with an example, when it says none."""
    if len(text) > MAX_LENGTH or re.fullmatch(PATTERN, text) is None:
        raise ValueError(EXPLANATION)
    return sum((float(number) * _UNITS[unit] for number, unit in _PART.findall(text)), timedelta())


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads as this duration, to the millisecond."""
    rest = round(duration / timedelta(milliseconds=1))
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A duration of a spec: text in the manifest, a timedelta in the model. `shortest` is a Go duration."""

    shortest: str

    @property
    def _too_short(self) -> str:
        return f"must be at least {self.shortest}"

    def check(self, value: str) -> timedelta:
        """Returns the duration; raises the broken rule."""
        try:
            duration = parse_duration(value)
        except ValueError as error:
            raise broken(str(error)) from error
        if duration < parse_duration(self.shortest):
            raise broken(self._too_short)
        return duration

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            self.check,
            core_schema.str_schema(strict=True),
            serialization=core_schema.plain_serializer_function_ser_schema(format_duration),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        long_enough = f'!self.matches("^{PATTERN}$") || duration(self) >= duration("{self.shortest}")'
        return {
            "type": "string",
            "maxLength": MAX_LENGTH,
            VALIDATIONS: [
                {"rule": f'self.matches("^{PATTERN}$")', "message": EXPLANATION},
                {"rule": long_enough, "message": self._too_short},
            ],
        }


Interval: TypeAlias = Annotated[timedelta, AtLeast("5s")]
"""The time between two cycles or reads."""
DeleteTime: TypeAlias = Annotated[timedelta, AtLeast("0s")]
"""How long an account stays disabled before it is deleted."""
FullInterval: TypeAlias = Annotated[timedelta, AtLeast("0s")]
"""The time between two full comparisons; 0s for none."""
HoldTime: TypeAlias = Annotated[timedelta, AtLeast("1s")]
"""How long something waits for a person."""
LogTime: TypeAlias = Annotated[timedelta, AtLeast("1h")]
"""How long lines of a log are kept."""
