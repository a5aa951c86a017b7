"""A process to be killed: records round after round in the state it is given, and says each round that is stored.

The state is a file, or on the server of a `.url` file. When it can't go on it says why.

Each round links the same fifty people to accounts that carry the number of the round, writes as many log lines, and
publishes a snapshot of that version.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from usher.contracts.store import Record
from usher.core.errors import CycleError
from usher.state.places import Place, Server
from usher.state.store import open_store
from usher.testing.store_examples import (
    CRM,
    PEOPLE,
    USER,
    make_consumption,
    make_entry,
    make_link,
    make_snapshot,
    make_staged,
    name_people,
)


async def write(place: Place, first: int) -> None:
    people = name_people(50)
    async with open_store(place) as store:
        await store.save_consumption(CRM, make_consumption())
        for current in count(first):
            await store.stage(PEOPLE, USER, [make_staged(person, str(current)) for person in people])
            await store.publish(PEOPLE, USER, {}, make_snapshot(current))
            links = [make_link(person, f"{current}-{person}") for person in people]
            await store.record(CRM, Record(links=links, log=[make_entry(person, str(current)) for person in people]))
            sys.stdout.write(f"{current}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    path = Path(sys.argv[1])
    try:
        asyncio.run(write(Server(path) if path.suffix == ".url" else path, int(sys.argv[2])))
    except CycleError as error:
        sys.exit(error.reason)
