"""Each misfortune on the wire becomes the error that says what the caller must do next.

Covered: every fault of the schedule on a create (the write that must not be repeated), and on a list, a query and a
read by id. An update and a delete share the create's way through the session: one fault each shows it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from typing import Final

import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.target import Complete, Page, TargetSession
from usher.core.errors import CycleError, IncompleteRead, NotSent, OutcomeUnknown, ResourceError, Throttled, UsherError
from usher.core.model.plans import Create, Criterion, Delete, Replace, Update
from usher.core.model.resources import AttributePath, ResourceType, TargetId
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Operation, every, nth
from usher.testing.hostile_server import HostileServer, HostileSettings, hostile_server
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MemorySettings
from usher.transport.addresses import AddressPolicy

USER: Final = ResourceType.USER
NAME: Final = AttributePath("userName")
TITLE: Final = AttributePath("title")
ADA: Final = (Criterion(NAME, "ada"),)
EVERYTHING: Final = frozenset({NAME, TITLE})


@asynccontextmanager
async def failing(operation: Operation, fault: Fault) -> AsyncIterator[tuple[HostileServer, TargetSession]]:
    settings = HostileSettings(app=MemorySettings(page_size=2))
    token = SecretRef("Secret", "app", "token")
    policy = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
    async with hostile_server(settings, FaultSchedule([every(operation, 1, fault)])) as server:
        secrets = MemorySecrets({token: server.token})
        async with open_scim(ScimSettings(server.url, token), secrets, real_runtime(), policy) as session:
            yield server, session


async def listed(session: TargetSession) -> Sequence[Page | Complete]:
    return [item async for item in session.list(USER, EVERYTHING)]


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        (FaultKind.LOST_BEFORE, OutcomeUnknown, 0),
        (FaultKind.LOST_AFTER, OutcomeUnknown, 1),
        (FaultKind.THROTTLED, Throttled, 0),
        (FaultKind.UNAVAILABLE, OutcomeUnknown, 0),
        (FaultKind.UNAVAILABLE_AFTER, OutcomeUnknown, 1),
        (FaultKind.REFUSED, ResourceError, 0),
        (FaultKind.NO_LICENCE, ResourceError, 0),
        (FaultKind.UNAUTHORIZED, CycleError, 0),
        (FaultKind.TRUNCATED_JSON, OutcomeUnknown, 1),
        (FaultKind.CUT_OFF, OutcomeUnknown, 1),
        (FaultKind.HTML_200, OutcomeUnknown, 0),
        (FaultKind.HTML_200_AFTER, OutcomeUnknown, 1),
    ],
)
async def test_a_create_that_went_wrong_is_certain_only_where_the_app_said_so(
    kind: FaultKind, error: type[UsherError], made: int
) -> None:
    async with failing(Operation.CREATE, Fault(kind)) as (server, session):
        with pytest.raises(error) as caught:
            await session.create(Create(USER, {NAME: "ada"}))
    assert type(caught.value) is error
    assert len(server.app.accounts) == made
    assert server.requests["POST"] == 1
    assert "ada" not in str(caught.value)


async def test_a_create_to_a_closed_port_was_not_sent() -> None:
    async with failing(Operation.CREATE, Fault(FaultKind.LOST_BEFORE)) as (server, _):
        url = server.url
    token = SecretRef("Secret", "app", "token")
    policy = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
    secrets = MemorySecrets({token: server.token})
    async with open_scim(ScimSettings(url, token), secrets, real_runtime(), policy) as session:
        with pytest.raises(NotSent):
            await session.create(Create(USER, {NAME: "ada"}))


async def test_an_update_whose_answer_was_lost_is_unknown() -> None:
    async with failing(Operation.UPDATE, Fault(FaultKind.LOST_AFTER)) as (server, session):
        ada = server.app.plant({"userName": "ada"})
        with pytest.raises(OutcomeUnknown):
            await session.update(Update(USER, ada, {TITLE: Replace("Dr")}, {TITLE: None}, None))
        assert server.app.document(ada)["title"] == "Dr"
    assert server.requests["PATCH"] == 1


async def test_a_delete_whose_answer_was_lost_is_unknown_and_sent_once() -> None:
    async with failing(Operation.DELETE, Fault(FaultKind.LOST_AFTER)) as (server, session):
        ada = server.app.plant({"userName": "ada"})
        with pytest.raises(OutcomeUnknown):
            await session.delete(Delete(USER, ada))
    assert server.requests["DELETE"] == 1


async def test_an_update_that_the_app_only_pretends_to_make_shows_in_its_echo() -> None:
    async with failing(Operation.UPDATE, Fault(FaultKind.IGNORED_CHANGE)) as (server, session):
        ada = server.app.plant({"userName": "ada", "title": "Ms"})
        stored = await session.update(Update(USER, ada, {TITLE: Replace("Dr")}, {TITLE: "Ms"}, None))
    assert stored.echo is not None
    assert stored.echo.attributes["title"] == "Ms"


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.FIND])
@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [(7, 7, 7), ("date", 50, 60), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0), ("soon", None, None), (None, None, None)],
)
async def test_a_throttled_request_says_how_long_to_wait_in_either_form(
    operation: Operation, retry_after: float | str | None, least: float | None, most: float | None
) -> None:
    wait = in_a_minute() if retry_after == "date" else retry_after
    async with failing(operation, Fault(FaultKind.THROTTLED, retry_after=wait)) as (_, session):
        create, find = session.create(Create(USER, {NAME: "ada"})), session.find(USER, ADA, EVERYTHING)
        asked_for, left = (create, find) if operation is Operation.CREATE else (find, create)
        left.close()
        with pytest.raises(Throttled) as caught:
            await asked_for
    asked = caught.value.retry_after
    assert (asked is None) if least is None or most is None else (asked is not None and least <= asked <= most)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.LOST_BEFORE, NotSent),
        (FaultKind.UNAVAILABLE, NotSent),
        (FaultKind.THROTTLED, Throttled),
        (FaultKind.UNAUTHORIZED, CycleError),
        (FaultKind.TRUNCATED_JSON, IncompleteRead),
        (FaultKind.CUT_OFF, NotSent),
        (FaultKind.HTML_200, CycleError),
    ],
)
async def test_a_list_that_went_wrong_is_no_evidence_of_anything(kind: FaultKind, error: type[UsherError]) -> None:
    async with failing(Operation.LIST, Fault(kind)) as (server, session):
        server.app.plant({"userName": "ada"})
        with pytest.raises(error):
            await listed(session)


@pytest.mark.parametrize("kind", [FaultKind.REPEATED_PAGE, FaultKind.LYING_TOTAL, FaultKind.EMPTY_LIST])
@pytest.mark.parametrize("page", [1, 2, 3])
async def test_a_list_whose_pages_contradict_each_other_is_void(kind: FaultKind, page: int) -> None:
    async with failing(Operation.CHECK, Fault(kind)) as (server, session):
        for number in range(5):
            server.app.plant({"userName": f"n{number}"})
        server.faults.add(nth(Operation.LIST, page, Fault(kind)))
        if page == 1 and kind is not FaultKind.LYING_TOTAL:
            assert isinstance((await listed(session))[-1], Complete)
            return
        with pytest.raises(IncompleteRead):
            await listed(session)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.LOST_AFTER, NotSent),
        (FaultKind.UNAVAILABLE, NotSent),
        (FaultKind.TRUNCATED_JSON, NotSent),
        (FaultKind.CUT_OFF, NotSent),
        (FaultKind.HTML_200, CycleError),
        (FaultKind.UNAUTHORIZED, CycleError),
    ],
)
async def test_a_read_by_id_that_went_wrong_never_means_gone(kind: FaultKind, error: type[UsherError]) -> None:
    async with failing(Operation.GET, Fault(kind)) as (server, session):
        ada = server.app.plant({"userName": "ada"})
        with pytest.raises(error):
            await session.get(USER, TargetId(ada), EVERYTHING)


async def test_a_filter_that_the_app_ignores_brings_no_false_hit() -> None:
    async with failing(Operation.FIND, Fault(FaultKind.IGNORED_FILTER)) as (server, session):
        server.app.plant({"userName": "bob"})
        assert not await session.find(USER, ADA, EVERYTHING)
        ada = server.app.plant({"userName": "ada"})
        assert [hit.id for hit in await session.find(USER, ADA, EVERYTHING)] == [ada]


async def test_a_filter_that_the_app_ignores_and_cuts_off_is_no_evidence_of_absence() -> None:
    async with failing(Operation.FIND, Fault(FaultKind.IGNORED_FILTER)) as (server, session):
        for name in ("bob", "cy", "ada"):
            server.app.plant({"userName": name})
        with pytest.raises(IncompleteRead):
            await session.find(USER, ADA, EVERYTHING)
