"""What an answer means: a resource, a page, or one error of the tree (RFC 7644 3.12).

A write that was answered with anything but a clear yes or no has an unknown outcome: a proxy's login page with status
200, a truncated body and any 5xx may all follow the effect. A read has no effect, so there the same answers only mean
"not this time" or "this is no SCIM". Nothing that an answer says enters `str(error)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import orjson

from usher.core.errors import (
    LICENCES_USED_UP,
    CycleError,
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    ResourceError,
    ResourceGone,
    StaleImage,
    Throttled,
    UniquenessTaken,
    UsherError,
    scrub,
)
from usher.core.model.plans import Stored
from usher.core.model.resources import Json, TargetId, TargetResource
from usher.core.scim.licences import is_used_up
from usher.core.scim.paging import ListPage
from usher.core.scim.values import get_value

MAX_DEPTH: Final = 64
MAX_RETRY_AFTER: Final = 86_400.0

_REASONS: Final = {
    400: "UnprocessableEntity",
    403: "InsufficientRights",
    405: "MethodNotAllowed",
    422: "UnprocessableEntity",
    501: "MethodNotAllowed",
}
_NOT_OFFERED: Final = frozenset({204, 400, 402, 403, 404, 405, 406, 409, 410, 415, 422, 501})
"""What a target answers for good to a request for a discovery document that it has not."""
_TARGET: Final = "the target"
_SCIM_TYPES: Final = {"mutability": "NotPermitted", "invalidPath": "SchemaAttributeNotFound"}


class Answer(Protocol):
    """What came back. Header names are in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


# --- reads ----------------------------------------------------------------------------------------------------------


def interpret_resource(answer: Answer, now: datetime) -> TargetResource | None:
    """The answer to a GET by id; None for a 404."""
    if answer.status == 404:
        return None
    if not _succeeded(answer):
        raise _read_failure(answer, now)
    try:
        document = _parse(answer)
    except orjson.JSONDecodeError as error:
        raise NotSent(
            "the target's answer breaks off or is no valid JSON", reason="WebExceptionProtocolError"
        ) from error
    resource = _to_resource(document, answer)
    if resource is None:
        raise _not_scim("answered a read with something that is no resource")
    return resource


def interpret_page(answer: Answer, now: datetime) -> ListPage:
    """The answer to a list or a query; raises IncompleteRead where it breaks off, CycleError where it is no list."""
    if not _succeeded(answer):
        raise _read_failure(answer, now)
    try:
        document = _parse(answer)
    except orjson.JSONDecodeError as error:
        raise IncompleteRead("the target's list breaks off or is no valid JSON") from error
    total, rows, start = (get_value(name, document) for name in ("totalResults", "Resources", "startIndex"))
    rows = [] if rows is None else rows
    if not _is_count(total) or not isinstance(rows, list):
        raise _not_scim("answered a list request with something that is no list")
    resources = [_to_resource(row, None) for row in rows]
    whole = [resource for resource in resources if resource is not None]
    if len(whole) != len(resources):
        raise _not_scim("returned a resource without an id")
    return ListPage(whole, int(str(total)), start if isinstance(start, int) else None)


def interpret_document(answer: Answer, now: datetime, name: str) -> Json:
    """The answer to a GET of a discovery document (RFC 7644 4), None where the target does not offer it.

    Only a clear no says that: whatever may be otherwise in an hour (5xx, HTML, a redirect) is raised as of any read, or
    the types of attributes would change from one cycle to the next. `name` is what was asked for, as in `/Schemas`.
    """
    if answer.status in _NOT_OFFERED:
        return None
    whose = f"{_TARGET}'s {name}"
    if not _succeeded(answer):
        raise _read_failure(answer, now, whose)
    try:
        return _parse(answer, whose)
    except orjson.JSONDecodeError as error:
        raise NotSent(f"{whose} breaks off or is no valid JSON", reason="WebExceptionProtocolError") from error


def _read_failure(answer: Answer, now: datetime, who: str = _TARGET) -> UsherError:
    status = answer.status
    general = _general_failure(answer, now, who)
    if general is not None:
        return general
    if status == 403:
        return CycleError("the target refuses to let our credentials read (403)", reason="CredentialsRejected")
    if status in (404, 405, 501) or status < 400:
        return _not_scim(f"answered a read with status {status}")
    if status in (408, 425) or status >= 500:
        wait = parse_retry_after(answer.headers.get("retry-after"), now)
        message = f"{who} can't answer just now (status {status})"
        return NotSent(message) if wait is None else Throttled(message, retry_after=wait, reason="TargetUnreachable")
    return _refusal(answer)


# --- writes ---------------------------------------------------------------------------------------------------------


def interpret_create(answer: Answer, now: datetime) -> Stored:
    """The answer to a POST; without an id in it nobody knows what was created."""
    if not _succeeded(answer):
        if answer.status == 404:
            raise _not_scim("answered a create with status 404")
        raise _write_failure(answer, now)
    return _stored(answer)


