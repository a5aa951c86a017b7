"""Lines of the provisioning log."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, JsonValue

from usher.answers.form import Answer, time_text
from usher.contracts.log import LogEntry, LogQuery, LogStore
from usher.core.model.resources import ConnectorKey


class ValueLine(Answer):
    """What became of one attribute."""

    old: JsonValue
    new: JsonValue


class LogLine(Answer):
    """One line; `duration` is in seconds, `values` are only there where the connector wants them to be kept."""

    time: str
    cycle: str
    resource_type: str
    source_id: str | None
    target_id: str | None
    step: str
    action: str
    result: str
    reason: str
    attributes: Sequence[str]
    duration: float
    detail: str
    values: dict[str, ValueLine] = Field(default_factory=dict)


class LogPage(Answer):
    """The newest lines that were asked for, newest first; `before` is what asks for those behind them, if any are."""

    connector: str
    entries: Sequence[LogLine]
    before: int | None


def line_of(entry: LogEntry) -> LogLine:
    """One line as it is told."""
    line = LogLine(
        time=time_text(entry.time),
        cycle=entry.cycle,
        resource_type=entry.resource_type.value,
        source_id=entry.source_id,
        target_id=entry.target_id,
        step=entry.step,
        action=entry.action,
        result=entry.result,
        reason=entry.reason,
        attributes=entry.attributes,
        duration=round(entry.duration.total_seconds(), 3),
        detail=entry.detail,
    )
    values = {path: ValueLine(old=one.old, new=one.new) for path, one in entry.values.items()}
    return line.model_copy(update={"values": values}) if values else line


async def read_log(store: LogStore, connector: ConnectorKey, query: LogQuery, limit: int) -> LogPage:
    """At most so many lines."""
    found = await store.log(connector, query, limit + 1)
    entries, more = found[:limit], len(found) > limit > 0
    lines = [line_of(entry) for entry in entries]
    return LogPage(connector=connector, entries=lines, before=entries[-1].number if more else None)
