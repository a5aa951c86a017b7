"""The control loop with a mapping for users and one for groups, between a source and an app in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from prometheus_client import generate_latest

from unit.kube.fake_cluster import NAMESPACE, Desk, FakeCluster, connector_spec, mapping_spec, working
from usher.assembly.connectors import assemble_connector
from usher.core.model.resources import ResourceType, SourceKey
from usher.engine.job import ConnectorJob, Ports, SourceJob
from usher.engine.snapshot import read_source
from usher.kube import connector_cycles, reconcile_source
from usher.kube.objects import Kind, ObjectKey
from usher.state.store import open_store
from usher.testing.clock import real_runtime
from usher.testing.memory_source import MemorySource
from usher.testing.memory_target import MemoryTarget

CORP: Final = ObjectKey(Kind.SOURCE, NAMESPACE, "corp")
APP: Final = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")
TEAMS: Final = ObjectKey(Kind.MAPPING, NAMESPACE, "teams")
BOTH: Final = ({"name": "people"}, {"name": "teams"})
GROUPS: Final[dict[str, Any]] = {
    "resourceType": "Group",
    "attributes": [
        {"target": "displayName", "source": "displayName", "match": 1},
        {"target": "members", "source": "members"},
    ],
}


def directory_spec(*, groups: bool = True) -> dict[str, Any]:
    ldap: dict[str, Any] = {
        "url": "ldaps://ldap.example.com",
        "bindDN": "cn=reader",
        "secretRef": {"name": "ldap", "key": "password"},
        "users": {"baseDN": "ou=people"},
    }
    return {"schedule": {"interval": "1h"}, "ldap": {**ldap, "groups": {"baseDN": "ou=groups"}} if groups else ldap}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is at both ends, and the cluster between them."""

    source: MemorySource
    target: MemoryTarget
    cluster: FakeCluster
    ports: Ports

    def message(self, kind: str) -> str:
        return "".join(each["message"] for each in self.cluster.status(APP)["conditions"] if each["type"] == kind)

    def in_sync(self) -> bool:
        return self.cluster.condition(APP, "InSync") == ("True", "Succeeded")

    def members(self, group: str) -> set[str]:
        """The user names of its members, as far as there is such a group."""
        groups = self.target.collection(ResourceType.GROUP)
        return {
            str(self.target.document(one)["userName"])
            for target_id in groups.accounts
            if groups.document(target_id)["displayName"] == group
            for one in self.target.members(target_id)
        }

    def read_again(self, word: str) -> None:
        self.cluster.put(Kind.SOURCE, "corp", directory_spec(), requestedAt=word)


def read_memory(key: SourceKey, source: MemorySource) -> SourceJob:
    return SourceJob(key, (ResourceType.USER, ResourceType.GROUP), source.open, 80, timedelta())


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    source, target, cluster = MemorySource(), MemoryTarget(), FakeCluster()

    def read_from(key: SourceKey, *_: Any) -> SourceJob:
        return read_memory(key, source)

    def write_memory(*parts: Any) -> ConnectorJob:
        return replace(assemble_connector(*parts), open_target=target.open)

    monkeypatch.setattr(reconcile_source, "assemble_source", read_from)
    monkeypatch.setattr(connector_cycles, "assemble_connector", write_memory)
    for name in ("alice", "bob"):
        source.put(f"id-{name}", userPrincipalName=name, displayName=name)
    source.put_group("id-team", displayName="team", members=("id-alice",))
    cluster.put(Kind.SOURCE, "corp", directory_spec())
    cluster.put(Kind.MAPPING, "people", mapping_spec())
    cluster.put(Kind.MAPPING, "teams", GROUPS)
    cluster.put(Kind.CONNECTOR, "app", connector_spec(mappings=list(BOTH)))
    async with open_store(None) as store:
        yield Stage(source, target, cluster, Ports(store, real_runtime()))


