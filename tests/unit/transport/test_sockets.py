"""A connection to the address that was checked: in the order of the name's addresses, each after the policy's word."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Network
from typing import Any

import pytest

from usher.core.errors import CycleError
from usher.transport import sockets
from usher.transport.addresses import AddressPolicy, cli_policy
from usher.transport.sockets import connect

LOOPBACK = IPv4Network("127.0.0.0/8")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Of a server on 127.0.0.1 that hangs up."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that each name has."""
    addresses: list[str] = []

    async def getaddrinfo(_: object, host: str, port: int, **__: Any) -> list[Any]:
        assert host == "ldap.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return addresses


def without(address: str) -> AddressPolicy:
    """Permits 127.0.0.0/8, but not this one of it."""
    return AddressPolicy(networks=tuple(LOOPBACK.address_exclude(IPv4Network(address))))


async def peer(host: str, port: int, policy: AddressPolicy) -> str:
    opened = await connect(host, port, "ldap", policy)
    with opened:
        assert opened.gettimeout() == 0.0
        return str(opened.getpeername()[0])


async def refused(port: int, policy: AddressPolicy) -> str:
    with pytest.raises(CycleError) as caught:
        await connect("ldap.example", port, "ldap", policy)
    return str(caught.value)


async def test_the_first_permitted_address_that_answers_is_taken(port: int, resolved: list[str]) -> None:
    resolved += ["127.0.0.3", "127.0.0.2", "127.0.0.1"]

    assert await peer("ldap.example", port, cli_policy()) == "127.0.0.1"


async def test_an_address_that_the_policy_refuses_is_not_connected_to(port: int, resolved: list[str]) -> None:
    resolved += ["127.0.0.1"]
    assert "a loopback" in await refused(port, without("127.0.0.1"))
    resolved[:0] = ["169.254.169.254"]
    assert await peer("ldap.example", port, cli_policy()) == "127.0.0.1"
    assert "a loopback" in await refused(port, without("127.0.0.1"))


async def test_the_last_problem_is_told_without_the_address(port: int, resolved: list[str]) -> None:
    resolved += ["127.0.0.2", "127.0.0.3"]

    assert await refused(port, cli_policy()) == "no connection to ldap.example: connection refused"


async def test_a_name_without_an_address_is_told(port: int, resolved: list[str]) -> None:
    assert resolved == []
    assert await refused(port, cli_policy()) == "no connection to ldap.example: the name has no address"


async def test_a_name_that_can_not_be_resolved_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    assert await refused(1, cli_policy()) == "no connection to ldap.example: the name can't be resolved"


async def test_an_address_that_does_not_answer_is_given_up(
    port: int, resolved: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = type(asyncio.get_running_loop())
    usual = loop.sock_connect

    async def silent(self: Any, sock: socket.socket, address: Any) -> None:
        await (asyncio.sleep(60) if address[0] == "127.0.0.2" else usual(self, sock, address))

    monkeypatch.setattr(sockets, "CONNECT_TIMEOUT", 0.05)
    monkeypatch.setattr(loop, "sock_connect", silent)
    resolved += ["127.0.0.2"]
    assert await refused(port, cli_policy()) == "no connection to ldap.example: connecting took too long"
    resolved += ["127.0.0.1"]
    assert await peer("ldap.example", port, cli_policy()) == "127.0.0.1"


async def test_a_name_of_a_thousand_addresses_is_not_tried_to_the_end(port: int, resolved: list[str]) -> None:
    resolved += ["127.0.0.2"] * sockets.MAX_ADDRESSES + ["127.0.0.1"]

    assert "connection refused" in await refused(port, cli_policy())
    del resolved[0]
    assert await peer("ldap.example", port, cli_policy()) == "127.0.0.1"
