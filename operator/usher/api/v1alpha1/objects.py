"""What all our kinds have around their spec: type, metadata, and what every status is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel

from usher.api.v1alpha1.references import ObjectName
from usher.api.v1alpha1.rules import Matches, Strict


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time: TypeAlias = Annotated[
    datetime, PlainSerializer(_rfc3339, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""An aware time; a manifest shows it in UTC, to the second."""

Namespace: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matches(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", "must be the name of a namespace: lower-case letters, digits and '-'"),
]


class Metadata(Strict):
    """What we read of an object's metadata."""

    name: ObjectName
    namespace: Namespace = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    annotations: dict[str, str] = Field(default_factory=dict)


class Status(BaseModel):
    """A part of a status. Every field is optional, as statuses outlive the version that wrote them."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class ScheduleStatus(Status):
    """The schedule in force."""

    interval: str | None = Field(
        default=None, max_length=20, description="Longest time between two runs, as a Go duration."
    )


S = TypeVar("S", bound=Status)


def read_status(model: type[S], status: object) -> S:
    """The status as an object holds it now; an empty one where a former version wrote what can't be read."""
    try:
        return model.model_validate(status if isinstance(status, Mapping) else {})
    except ValidationError:
        return model()


def write_status(status: Status) -> dict[str, Any]:
    """The status as it goes into a manifest: camelCase, times in UTC, nothing that is absent."""
    written: dict[str, Any] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return written