async def test_users_and_groups_are_brought_in_sync_and_counted_apart(stage: Stage) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)
        await one.until(lambda: one.controller.queue.idle)
        shown = generate_latest(one.metrics.registry).decode()

    assert stage.members("team") == {"alice"}
    cycle = stage.cluster.status(APP)["lastCycle"]
    assert (cycle["users"]["created"], cycle["groups"]["created"], cycle["groups"]["references"]) == (2, 1, 1)
    assert "references" not in cycle["users"]
    assert stage.cluster.writes.count(APP) <= 3
    assert stage.cluster.status(TEAMS)["usedBy"] == {"count": 1, "names": ["app"]}
    assert 'action="created",connector="app",namespace="identity",resource="group"} 1.0' in shown


async def test_a_change_of_a_group_alone_starts_a_cycle(stage: Stage) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)

        stage.source.put_group("id-team", displayName="team", members=("id-bob",))
        stage.read_again("now")

        await one.until(lambda: stage.members("team") == {"bob"})


async def test_what_changed_of_a_group_while_nobody_worked_is_done_by_the_next_process(stage: Stage) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)
        await one.until(lambda: one.controller.queue.idle)
    ended = stage.cluster.status(APP)["lastCycle"]

    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: one.controller.queue.idle)
        assert stage.cluster.status(APP)["lastCycle"] == ended, "what is settled in both lanes waits for its time"
        stage.source.put_group("id-team", displayName="team", members=("id-bob",))
        stage.read_again("now")
        await one.until(lambda: stage.members("team") == {"bob"})


async def test_a_version_of_groups_that_was_not_worked_off_is_seen_at_the_start(stage: Stage) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)
        await one.until(lambda: one.controller.queue.idle)
    stage.source.put_group("id-team", displayName="team", members=())
    await read_source(read_memory(SourceKey(CORP.path), stage.source), stage.ports)

    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: stage.members("team") == set())


async def test_a_member_out_of_scope_is_counted_and_no_reason_against_being_in_sync(stage: Stage) -> None:
    stage.source.put_group("id-team", displayName="team", members=("id-alice", "id-stranger"))
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)

    assert stage.members("team") == {"alice"}
    assert stage.cluster.status(APP)["counts"]["waitingReferences"] == 1


async def test_a_mapping_for_groups_that_is_off_leaves_the_groups_and_one_that_is_on_again_goes_on(
    stage: Stage,
) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)
        stage.cluster.put(Kind.MAPPING, "teams", {**GROUPS, "enabled": False})
        await one.until(lambda: "groups" not in stage.cluster.status(APP)["lastCycle"])
        stage.source.put_group("id-team", displayName="team", members=("id-bob",))
        stage.read_again("now")
        await one.until(lambda: stage.cluster.status(CORP).get("lastHandledReconcileAt") == "now")
        await one.until(lambda: one.controller.queue.idle)
        assert stage.members("team") == {"alice"}

        stage.cluster.put(Kind.MAPPING, "teams", GROUPS)

        await one.until(lambda: stage.members("team") == {"bob"})


async def test_a_missing_mapping_is_named_by_its_place(stage: Stage) -> None:
    stage.cluster.delete(TEAMS)
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: stage.cluster.condition(APP, "Ready") == ("False", "MappingInvalid"))

        assert stage.message("Ready").startswith("spec.mappings[1].name: AttributeMapping/teams in namespace identity")
        assert len(stage.target.accounts) == 0
        stage.cluster.put(Kind.MAPPING, "teams", GROUPS)
        await one.until(stage.in_sync)


async def test_two_mappings_for_users_are_refused_by_the_second(stage: Stage) -> None:
    stage.cluster.put(Kind.MAPPING, "teams", mapping_spec())
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: stage.cluster.condition(APP, "Stalled") == ("True", "InvalidSpec"))

    told = "ProvisioningConnector/app spec.mappings[1]: AttributeMapping/teams is for users, and so is "
    assert stage.message("Ready").startswith(told)


async def test_groups_of_a_source_that_reads_none_are_refused_with_the_way_out(stage: Stage) -> None:
    stage.cluster.put(Kind.SOURCE, "corp", directory_spec(groups=False))
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: stage.cluster.condition(APP, "Stalled") == ("True", "InvalidSpec"))

        assert "spec.mappings[1]: AttributeMapping/teams is for groups, and IdentitySource/corp reads none" in (
            stage.message("Ready")
        )
        stage.cluster.put(Kind.MAPPING, "teams", {**GROUPS, "enabled": False})
        await one.until(stage.in_sync)
