"""What all answers have in common."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from usher.core.model.resources import Json


class Answer(BaseModel):
    """A part of an answer. What a newer operator says besides is ignored."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    def data(self) -> dict[str, Json]:
        """For programs: camelCase, in the order of the fields, without those that nobody set."""
        dumped: dict[str, Json] = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return dumped


def time_text(time: datetime) -> str:
    """In UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
