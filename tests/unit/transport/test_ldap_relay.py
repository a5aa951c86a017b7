"""The relay between libldap's descriptor and a connection of ours: bytes both ways, no more than allowed, no trace."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from usher.transport.ldap.relay import CHUNK, Relay, open_relay


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[Relay, socket.socket, socket.socket]]:
    """A relay, libldap's end of it, and the directory's."""
    opened, directory = socket.socketpair()
    directory.setblocking(False)
    relay = await open_relay(opened, None, "", 1.0)
    client = socket.socket(fileno=relay.hand_over())
    client.setblocking(False)
    try:
        yield relay, client, directory
    finally:
        await relay.close()
        client.close()
        directory.close()
        assert opened.fileno() == -1


async def receive(end: socket.socket, size: int) -> bytes:
    """So many bytes, or what came until the end."""
    loop, found = asyncio.get_running_loop(), bytearray()
    async with asyncio.timeout(5):
        while len(found) < size and (data := await loop.sock_recv(end, CHUNK)):
            found += data
    return bytes(found)


async def test_bytes_go_both_ways_whole_and_in_order() -> None:
    loop = asyncio.get_running_loop()
    question, answer = os.urandom(3 * CHUNK), os.urandom(20 * CHUNK)
    async with relayed() as (relay, client, directory), asyncio.TaskGroup() as group:
        relay.allow(len(answer))
        group.create_task(loop.sock_sendall(client, question))
        group.create_task(loop.sock_sendall(directory, answer))
        heard = group.create_task(receive(directory, len(question)))
        assert await receive(client, len(answer)) == answer
        assert await heard == question
        assert not relay.overflowed


async def test_who_reads_slowly_holds_the_other_side() -> None:
    loop = asyncio.get_running_loop()
    async with relayed() as (relay, client, directory):
        relay.allow(1 << 40)
        sending = asyncio.create_task(loop.sock_sendall(directory, bytes(64 * CHUNK)))
        await asyncio.sleep(0.05)
        assert not sending.done()
        assert len(await receive(client, 64 * CHUNK)) == 64 * CHUNK
        await sending


async def test_more_than_allowed_ends_it() -> None:
    loop = asyncio.get_running_loop()
    async with relayed() as (relay, client, directory):
        relay.allow(10)
        await loop.sock_sendall(directory, b"0123456789")
        assert await receive(client, 10) == b"0123456789"
        await loop.sock_sendall(directory, b"0")
        assert await receive(client, 1) == b""
        assert relay.overflowed
        assert await receive(directory, 1) == b""


async def test_a_new_allowance_does_not_add_up() -> None:
    loop = asyncio.get_running_loop()
    async with relayed() as (relay, client, directory):
        relay.allow(100)
        relay.allow(10)
        await loop.sock_sendall(directory, bytes(11))
        assert await receive(client, 11) == b""
        assert relay.overflowed


async def test_what_was_said_before_the_end_arrives() -> None:
    loop = asyncio.get_running_loop()
    async with relayed() as (relay, client, directory):
        relay.allow(16 * CHUNK)
        assert relay.near._transport is not None
        relay.near._transport.set_write_buffer_limits(high=16 * CHUNK)
        await loop.sock_sendall(directory, bytes(8 * CHUNK) + b"last words")
        directory.close()
        await asyncio.sleep(0.05)
        assert (await receive(client, 16 * CHUNK)).endswith(b"last words")
        assert not relay.overflowed


async def test_the_end_of_the_client_is_that_of_the_connection() -> None:
    loop = asyncio.get_running_loop()
    async with relayed() as (_, client, directory):
        await loop.sock_sendall(client, b"unbind")
        client.close()
        assert await receive(directory, 100) == b"unbind"


async def test_an_abort_wakes_whoever_waits() -> None:
    async with relayed() as (relay, client, directory):
        waiting = [asyncio.create_task(receive(end, 1)) for end in (client, directory)]
        await asyncio.sleep(0)
        relay.abort()
        assert await asyncio.gather(*waiting) == [b"", b""]


async def test_an_abort_leaves_no_registration_that_another_connection_could_inherit() -> None:
    """A descriptor that is closed while it is waited upon stays known to the loop; the next socket gets its number."""
    loop = asyncio.get_running_loop()
    for _ in range(20):
        async with relayed() as (relay, client, directory):
            await loop.sock_sendall(client, b"x")
            relay.abort()
            first, second = socket.socketpair()
            for end in (first, second):
                end.setblocking(False)
            await loop.sock_sendall(first, b"y")
            assert await receive(second, 1) == b"y"
            first.close()
            second.close()
            assert await receive(directory, 1) in (b"", b"x")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_socket_that_can_not_be_used_is_closed() -> None:
    opened, other = socket.socketpair()
    other.close()
    before = descriptors()
    with pytest.raises(ValueError, match="handshake"):
        await open_relay(opened, ssl.create_default_context(), "", 0.0)
    assert opened.fileno() == -1
    await asyncio.sleep(0.01)
    assert descriptors() == before - 1
