from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
import pytest

from usher.core.errors import (
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
)
from usher.core.model.resources import Json, TargetId
from usher.core.scim.responses import (
    interpret_create,
    interpret_delete,
    interpret_page,
    interpret_resource,
    interpret_update,
    parse_retry_after,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CANARY = "canary@example.com"
HTML = f"<html><body>Sign in {CANARY}</body></html>".encode()
USER: dict[str, Json] = {"id": "7", "userName": CANARY, "meta": {"version": 'W/"1"'}}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(status: int, document: Json = None, **headers: str) -> Reply:
    body = b"" if document is None else orjson.dumps(document)
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def refusal(status: int, scim_type: str = "") -> Reply:
    return reply(status, {"status": str(status), "scimType": scim_type, "detail": f"no {CANARY}\n"})


def on_update(answer: Reply) -> object:
    return interpret_update(answer, TargetId("7"), NOW)


def on_create(answer: Reply) -> object:
    return interpret_create(answer, NOW)


def on_delete(answer: Reply) -> object:
    interpret_delete(answer, NOW)
    return None


def on_page(answer: Reply) -> object:
    return interpret_page(answer, NOW)


def on_get(answer: Reply) -> object:
    return interpret_resource(answer, NOW)


WRITES = [on_create, on_update, on_delete]
READS = [on_page, on_get]
Interpretation = Callable[[Reply], object]


def failure(interpret: Interpretation, answer: Reply) -> UsherError:
    with pytest.raises(UsherError) as caught:
        interpret(answer)
    assert CANARY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("interpret", WRITES)
@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, HTML),
        Reply(200, b'{"id": "7", "userName": "al'),
        Reply(200, b'"7" and more'),
        *[Reply(status, HTML) for status in (500, 501, 502, 503, 504, 408)],
        reply(503, None, retry_after="3"),
    ],
)
def test_a_write_answered_with_neither_yes_nor_no_has_an_unknown_outcome(
    interpret: Interpretation, answer: Reply
) -> None:
    assert type(failure(interpret, answer)) is OutcomeUnknown


@pytest.mark.parametrize("interpret", WRITES)
def test_a_write_that_the_target_itself_does_not_implement_is_refused(interpret: Interpretation) -> None:
    error = failure(interpret, refusal(501))
    assert isinstance(error, ResourceError)
    assert error.reason == "MethodNotAllowed"


@pytest.mark.parametrize("interpret", WRITES)
@pytest.mark.parametrize(("headers", "wait"), [({"retry_after": "30"}, 30.0), ({}, None)])
def test_a_write_of_unknown_outcome_says_when_the_target_wants_to_be_asked_again(
    interpret: Interpretation, headers: Mapping[str, str], wait: float | None
) -> None:
    error = failure(interpret, reply(503, None, **headers))
    assert isinstance(error, OutcomeUnknown)
    assert error.retry_after == wait


@pytest.mark.parametrize("interpret", [on_create, on_update])
@pytest.mark.parametrize("document", [{"userName": "a"}, {"id": ""}, {"id": None}, {"id": True}, [USER], {}])
def test_a_write_confirmed_without_an_id_has_an_unknown_outcome(interpret: Interpretation, document: Json) -> None:
    assert type(failure(interpret, reply(200, document))) is OutcomeUnknown


def test_an_empty_yes_to_a_create_has_an_unknown_outcome() -> None:
    assert type(failure(on_create, reply(201))) is OutcomeUnknown
    assert type(failure(on_create, reply(204))) is OutcomeUnknown


@pytest.mark.parametrize("interpret", [*WRITES, *READS])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply(401, HTML), "CredentialsRejected"),
        (reply(302, None, location=f"https://other.example/?u={CANARY}"), "ServiceIncompatible"),
        (reply(307, None, location="https://other.example/"), "ServiceIncompatible"),
    ],
)
def test_refused_credentials_and_redirects_end_the_cycle(interpret: Interpretation, answer: Reply, reason: str) -> None:
    error = failure(interpret, answer)

    assert type(error) is CycleError
    assert error.reason == reason


@pytest.mark.parametrize("interpret", [*WRITES, *READS])
def test_a_429_had_no_effect_and_says_how_long_to_wait(interpret: Interpretation) -> None:
    error = failure(interpret, reply(429, None, retry_after="7"))

    assert isinstance(error, Throttled)
    assert error.retry_after == 7.0


