"""Where errors end: the known ones are told, the unexpected ones are bugs, and neither ends the operator."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from usher.core.errors import UsherError
from usher.kube.objects import ObjectKey

T = TypeVar("T")
logger = logging.getLogger(__name__)


def location_of(error: BaseException) -> str:
    """`ZeroDivisionError at cycle.py:123`: what may be told of an unexpected error, as its text may quote a value."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


async def attempt(work: Awaitable[T], key: ObjectKey) -> T | UsherError:
    """What the work gives, or the error with which it ended. An unexpected one becomes `InternalError`."""
    try:
        return await work
    except UsherError as error:
        return error
    except Exception as error:
        what = location_of(error)
        logger.exception(
            "unexpected error",
            extra={"fields": {"kind": key.kind.value, "object": key.path, "error": what}},
        )
        message = f"unexpected {what}: this is a bug of the operator, not of what you wrote; it is tried again"
        return UsherError(message, reason="InternalError")
