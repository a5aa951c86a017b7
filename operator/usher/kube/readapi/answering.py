"""What is answered: a question about one connector, by somebody who may know it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.answers.form import Answer
from usher.answers.log import read_log
from usher.contracts.store import Store
from usher.core.errors import UsherError
from usher.core.model.resources import ConnectorKey
from usher.kube.objects import Document, Kind, ObjectKey
from usher.kube.readapi.names import LARGEST, Question
from usher.kube.readapi.params import LogParams


class UnknownConnector(UsherError):
    """There is none of that name, and nothing is left of one."""


@dataclass(frozen=True, slots=True)
class Library:
    """What answers are made of. `store` reads only; `look` gives an object as it is, or raises CycleError."""

    store: Store
    look: Callable[[ObjectKey], Document | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question; `params` as they stand in the URL."""

    question: Question
    namespace: str
    name: str
    params: Mapping[str, str]

    @property
    def key(self) -> ObjectKey:
        """The connector."""
        return ObjectKey(Kind.CONNECTOR, self.namespace, self.name)

    @property
    def connector(self) -> ConnectorKey:
        """As the state calls it."""
        return ConnectorKey(self.key.path)


_Handler: TypeAlias = Callable[[Library, Asked], Awaitable[bytes]]


async def answer(library: Library, asked: Asked) -> bytes:
    """The answer as JSON. Raises BadQuestion, UnknownConnector, and CycleError for a state that can't be read."""
    return await _HANDLERS[asked.question](library, asked)


async def _logs(library: Library, asked: Asked) -> bytes:
    params = LogParams.read(asked.params)

    async def page(limit: int) -> Answer:
        found = await read_log(library.store, asked.connector, params.wanted(), limit)
        if not found.entries:
            _demand(library, asked)
        return found

    return await _fitting(page, params.limit)


def _demand(library: Library, asked: Asked) -> None:
    """Of a connector that is gone there are lines for a while. Where there is nothing, there has to be an object."""
    if library.look(asked.key) is None:
        raise UnknownConnector(f"there is no {asked.key} that this operator works on", reason="NotFound")


async def _fitting(page: Callable[[int], Awaitable[Answer]], limit: int) -> bytes:
    """As much of a page as one answer may hold; one line at the least."""
    while True:
        body = encoded(await page(limit))
        if len(body) <= LARGEST or limit <= 1:
            return body
        limit //= 2


def encoded(found: Answer) -> bytes:
    """As JSON."""
    return found.model_dump_json(by_alias=True, exclude_unset=True).encode()


_HANDLERS: Final[Mapping[Question, _Handler]] = {Question.LOGS: _logs}
