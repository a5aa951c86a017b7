"""IdentitySource: where people are read from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Final

from pydantic import Field

from usher.api.conditions import Conditions
from usher.api.v1alpha1.durations import Interval
from usher.api.v1alpha1.objects import ScheduleStatus, Status, Time
from usher.api.v1alpha1.rules import Rule, Strict, exactly_one
from usher.api.v1alpha1.sources.csv import CsvSource, LocalCsvSource
from usher.api.v1alpha1.sources.ldap import LdapSource

MAX_ATTRIBUTES_SHOWN: Final = 200
MAX_ATTRIBUTE_NAME_SHOWN: Final = 128
MAX_ATTRIBUTE_TEXT_SHOWN: Final = 4096


class SourceSchedule(Strict):
    """When the source is read."""

    interval: Interval = Field(
        default=timedelta(minutes=1),
        description="Longest time between two reads, such as 1m, which is also what an absent field means.",
    )
    full_read_interval: Interval = Field(
        default=timedelta(minutes=15),
        description="A source that can tell what changed is read whole once in this time, and by its changes in"
        " between; 15m when absent. A CSV document is read whole each time.",
    )


class IdentitySourceSpec(Strict):
    """The source, and when a read of it is believed."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("csv", "ldap"),)

    schedule: SourceSchedule = Field(default=SourceSchedule(), description="When the source is read.")
    min_retained: int = Field(
        default=80,
        ge=0,
        le=100,
        description="A read that keeps less than this percentage of the people of the one before is void until it is"
        " approved; an empty one always is. 80 when absent.",
    )
    default_domain: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="The domain that DefaultDomain() gives in an expression, such as example.com.",
    )
    csv: CsvSource | None = Field(default=None, description="A CSV document.")
    ldap: LdapSource | None = Field(default=None, description="A directory.")


class LocalIdentitySourceSpec(IdentitySourceSpec):
    """The same for the command line, where a document may be a file."""

    csv: LocalCsvSource | None = Field(default=None, description="A CSV document.")


class SourceCounts(Status):
    """What the source holds, by the last read that is believed."""

    users: int | None = Field(default=None, description="People.")
    groups: int | None = Field(default=None, description="Groups; absent where none are read.")


class PendingRead(Status):
    """A read that is void until somebody approves it."""

    hash: str | None = Field(
        default=None, max_length=128, description="Names exactly this content; what an approval says."
    )
    users: int | None = Field(default=None, description="People in this read.")
    kept: int | None = Field(default=None, description="How many of them were in the last complete read as well.")


class SourceStatus(Status):
    """What the operator has read."""

    observed_generation: int | None = Field(
        default=None, description="The generation of the spec that this status is about."
    )
    last_handled_reconcile_at: str | None = Field(
        default=None, max_length=256, description="The value of the annotation requestedAt that was last acted upon."
    )
    conditions: Conditions = Field(default=(), description="Ready and others; see their messages.")
    schedule: ScheduleStatus | None = Field(default=None, description="The schedule in force.")
    counts: SourceCounts | None = Field(
        default=None, description="What the source holds, by the last read that is believed."
    )
    last_read_time: Time | None = Field(
        default=None, description="When the last read ended that is believed, a whole one or one of changes."
    )
    version: int | None = Field(default=None, description="Grows by one with each read that changed something.")
    consecutive_failures: int | None = Field(default=None, description="How many reads in a row have failed.")
    attributes: tuple[str, ...] | None = Field(
        default=None,
        max_length=MAX_ATTRIBUTES_SHOWN,
        description="Names of the attributes that the source has, as a mapping writes them.",
    )
    pending: PendingRead | None = Field(
        default=None, description="The read that is void until it is approved, if there is one."
    )


def shown_attributes(names: Iterable[str]) -> tuple[str, ...]:
    """The names that go into a status: sorted, at most 200, and 4 KiB in all; names that are too long are left out."""
    shown: list[str] = []
    room = MAX_ATTRIBUTE_TEXT_SHOWN
    for name in sorted(set(names)):
        room -= len(name.encode())
        if room < 0 or len(shown) == MAX_ATTRIBUTES_SHOWN:
            break
        if len(name) <= MAX_ATTRIBUTE_NAME_SHOWN:
            shown.append(name)
    return tuple(shown)
