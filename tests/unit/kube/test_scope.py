"""The control loop with a scope that assigns groups, and no mapping for groups."""

from __future__ import annotations

from typing import Any

import pytest

from unit.kube.fake_cluster import Desk, connector_spec, working
from unit.kube.test_groups import APP, CORP, Stage, directory_spec
from unit.kube.test_groups import stage as _stage
from usher.kube.objects import Kind

opened = _stage


def scoped(*groups: str, **more: Any) -> dict[str, Any]:
    listed = [{"attribute": "displayName", "value": name} for name in groups]
    return {**connector_spec(scope={"groups": listed}), **more}


@pytest.fixture
async def stage(opened: Stage) -> Stage:
    opened.cluster.put(Kind.CONNECTOR, "app", scoped("team"))
    return opened


def active(stage: Stage) -> set[str]:
    documents = [stage.target.document(one) for one in stage.target.accounts]
    return {str(each["userName"]) for each in documents if each.get("active", True)}


async def test_a_change_of_an_assigned_group_alone_starts_a_cycle(stage: Stage) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)
        assert active(stage) == {"alice"}
        stage.source.put_group("id-team", displayName="team", members=("id-alice", "id-bob"))
        stage.read_again("now")
        await one.until(lambda: active(stage) == {"alice", "bob"})


async def test_a_version_of_groups_that_was_not_worked_off_is_seen_at_the_start(stage: Stage) -> None:
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(stage.in_sync)
        await one.until(lambda: one.controller.queue.idle)
        stage.cluster.put(Kind.CONNECTOR, "app", scoped("team", suspend=True))
        stage.source.put_group("id-team", displayName="team", members=("id-alice", "id-bob"))
        stage.read_again("now")
        await one.until(lambda: stage.cluster.status(CORP).get("lastHandledReconcileAt") == "now")
    stage.cluster.put(Kind.CONNECTOR, "app", scoped("team"))

    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: active(stage) == {"alice", "bob"})


async def test_an_entry_that_means_nobody_is_told_by_its_path_until_it_is_mended(stage: Stage) -> None:
    stage.cluster.put(Kind.CONNECTOR, "app", scoped("team", "secret name"))
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: stage.cluster.condition(APP, "Stalled") == ("True", "ScopeUnresolved"))
        assert stage.cluster.condition(APP, "Ready") == ("False", "ScopeUnresolved")
        assert stage.message("Ready").startswith("spec.scope.groups[1]: no group of the source has this displayName")
        assert "secret" not in str(stage.cluster.status(APP))
        assert active(stage) == {"alice"}

        stage.cluster.put(Kind.CONNECTOR, "app", scoped("team"))
        await one.until(stage.in_sync)
        assert stage.cluster.condition(APP, "Ready") == ("True", "Running")


async def test_assigned_groups_of_a_source_that_reads_none_are_refused_with_the_way_out(stage: Stage) -> None:
    stage.cluster.put(Kind.SOURCE, "corp", directory_spec(groups=False))
    async with working(Desk(stage.cluster, stage.ports)) as one:
        await one.until(lambda: stage.cluster.condition(APP, "Stalled") == ("True", "InvalidSpec"))
        assert "spec.scope.groups: IdentitySource/corp reads no groups: set spec.ldap.groups" in stage.message("Ready")
