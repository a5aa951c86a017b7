"""Bearer authorization (RFC 6750): the token is read when it is needed, and once more when the target refuses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from usher.contracts.runtime import SecretText
from usher.core.errors import CycleError
from usher.core.model.standing import Credential
from usher.transport.http import HttpAnswer
from usher.transport.tokens import read_expiry

TokenProvider: TypeAlias = Callable[[], Awaitable[SecretText]]
"""Reads the token afresh."""


class Sender(Protocol):
    """What sends requests: `transport.http.HttpClient`, or this module's client around it."""

    async def send(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None = None, /
    ) -> HttpAnswer: ...


class BearerClient:
    """An HTTP client that carries a token. A 401 makes it read the token again, once for all that were refused.

    Where it still is the same, or the new one is refused too, nothing more is sent: `credential` then has what was
    refused.
    """

    def __init__(self, client: Sender, provider: TokenProvider) -> None:
        self._client = client
        self._provider = provider
        self._lock = asyncio.Lock()
        self._header: str | None = None
        self._refused: str | None = None
        self.credential: Credential | None = None

    async def send(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpAnswer:
        """As HttpClient.send. A refused request had no effect, so with a new token it is sent once more.

        Raises also what the provider raises, and CycleError for a token that no header can carry, or that is refused.
        """
        used = self._header or await self._renew(None)
        if used == self._refused:
            raise CycleError("the target has refused our credentials (401)", reason="CredentialsRejected")
        answer = await self._client.send(method, path_and_query, {**headers, "authorization": used}, body)
        if answer.status != 401:
            return answer
        renewed = await self._renew(used)
        if renewed == used:
            return answer
        answer = await self._client.send(method, path_and_query, {**headers, "authorization": renewed}, body)
        if answer.status == 401:
            self._refused = renewed
        return answer

    async def _renew(self, refused: str | None) -> str:
        async with self._lock:
            if self._header is None or (self._header == refused and refused != self._refused):
                token = await self._provider()
                self._header, self.credential = bearer_header(token), read_expiry(token)
                if self._header == refused:
                    self._refused = refused
            return self._header


def bearer_header(token: SecretText) -> str:
    """The header of this token. White space around it is a file's line end, not part of it.

    Raises CycleError for a token that no header can carry; the message repeats nothing of it.
    """
    text = token.reveal().strip()
    if not text:
        raise _unusable("is empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        problem = "has several lines" if "\n" in text else "holds what no HTTP header can carry"
        raise _unusable(problem)
    return f"Bearer {text}"


def _unusable(problem: str) -> CycleError:
    return CycleError(f"the bearer token {problem}: look at the Secret", reason="CredentialsRejected")
