"""A process whose files may not grow any more, for one call: a full disk, as SQLite meets it."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from usher.contracts.log import WHOLE_LOG
from usher.contracts.store import Record
from usher.core.errors import CycleError
from usher.core.model.resources import SourceId
from usher.state.store import open_store
from usher.testing.store_examples import (
    CRM,
    link_people,
    make_change,
    make_consumption,
    make_entry,
    make_link,
    name_people,
)


def tell(*what: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, what))}\n")


async def fill(path: Path) -> None:
    async with open_store(path) as store:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p0001="t1")
        await store.add_changes(CRM, [make_change("p0001")])
        people = name_people(2000)
        record = Record(
            links=[make_link(person, f"new-{person}") for person in people],
            finished=people,
            log=[make_entry(person) for person in people],
        )
        wal = path.with_name(f"{path.name}-wal")
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 8192, resource.RLIM_INFINITY))
        try:
            await store.record(CRM, record)
        except CycleError as error:
            tell(error.reason)
            tell(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        tell(
            await store.count_links(CRM),
            dict(await store.count_changes(CRM)),
            await store.log(CRM.connector, WHOLE_LOG, 1),
        )
        tell((await store.links(CRM, [SourceId("p0001")]))[SourceId("p0001")].target_id)
        tell(await store.record(CRM, record), await store.count_links(CRM))


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