@pytest.mark.parametrize("interpret", WRITES)
@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refusal(403), ResourceError, "InsufficientRights"),
        (refusal(405), ResourceError, "MethodNotAllowed"),
        (refusal(422), ResourceError, "UnprocessableEntity"),
        (refusal(400, "invalidValue"), ResourceError, "UnprocessableEntity"),
        (refusal(400, "mutability"), ResourceError, "NotPermitted"),
        (refusal(400, "invalidPath"), ResourceError, "SchemaAttributeNotFound"),
        (refusal(402), ResourceError, "LicenseLimitExceeded"),
        (refusal(418), ResourceError, "WebExceptionProtocolError"),
        (refusal(409), UniquenessTaken, "EntryConflict"),
        (refusal(400, "uniqueness"), UniquenessTaken, "EntryConflict"),
        (refusal(412), StaleImage, "Conflict"),
        (refusal(400, "noTarget"), StaleImage, "Conflict"),
    ],
)
def test_a_refused_write_fails_one_resource_with_its_reason(
    interpret: Interpretation, answer: Reply, kind: type[ResourceError], reason: str
) -> None:
    error = failure(interpret, answer)

    assert type(error) is kind
    assert error.reason == reason


def test_the_targets_own_words_are_kept_scrubbed_and_apart() -> None:
    error = failure(on_create, refusal(409))

    assert error.detail == f"no {CANARY}"


def test_a_404_means_gone_to_an_update_and_a_delete_and_no_scim_to_a_create() -> None:
    assert isinstance(failure(on_update, refusal(404)), ResourceGone)
    assert isinstance(failure(on_delete, refusal(404)), ResourceGone)
    assert failure(on_create, Reply(404, HTML)).reason == "ServiceIncompatible"


def test_an_update_takes_its_version_from_the_header_or_the_document() -> None:
    assert interpret_update(reply(204, None, etag='W/"2"'), TargetId("7"), NOW).version == 'W/"2"'
    assert interpret_update(reply(204), TargetId("7"), NOW).version is None
    assert interpret_update(reply(200, USER), TargetId("7"), NOW).version == 'W/"1"'
    assert interpret_update(reply(200, USER, etag='W/"2"'), TargetId("7"), NOW).version == 'W/"2"'


def test_a_create_gives_the_id_and_the_resource_whatever_the_case_and_kind_of_the_id() -> None:
    stored = interpret_create(reply(201, {"ID": 12, "userName": "a"}), NOW)

    assert stored.id == "12"
    assert stored.echo is not None
    assert stored.echo.attributes["userName"] == "a"


def test_a_get_of_a_404_says_that_there_is_none() -> None:
    assert on_get(refusal(404)) is None


@pytest.mark.parametrize("interpret", READS)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply(200, HTML), "ServiceIncompatible"),
        (Reply(200, b""), "ServiceIncompatible"),
        (reply(200, {"ok": True}), "ServiceIncompatible"),
        (reply(200, []), "ServiceIncompatible"),
        (Reply(200, b"[" * 200 + b"]" * 200), "ServiceIncompatible"),
        (refusal(405), "ServiceIncompatible"),
        (refusal(501), "ServiceIncompatible"),
        (refusal(403), "CredentialsRejected"),
    ],
)
def test_a_read_that_is_answered_with_no_scim_ends_the_cycle(
    interpret: Interpretation, answer: Reply, reason: str
) -> None:
    error = failure(interpret, answer)

    assert type(error) is CycleError
    assert error.reason == reason


def test_a_list_that_breaks_off_is_void_and_a_404_to_it_is_no_scim() -> None:
    assert isinstance(failure(on_page, Reply(200, b'{"totalResults": 2, "Resources": [{"id"')), IncompleteRead)
    assert failure(on_page, refusal(404)).reason == "ServiceIncompatible"


def test_a_resource_that_breaks_off_may_be_read_again() -> None:
    assert type(failure(on_get, Reply(200, b'{"id": "7"'))) is NotSent


@pytest.mark.parametrize("interpret", READS)
def test_a_read_that_finds_the_target_down_may_be_sent_again(interpret: Interpretation) -> None:
    assert type(failure(interpret, Reply(500, HTML))) is NotSent
    waiting = failure(interpret, reply(503, None, retry_after="4"))
    assert isinstance(waiting, Throttled)
    assert waiting.retry_after == 4.0


def test_a_refused_query_fails_one_resource() -> None:
    assert type(failure(on_page, refusal(400, "invalidFilter"))) is ResourceError


@pytest.mark.parametrize(
    "document",
    [
        {"totalResults": "2", "Resources": []},
        {"totalResults": -1, "Resources": []},
        {"totalResults": True, "Resources": []},
        {"Resources": []},
        {"totalResults": 1, "Resources": {"id": "7"}},
        {"totalResults": 1, "Resources": [{"userName": "a"}]},
        {"totalResults": 1, "Resources": ["7"]},
    ],
)
def test_a_list_of_the_wrong_shape_is_no_scim(document: Json) -> None:
    assert failure(on_page, reply(200, document)).reason == "ServiceIncompatible"


def test_an_empty_list_may_leave_its_rows_out() -> None:
    page = interpret_page(reply(200, {"totalResults": 0}), NOW)

    assert (page.total, list(page.resources), page.start_index) == (0, [], None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("99999999999999999999", 86_400.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds
