"""The control loop while the server of its state is away, and when it is back."""

from __future__ import annotations

import pytest

from database.postgres import Postgres
from unit.kube.fake_cluster import NAMESPACE, Desk, FakeCluster, connector_spec, mapping_spec, source_spec, working
from usher.engine.job import Ports
from usher.kube.objects import Kind, ObjectKey
from usher.state.places import Server
from usher.state.store import open_store
from usher.testing.clock import real_runtime
from usher.testing.hostile_server import hostile_server

APP = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")
CSV = "objectId,userPrincipalName,mail\n{}"
BEFORE, AFTER = (
    CSV.format("".join(f"{n},u{n}@example.com,u{n}@example.com\n" for n in range(count))) for count in (3, 4)
)


async def test_what_changed_while_the_state_was_away_is_made_when_it_is_back(
    state_server: Server, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = FakeCluster()
    cluster.data["Secret", "token"] = {"token": b"let-me-in"}
    cluster.put_people(BEFORE)
    cluster.put(Kind.SOURCE, "corp", source_spec())
    cluster.put(Kind.MAPPING, "people", mapping_spec())
    async with hostile_server() as app, open_store(state_server) as store:
        cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
        async with working(Desk(cluster, Ports(store, real_runtime()))) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            postgres.stop()
            try:
                cluster.put_people(AFTER)
                await one.until(lambda: "reconcile failed" in caplog.messages)
                assert len(app.app.accounts) == 3
            finally:
                postgres.start()
            await one.until(lambda: len(app.app.accounts) == 4)
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
    assert set(app.history.most_accounts_by("userName").values()) == {1}
