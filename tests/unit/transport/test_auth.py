from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from usher.contracts.runtime import SecretText
from usher.core.errors import CycleError
from usher.core.model.standing import Credential
from usher.transport.auth import BearerClient
from usher.transport.http import HttpAnswer
from usher.transport.tokens import read_expiry


class Gatekeeper:
    """Answers 401 to every token but one; counts what it was sent."""

    def __init__(self, accepted: str) -> None:
        self.accepted = accepted
        self.sent: list[str] = []

    async def send(
        self, _method: str, _path: str, headers: Mapping[str, str], _body: bytes | None = None
    ) -> HttpAnswer:
        self.sent.append(headers["authorization"])
        await asyncio.sleep(0)
        return HttpAnswer(200 if headers["authorization"] == f"Bearer {self.accepted}" else 401, {}, b"")


class Vault:
    """A Secret whose value changes with each reading."""

    def __init__(self, *values: str) -> None:
        self.values = list(values)
        self.reads = 0

    async def read(self) -> SecretText:
        self.reads += 1
        await asyncio.sleep(0)
        return SecretText(self.values.pop(0) if len(self.values) > 1 else self.values[0])


async def test_the_token_is_read_once_and_the_line_end_of_its_file_is_not_part_of_it() -> None:
    gate, vault = Gatekeeper("new"), Vault("new\n")
    client = BearerClient(gate, vault.read)

    answers = [await client.send("GET", "/", {}) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert vault.reads == 1


async def test_a_401_makes_the_token_be_read_again_once_for_all_who_were_refused() -> None:
    gate, vault = Gatekeeper("new"), Vault("old", "new")
    client = BearerClient(gate, vault.read)

    answers = await asyncio.gather(*(client.send("POST", "/", {}) for _ in range(10)))

    assert {answer.status for answer in answers} == {200}
    assert vault.reads == 2


async def test_a_token_that_is_still_refused_is_not_tried_for_ever() -> None:
    gate, vault = Gatekeeper("none"), Vault("old", "other")
    client = BearerClient(gate, vault.read)

    assert (await client.send("GET", "/", {})).status == 401
    assert gate.sent == ["Bearer old", "Bearer other"]


async def test_a_token_that_did_not_change_is_not_sent_again() -> None:
    gate = Gatekeeper("none")

    assert (await BearerClient(gate, Vault("old").read).send("GET", "/", {})).status == 401
    assert len(gate.sent) == 1


@pytest.mark.parametrize("token", ["", " \n", "two words", "line\r\nX-Evil: 1", "töken", "nul\x00"])
async def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(CycleError) as caught:
        await BearerClient(Gatekeeper("x"), Vault(token).read).send("GET", "/", {})

    assert caught.value.reason == "CredentialsRejected"
    assert not token.strip() or token not in str(caught.value)


async def test_a_refused_token_is_read_once_more_for_all_that_were_refused_and_then_nothing_is_sent_any_more() -> None:
    gate, vault = Gatekeeper("new"), Vault("old")
    client = BearerClient(gate, vault.read)

    first = await asyncio.gather(*(client.send("GET", "/", {}) for _ in range(16)))
    assert {answer.status for answer in first} == {401}
    assert (vault.reads, len(gate.sent)) == (2, 16)

    for _ in range(3):
        with pytest.raises(CycleError, match="refused our credentials") as caught:
            await client.send("GET", "/", {})
        assert caught.value.reason == "CredentialsRejected"
        assert "old" not in str(caught.value)
    assert (vault.reads, len(gate.sent)) == (2, 16)


async def test_a_new_token_that_is_refused_as_well_ends_it_too() -> None:
    gate, vault = Gatekeeper("third"), Vault("first", "second", "third")
    client = BearerClient(gate, vault.read)

    assert (await client.send("GET", "/", {})).status == 401
    with pytest.raises(CycleError):
        await client.send("GET", "/", {})

    assert gate.sent == ["Bearer first", "Bearer second"]


async def test_the_credential_is_that_of_the_token_in_use() -> None:
    soon, later = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 20))
    old, new = (jwt({"exp": int(time.timestamp())}) for time in (soon, later))
    client = BearerClient(Gatekeeper(new), Vault(old, new).read)

    await client.send("GET", "/", {})

    assert client.credential is not None
    assert client.credential.expires == later


def jwt(claims: object) -> str:
    """A token of that form, whose signature is none."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


@pytest.mark.parametrize(
    "token",
    [
        "opaque",
        "a.b",
        "a.b.c.d",
        "a.%%%.c",
        "ä.ö.ü",
        jwt([]),
        jwt({}),
        jwt({"exp": "soon"}),
        jwt({"exp": True}),
        jwt({"exp": 1e300}),
    ],
)
def test_a_token_that_says_nothing_of_its_end_has_none(token: str) -> None:
    assert read_expiry(SecretText(token)) is None


@pytest.mark.parametrize(
    ("life", "told_before"),
    [
        (None, timedelta(days=14)),
        (timedelta(days=365), timedelta(days=14)),
        (timedelta(days=28), timedelta(days=7)),
        (timedelta(hours=1), timedelta(minutes=15)),
        (timedelta(days=-1), timedelta()),
    ],
)
def test_an_end_is_told_two_weeks_before_or_in_the_last_quarter_of_a_short_life(
    life: timedelta | None, told_before: timedelta
) -> None:
    end = datetime(2026, 3, 1, tzinfo=UTC)
    issued = {} if life is None else {"iat": (end - life).timestamp()}

    credential = read_expiry(SecretText(jwt({"exp": end.timestamp(), **issued}) + "\n"))

    assert credential == Credential(end, end - told_before)


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(days=7, hours=3), "expires on 2026-03-09 (7 days left)"),
        (timedelta(days=1), "expires on 2026-03-03 (1 day left)"),
        (timedelta(hours=3), "expires on 2026-03-02 (less than a day left)"),
        (timedelta(), "expired on 2026-03-02"),
    ],
)
def test_what_is_left_is_told_in_days(left: timedelta, told: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert Credential(now + left, now).describe(now) == told
