"""The CSV source fulfils the contract; it tells no changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from random import Random

import pytest

from usher.contracts.runtime import Runtime
from usher.contracts.source import Watermark
from usher.core.model.resources import Value
from usher.sources.csvfile.settings import CsvSettings
from usher.sources.registry import CSV
from usher.testing.source_contract import SourceContract, SourceUnderTest

RUNTIME = Runtime(
    now=lambda: datetime(2026, 1, 1, tzinfo=UTC), monotonic=lambda: 0.0, sleep=asyncio.sleep, random=Random(0)
)


class TestCsv(SourceContract):
    tells_changes = False

    @pytest.fixture
    def source(self) -> SourceUnderTest:
        lines = {f"p{number}": f"p{number},p{number}@example.com,Engineer" for number in range(1200)}

        async def load() -> bytes:
            return "\r\n".join(["objectId,mail,title", *lines.values(), ""]).encode()

        async def change(person: Mapping[str, Value]) -> None:
            lines[str(person["objectId"])] += " and more"

        async def remove(person: Mapping[str, Value]) -> None:
            del lines[str(person["objectId"])]

        async def add() -> None:
            lines["new"] = "new,new@example.com,"

        async def expire(watermark: Watermark) -> Watermark:
            return watermark

        return SourceUnderTest(partial(CSV.open, CsvSettings(load), RUNTIME), change, remove, add, expire)
