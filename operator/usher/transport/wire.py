"""httpx's port for transports over an aiohttp session: one request out, one answer back, nothing in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import aiohttp
import httpx
import yarl


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends over a session that is somebody else's to close, whose timeouts count.

    Bodies of requests are whole. What goes wrong comes out as aiohttp says it: httpx's errors tell less, and not
    whether a connection was there.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, Iterable):
            raise TypeError("a request has its whole body with it")
        response = await self._session.request(
            request.method,
            yarl.URL(str(request.url), encoded=True),
            headers=[(name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw],
            data=b"".join(request.stream) or None,
            allow_redirects=False,
        )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer as they come, still compressed. A connection whose answer was not read is closed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        while not content.at_eof():
            yield await content.readany()

    async def aclose(self) -> None:
        self._response.release()