def interpret_update(answer: Answer, target_id: TargetId, now: datetime) -> Stored:
    """The answer to a PATCH: 200 with the resource, or 204."""
    if answer.status == 204:
        return Stored(target_id, answer.headers.get("etag"), None)
    if answer.status == 404:
        raise ResourceGone
    if not _succeeded(answer):
        raise _write_failure(answer, now)
    return _stored(answer)


def interpret_delete(answer: Answer, now: datetime) -> None:
    """The answer to a DELETE; a body is none of a delete's business unless it is JSON."""
    if answer.status == 404:
        raise ResourceGone
    if not _succeeded(answer):
        raise _write_failure(answer, now)
    if answer.body.strip():
        _parse_written(answer)


def _stored(answer: Answer) -> Stored:
    resource = _to_resource(_parse_written(answer), answer)
    if resource is None:
        raise OutcomeUnknown("the target said yes to a write, but not to which resource")
    return Stored(resource.id, resource.version, resource)


def _parse_written(answer: Answer) -> Json:
    try:
        return _parse(answer)
    except (orjson.JSONDecodeError, CycleError) as error:
        raise OutcomeUnknown(f"the target answered a write with status {answer.status} and no SCIM") from error


def _write_failure(answer: Answer, now: datetime) -> UsherError:
    status, scim_type = answer.status, _error_field(answer, "scimType")
    general = _general_failure(answer, now)
    if general is not None:
        return general
    if status == 412 or (status == 400 and scim_type == "noTarget"):
        return StaleImage()
    if status == 409 or (status == 400 and scim_type == "uniqueness"):
        return UniquenessTaken(detail=scrub(_error_field(answer, "detail")))
    if status == 501 and _error_field(answer, "status"):  # the app's own word (RFC 7644 3.12), and no proxy's
        return _refusal(answer)
    if status in (408, 425) or status >= 500 or status < 300:
        wait = parse_retry_after(answer.headers.get("retry-after"), now)
        return OutcomeUnknown(f"the target answered a write with status {status}", retry_after=wait)
    return _refusal(answer)


# --- both -----------------------------------------------------------------------------------------------------------


def _general_failure(answer: Answer, now: datetime, who: str = _TARGET) -> UsherError | None:
    """What means the same after a read and after a write."""
    status = answer.status
    if 300 <= status < 400:
        return _not_scim(f"redirects (status {status}), which is never followed: give the URL it redirects to", who)
    if status == 401:
        return CycleError(f"{who} refuses our credentials (401)", reason="CredentialsRejected")
    if status == 429:
        wait = parse_retry_after(answer.headers.get("retry-after"), now)
        return Throttled("the target asks for fewer requests (429)", retry_after=wait)
    return None


def _refusal(answer: Answer) -> ResourceError:
    scim_type, detail = _error_field(answer, "scimType"), scrub(_error_field(answer, "detail"))
    reason = _SCIM_TYPES.get(scim_type) or _REASONS.get(answer.status, "WebExceptionProtocolError")
    if is_used_up(answer.status, detail):
        reason = LICENCES_USED_UP
    return ResourceError(f"the target refuses the request (status {answer.status})", reason=reason, detail=detail)


def _not_scim(what: str, who: str = _TARGET) -> CycleError:
    return CycleError(
        f"{who} {what}: check the URL, it should be a SCIM 2.0 base address", reason="ServiceIncompatible"
    )


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds to wait, from either form of `Retry-After` (RFC 9110 10.2.3); None where it is absent or senseless."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _succeeded(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _parse(answer: Answer, who: str = _TARGET) -> Json:
    """The body as JSON. Raises JSONDecodeError where it begins like JSON, CycleError where it never was any."""
    body = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body.startswith((b"{", b"[")):
        raise _not_scim("answered with something that is no JSON", who)
    document: Json = orjson.loads(body)
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > MAX_DEPTH and _is_deeper(document, MAX_DEPTH):
        raise _not_scim(f"answered with JSON nested deeper than {MAX_DEPTH}", who)
    return document


def _is_deeper(value: Json, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in children if isinstance(child, dict | list))


def _to_resource(document: Json, answer: Answer | None) -> TargetResource | None:
    """A resource with its id; numbers as ids are taken as text. The version is the ETag header's, or `meta.version`."""
    found = get_value("id", document)
    if not isinstance(document, dict) or isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        return None
    inside = get_value("version", get_value("meta", document))
    version = answer.headers.get("etag") if answer is not None else None
    return TargetResource(
        TargetId(str(found)), version or (inside if isinstance(inside, str) and inside else None), document
    )


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _error_field(answer: Answer, name: str) -> str:
    """A field of an error document (RFC 7644 3.12), empty where there is none."""
    try:
        held = get_value(name, orjson.loads(answer.body))
    except orjson.JSONDecodeError:
        return ""
    return held if isinstance(held, str) else ""
