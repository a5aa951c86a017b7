"""The least that a Python client can do: the same bodies by a bare aiohttp loop, as many in flight as Usher has.

python -m bench.drivers.bare_loop URL BODIES CONCURRENCY

BODIES is a file with one JSON document a line. They are read before the clock starts; each answer is read whole and
parsed for its id. It looks nobody up, keeps no state, and gives up at the first error.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp
import orjson

from bench.sink import TOKEN

_HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "content-type": "application/scim+json",
    "accept": "application/scim+json",
}


async def _create(url: str, bodies: list[bytes], concurrency: int) -> list[str]:
    made: list[str] = []
    waiting = iter(bodies)
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers=_HEADERS) as session:

        async def worker() -> None:
            for body in waiting:
                async with session.post(f"{url}/Users", data=body) as answer:
                    answer.raise_for_status()
                    made.append(orjson.loads(await answer.read())["id"])

        await asyncio.gather(*(worker() for _ in range(concurrency)))
    return made


def main(url: str, bodies: str, concurrency: str) -> None:
    """Runs it and tells."""
    lines = Path(bodies).read_bytes().splitlines()
    cpu, start = time.process_time(), time.perf_counter()
    made = asyncio.run(_create(url, lines, int(concurrency)))
    figures = {"people": len(made), "seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps(figures))  # noqa: T201 - what a driver prints is its result


if __name__ == "__main__":
    main(*sys.argv[1:])
