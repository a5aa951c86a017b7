"""What the operator takes from an answer of the API server."""

from __future__ import annotations

import pytest
from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from usher.kube.cluster import KubernetesApi, open_client
from usher.kube.objects import Kind


@pytest.mark.parametrize("items", [None, []])
async def test_a_list_without_objects_is_empty_though_some_answers_say_null(items: list[object] | None) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": items})

    app = web.Application()
    app.router.add_get("/api/v1/configmaps", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with open_client(configuration) as client:
            pages = [list(page) async for page in KubernetesApi(client, None).list(Kind.CONFIG_MAP)]
    finally:
        await runner.cleanup()

    assert pages == [[]]
