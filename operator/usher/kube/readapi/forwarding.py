"""A way to a port of a Pod, over the API server: what `kubectl port-forward` does, for one connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.stream import WsApiClient

from usher.core.errors import scrub
from usher.kube.access import VerbError, unreachable

_DATA, _ERROR = b"\x00", b"\x01"
"""The channels of the first port that is forwarded: the first byte of each message."""
_CHUNK: Final = 32 * 1024


class Forwarding:
    """What is told of a connection while it lasts: `problem` is what the node said against it."""

    problem = ""


@asynccontextmanager
async def forward(
    configuration: Configuration, namespace: str, pod: str, port: int
) -> AsyncIterator[tuple[socket.socket, Forwarding]]:
    """A socket whose other end is that port. Raises VerbError where there is no way. Whoever leaves closes it."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    async with WsApiClient(configuration) as client:  # type: ignore[no-untyped-call]  # it has no types
        prepared = await client.param_serialize(
            "GET", path, query_params=[("ports", str(port))], header_params={}, auth_settings=["BearerToken"]
        )
        opening = await client.call_api(*prepared, _preload_content=False)
        try:
            async with opening.response as way:
                ours, theirs = socket.socketpair()
                told = Forwarding()
                pumping = asyncio.get_running_loop().create_task(_pump(way, ours, told))
                try:
                    yield theirs, told
                finally:
                    theirs.close()
                    pumping.cancel()
                    with suppress(asyncio.CancelledError):
                        await pumping
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(error.status, namespace, pod) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unreachable(configuration, error) from error


async def _pump(way: aiohttp.ClientWebSocketResponse, ours: socket.socket, told: Forwarding) -> None:
    """Until either end is closed."""
    reader, writer = await asyncio.open_connection(sock=ours)
    sending = asyncio.get_running_loop().create_task(_send(way, reader))
    begun: set[bytes] = set()
    try:
        async for message in way:
            data = message.data if isinstance(message.data, bytes) else b""
            channel, content = data[:1], data[1:]
            if channel not in begun:  # each channel begins with the number of the port
                begun.add(channel)
                continue
            if channel == _DATA:
                writer.write(content)
                await writer.drain()
            elif channel == _ERROR and content:
                told.problem = scrub(content.decode(errors="replace"))
                break
    except ConnectionError:
        pass  # whoever asked has gone
    finally:
        sending.cancel()
        writer.close()


async def _send(way: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        while content := await reader.read(_CHUNK):
            await way.send_bytes(_DATA + content)


def _refusal(status: int, namespace: str, pod: str) -> VerbError:
    match status:
        case 401:
            return VerbError("the API server refuses the kubeconfig's credentials (401)", reason="Unauthorized")
        case 403:
            message = (
                f"you may not get and create pods/portforward in namespace {namespace} (403): the operator is reached"
                " that way; the chart's Role for it ends in -read-api-visitor"
            )
            return VerbError(message, reason="Forbidden")
        case 404:
            message = f"the Pod {pod} of the operator is gone: it may be starting anew, ask again in a moment"
            return VerbError(message, reason="NotFound")
        case _:
            message = f"no port of the Pod {pod} can be forwarded: the API server answers with status {status}"
            return VerbError(message, reason="ClusterUnreachable")
