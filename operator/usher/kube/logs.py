"""JSON logs: a line a record, one for each cycle. No attribute values, no texts of unexpected errors."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

from usher.core.errors import UsherError
from usher.core.model.reports import CycleReport
from usher.kube.attempts import location_of
from usher.kube.objects import ObjectKey
from usher.transport.redaction import silence_url_loggers

_QUIET: Final = ("kopf", "kubernetes", "asyncio", "aiohttp_retry")
_OF_A_STOP: Final = ("is cancelled. Will escalate.", "only partially executed due to cancellation.")
logger = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Of an exception the type and the place: its text may quote what it was about."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = location_of(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _tells_something(record: logging.LogRecord) -> bool:
    """A stop that meets the start, which waits for the cluster, is no failure, though kopf tells it as one."""
    return not (record.name.startswith("kopf") and record.getMessage().endswith(_OF_A_STOP))


def set_up_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """Sends everything as JSON to the stream (standard error), and keeps talkative libraries quiet."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_tells_something)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    silence_url_loggers()
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_cycle(key: ObjectKey, came: CycleReport | UsherError) -> None:
    """The line of one cycle."""
    fields: dict[str, Any] = {"connector": key.path}
    if isinstance(came, UsherError):
        fields |= {"result": "Failed", "reason": came.reason, "error": came.message}
    else:
        fields |= {"cycle": came.name, "kind": came.kind.value, "result": came.result.value}
        fields |= {name: count for name, count in asdict(came.counts).items() if count}
        if came.groups is not None:
            fields["groups"] = {name: count for name, count in asdict(came.groups).items() if count}
        fields["seconds"] = round((came.completed - came.started).total_seconds(), 3)
        fields["pending"] = came.pending
        if came.escrowed:
            again = None if came.next_retry is None else came.next_retry.isoformat(timespec="seconds")
            fields |= {"escrowed": came.escrowed, "givenUp": came.given_up, "nextRetry": again}
        if came.stale:
            fields["discovery"] = f"{came.stale}; what the target said before stays in force"
        if came.error_reason:
            fields |= {"reason": came.error_reason, "error": came.error}
    logger.info("cycle", extra={"fields": fields})
