"""The store on SQLAlchemy keeps the contract: in a file, in memory, and on a server, encrypted or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from database.keys import make_keys
from usher.contracts.store import Store
from usher.state.places import Server
from usher.state.store import open_store
from usher.testing.store_contract import StoreContract


class TestSqliteFile(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        async with open_store(tmp_path / "state.db") as store:
            yield store


class TestSqliteInMemory(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        async with open_store(None) as store:
            yield store


class TestPostgres(StoreContract):
    @pytest.fixture
    async def store(self, state_server: Server) -> AsyncIterator[Store]:
        async with open_store(state_server) as store:
            yield store


class TestEncryptedFile(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        async with open_store(tmp_path / "state.db", make_keys(tmp_path / "keys", "1")) as store:
            yield store


class TestEncryptedPostgres(StoreContract):
    @pytest.fixture
    async def store(self, state_server: Server, tmp_path: Path) -> AsyncIterator[Store]:
        async with open_store(state_server, make_keys(tmp_path / "keys", "1")) as store:
            yield store
