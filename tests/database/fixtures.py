"""A PostgreSQL for all tests of a process, and a database of its own for each that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from database.postgres import Postgres
from usher.state.places import Server
from usher.state.store import open_store


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def state_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that was opened as a state once: a copy of it is there in no time."""
    name = postgres.create()
    asyncio.run(_open_once(write_url(tmp_path_factory.mktemp("template"), postgres, name)))
    return name


@pytest.fixture
def state_server(postgres: Postgres, state_template: str, tmp_path: Path) -> Iterator[Server]:
    """An empty state on the server."""
    name = postgres.create(state_template)
    yield write_url(tmp_path, postgres, name)
    postgres.drop(name)


def write_url(folder: Path, postgres: Postgres, name: str) -> Server:
    """The place of that database."""
    file = folder / f"{name}.url"
    file.write_text(f"{postgres.url(name)}\n", encoding="utf-8")
    return Server(file)


async def _open_once(server: Server) -> None:
    async with open_store(server):
        pass
