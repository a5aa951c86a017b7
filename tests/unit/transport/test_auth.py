from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from usher.contracts.runtime import SecretText
from usher.core.errors import CycleError
from usher.transport.auth import BearerClient
from usher.transport.http import HttpAnswer


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
