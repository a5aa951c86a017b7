"""A node of one Pod: what of a kubelet an API server needs to forward its ports. The cluster of the tests has none."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import trustme
from aiohttp import WSMsgType, web

from cluster.fixtures import Namespace

_PROTOCOL = "v4.channel.k8s.io"
POD = "usher-0"


@asynccontextmanager
async def node_of(namespace: Namespace) -> AsyncIterator[str]:
    """A Pod `usher-0` in this namespace, on a node that forwards its ports to this machine; gives the node's name."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    application = web.Application()
    application.router.add_get("/portForward/{namespace}/{pod}", _forward)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    node = f"node-{uuid4().hex[:12]}"
    try:
        await asyncio.to_thread(_register, namespace, node, runner.addresses[0][1])
        yield node
    finally:
        await asyncio.to_thread(namespace.kubectl, "delete", "pod", POD, "--force", "--ignore-not-found")
        await asyncio.to_thread(namespace.cluster.kubectl, "delete", "node", node, "--ignore-not-found")
        await runner.cleanup()


def _register(namespace: Namespace, node: str, port: int) -> None:
    namespace.kubectl("create", "-f", "-", input=json.dumps(_object("Node", node)))
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    patch = json.dumps({"status": status})
    namespace.cluster.kubectl("patch", "node", node, "--subresource=status", "--type=merge", f"--patch={patch}")
    namespace.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
    spec = {"nodeName": node, "containers": [{"name": "usher", "image": "none"}]}
    namespace.kubectl("create", "-f", "-", input=json.dumps({**_object("Pod", POD), "spec": spec}))


def _object(kind: str, name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


async def _forward(request: web.Request) -> web.WebSocketResponse:
    """As a container runtime does: a channel for data and one for errors, each begun by the number of the port."""
    socket = web.WebSocketResponse(protocols=[_PROTOCOL])
    await socket.prepare(request)
    port = int(request.query["port"])
    for channel in (0, 1):
        await socket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await socket.send_bytes(b"\x01" + f"error forwarding port {port}: connection refused".encode())
        await socket.close()
        return socket
    back = asyncio.create_task(_send_back(reader, socket))
    async for message in socket:
        if message.type is WSMsgType.BINARY and message.data[:1] == b"\x00":
            writer.write(message.data[1:])
            await writer.drain()
    back.cancel()
    writer.close()
    return socket


async def _send_back(reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
    while content := await reader.read(32 * 1024):
        await socket.send_bytes(b"\x00" + content)
    await socket.close()
