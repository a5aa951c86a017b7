"""Runs that are asked for by a ProvisioningRun, on an API server in memory."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from prometheus_client import generate_latest

from unit.kube.fake_cluster import CSV, NAMESPACE, Desk, FakeCluster, connector_spec, desk, mapping_spec, working
from unit.kube.test_controller import APP, CORP, cluster_with, message_of
from usher.contracts.log import LogQuery
from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports
from usher.kube.objects import Kind, ObjectKey
from usher.state.store import open_store
from usher.testing.clock import real_runtime
from usher.testing.hostile_server import HostileServer, HostileSettings, hostile_server
from usher.testing.memory_settings import MemorySettings

TWO = f"{CSV}2,bob@example.com\n"
MANY = "objectId,userPrincipalName\n" + "".join(f"{number},person{number}@example.com\n" for number in range(60))


def ask(cluster: FakeCluster, name: str, kind: str, connector: str = "app", **more: Any) -> ObjectKey:
    return cluster.put(Kind.RUN, name, {"connectorRef": {"name": connector}, "type": kind, **more})


def its_time_is_over(cluster: FakeCluster, run: ObjectKey) -> None:
    """It was made so long ago that it waits no more for what is missing."""
    cluster.objects[run]["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    cluster.put(Kind.RUN, run.name, {**cluster.objects[run]["spec"], "ttlAfterFinished": "1h"})


async def until_complete(one: Desk, run: ObjectKey) -> None:
    await one.until(lambda: one.cluster.condition(run, "Complete")[0] == "True")


async def in_sync(one: Desk) -> None:
    await one.until(lambda: one.cluster.condition(APP, "InSync") == ("True", "Succeeded"))


def names(app: HostileServer) -> set[str]:
    return {str(account.document["userName"]) for account in app.app.accounts.values()}


async def test_an_incremental_run_is_a_cycle_now_and_says_what_came_of_it() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await in_sync(one)
            run = ask(cluster, "now", "Incremental")
            await until_complete(one, run)
            status = cluster.status(run)
            assert cluster.condition(run, "Complete") == ("True", "Succeeded")
            assert cluster.condition(run, "Failed") == cluster.condition(run, "Reconciling") == ("", "")
            assert status["cycle"]["kind"] == "Incremental"
            assert status["cycle"]["users"]["created"] == 0
            assert status["observedGeneration"] == 1
            assert status["startTime"] <= status["completionTime"]
            await one.until(lambda: cluster.status(APP)["lastCycle"]["startTime"] == status["cycle"]["startTime"])
    assert [event["reason"] for event in cluster.events if event["involvedObject"]["name"] == "now"] == ["Complete"]
    assert "alice" not in str(cluster.status(run))


async def test_an_initial_run_evaluates_everybody_and_keeps_the_links() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await in_sync(one)
            run = ask(cluster, "again", "Initial")
            await until_complete(one, run)
    assert cluster.status(run)["cycle"]["kind"] == "Initial"
    assert cluster.status(run)["cycle"]["users"]["unchanged"] == 1
    assert app.history.most_accounts_by("userName") == {"alice@example.com": 1}


async def test_a_full_comparison_puts_back_what_somebody_else_changed() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await in_sync(one)
            app.app.change(next(iter(app.app.accounts)), "displayName", "Mallory")
            run = ask(cluster, "compare", "FullComparison")
            await until_complete(one, run)
            assert cluster.status(run)["cycle"]["kind"] == "FullComparison"
            assert [account.document["displayName"] for account in app.app.accounts.values()] == ["alice@example.com"]


async def test_a_plan_says_what_would_be_done_and_does_nothing() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url, suspend=True)
        cluster.put_people(TWO)
        async with desk(cluster) as one:
            run = ask(cluster, "what", "Plan")
            await until_complete(one, run)
            assert cluster.condition(run, "Complete") == ("True", "Planned")
            assert cluster.status(run)["cycle"]["users"]["created"] == 2
            assert not app.writes
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
            await one.until(lambda: len(app.app.accounts) == 2)


async def test_a_test_of_the_connection_tells_what_the_app_says_and_reads_nobody_into_the_state() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url, suspend=True)
        async with desk(cluster) as one:
            run = ask(cluster, "try", "TestConnection")
            await until_complete(one, run)
    assert cluster.condition(run, "Complete") == ("True", "Answered")
    assert cluster.status(run)["target"]["guarantee"] == "UniqueKey"
    assert "cycle" not in cluster.status(run)
    assert not app.writes


async def test_a_test_of_the_connection_fails_with_the_field_that_is_to_blame() -> None:
    cluster = cluster_with()
    async with desk(cluster) as one:
        run = ask(cluster, "try", "TestConnection")
        await one.until(lambda: cluster.condition(run, "Failed")[0] == "True")
        assert "spec.target.scim.url" in message_of(cluster, run, "Failed")

        del cluster.data["ConfigMap", "people"]
        run = ask(cluster, "again", "TestConnection")
        await one.until(lambda: cluster.condition(run, "Failed")[0] == "True")
        assert "IdentitySource/corp spec.csv" in message_of(cluster, run, "Failed")
    assert cluster.condition(run, "Stalled") == cluster.condition(run, "Failed")


async def test_a_restart_begins_again_with_everybody_and_one_of_the_links_waits_for_an_approval() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await in_sync(one)
            usual = ask(cluster, "usual", "Restart")
            await until_complete(one, usual)
            assert cluster.status(usual)["cycle"]["kind"] == "Initial"
            assert cluster.status(usual)["cycle"]["users"]["unchanged"] == 1

            links = ask(cluster, "links", "Restart", restart=["Links"])
            await until_complete(one, links)
            plan = cluster.status(links)["plan"]
            assert "a restart of the links was asked for" in plan["summary"]
            await one.until(lambda: cluster.condition(APP, "PlanHeld") == ("True", "ApprovalRequired"))
            assert "nothing of it was done" in message_of(cluster, APP, "PlanHeld")
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url), approve_plan=plan["hash"])
            await in_sync(one)
            assert cluster.condition(APP, "PlanHeld") == ("", "")
    assert app.history.most_accounts_by("userName") == {"alice@example.com": 1}


async def test_a_run_that_writes_waits_while_the_connector_is_suspended() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url, suspend=True)
        async with desk(cluster) as one:
            run = ask(cluster, "now", "Incremental")
            await one.until(lambda: cluster.condition(run, "Complete") == ("False", "Suspended"))
            assert "usher resume app" in message_of(cluster, run, "Complete")
            plan = ask(cluster, "what", "Plan")
            await until_complete(one, plan)
            assert not app.writes
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
            await until_complete(one, run)


async def test_runs_go_one_after_the_other_in_the_order_of_their_age() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        runs = [ask(cluster, f"run-{number}", kind) for number, kind in enumerate(("Initial", "Plan", "Incremental"))]
        async with desk(cluster) as one:
            for run in runs:
                await until_complete(one, run)
        started = [(cluster.status(run)["startTime"], cluster.status(run)["completionTime"]) for run in runs]
    assert [end <= begin for (_, end), (begin, _) in pairwise(started)] == [True, True]


async def test_a_run_of_a_connector_that_is_not_there_waits_a_moment_and_fails() -> None:
    cluster = cluster_with()
    async with desk(cluster) as one:
        run = ask(cluster, "now", "Incremental", connector="nobody")
        await one.until(lambda: cluster.condition(run, "Complete") == ("False", "ConnectorNotFound"))
        assert cluster.condition(run, "Failed") == ("", "")
        its_time_is_over(cluster, run)
        await one.until(lambda: cluster.condition(run, "Failed") == ("True", "ConnectorNotFound"))


async def test_a_run_of_a_connector_with_a_broken_mapping_fails_and_says_where() -> None:
    cluster = cluster_with()
    cluster.put(Kind.MAPPING, "people", {"attributes": [{"target": "userName", "expression": "Nope(", "match": 1}]})
    async with desk(cluster) as one:
        await one.until(lambda: cluster.condition(APP, "Ready")[0] == "False")
        run = ask(cluster, "now", "Incremental")
        await one.until(lambda: cluster.condition(run, "Complete") == ("False", "MappingInvalid"))
        assert cluster.condition(run, "Failed") == ("", "")
        its_time_is_over(cluster, run)
        await one.until(lambda: cluster.condition(run, "Failed") == ("True", "MappingInvalid"))
        assert "AttributeMapping/people spec.attributes[0]" in message_of(cluster, run, "Failed")


async def test_a_run_that_was_interrupted_is_taken_up_by_the_next_process() -> None:
    async with hostile_server(HostileSettings(app=MemorySettings(latency=0.1))) as app:
        cluster = cluster_with(url=app.url)
        cluster.put_people(MANY)
        async with open_store(None) as store:
            ports = Ports(store, real_runtime())
            run = ask(cluster, "first", "Incremental")
            async with working(Desk(cluster, ports)) as one:
                await one.until(lambda: bool(app.app.accounts))
            assert len(app.app.accounts) < 60
            assert cluster.condition(run, "Complete") == ("False", "Running")
            async with working(Desk(cluster, ports)) as one:
                await until_complete(one, run)
    assert set(app.history.most_accounts_by("userName").values()) == {1}
    assert len(app.app.accounts) == 60


async def test_a_run_is_deleted_after_its_time() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            kept = ask(cluster, "kept", "Plan", ttlAfterFinished="1h")
            gone = ask(cluster, "gone", "Plan", ttlAfterFinished="0s")
            await until_complete(one, kept)
            await one.until(lambda: gone not in cluster.objects)
            await asyncio.sleep(0.05)
    assert kept in cluster.objects


async def test_a_run_that_is_deleted_before_its_turn_never_runs() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url, suspend=True)
        async with desk(cluster) as one:
            run = ask(cluster, "now", "Incremental")
            await one.until(lambda: cluster.condition(run, "Complete") == ("False", "Suspended"))
            cluster.delete(run)
            await one.until(lambda: one.controller.queue.idle)
    assert CORP.namespace == NAMESPACE
    assert not app.writes


async def test_a_run_on_demand_provisions_its_subjects_and_says_what_came_of_each_without_a_name() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await in_sync(one)
            before = cluster.status(APP)["lastCycle"]
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url, schedule={"interval": "1h"}))
            subjects = [
                {"attribute": "userPrincipalName", "value": "ALICE@example.com"},
                {"attribute": "userPrincipalName", "value": "zoe@example.com"},
            ]
            run = ask(cluster, "alice", "OnDemand", subjects=subjects)
            await until_complete(one, run)
            status = cluster.status(run)
    assert cluster.condition(run, "Complete") == ("True", "Partial")
    assert status["cycle"]["kind"] == "OnDemand"
    told = [[(s["step"], s["result"], s["reason"]) for s in one["steps"]] for one in status["subjects"]]
    assert [one["index"] for one in status["subjects"]] == [0, 1]
    assert told[0] == [
        ("import", "Success", "Found"),
        ("scope", "Success", "InScope"),
        ("match", "Success", "Linked"),
        ("action", "Success", "Unchanged"),
    ]
    assert told[1][0] == ("import", "Failure", "SubjectNotFound")
    assert cluster.status(APP)["lastCycle"]["kind"] == before["kind"]
    assert "alice" not in str(status).lower()


async def test_a_new_connector_is_tried_with_one_person_while_it_is_suspended() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url, suspend=True)
        cluster.put_people(TWO)
        async with desk(cluster) as one:
            run = ask(cluster, "one", "OnDemand", subjects=[{"attribute": "objectId", "value": "2"}])
            await until_complete(one, run)
            assert names(app) == {"bob@example.com"}
            assert cluster.status(run)["subjects"][0]["steps"][3]["reason"] == "Created"
            counted = (
                'provisioning_objects_total{action="created",connector="app",namespace="identity",resource="user"} 1.0'
            )
            assert counted in generate_latest(one.metrics.registry).decode()
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
            await in_sync(one)
            assert cluster.status(APP)["lastCycle"]["users"]["created"] == 1
    assert app.history.most_accounts_by("userName") == {"alice@example.com": 1, "bob@example.com": 1}


async def test_a_test_of_the_connection_does_not_wait_behind_a_cycle_that_has_no_source_yet() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        people = cluster.data.pop(("ConfigMap", "people"))
        async with desk(cluster) as one:
            cycle = ask(cluster, "cycle", "Incremental")
            await one.until(lambda: cluster.condition(cycle, "Complete")[0] == "False")
            tried = ask(cluster, "try", "TestConnection")
            await one.until(lambda: cluster.condition(tried, "Failed")[0] == "True")
            assert "IdentitySource/corp spec.csv" in message_of(cluster, tried, "Failed")

            cluster.put_people(people["people.csv"].decode())
            await until_complete(one, cycle)


async def test_a_run_that_is_suspended_in_the_middle_says_so_and_ends_after_resume() -> None:
    async with hostile_server(HostileSettings(app=MemorySettings(latency=0.1))) as app:
        cluster = cluster_with(url=app.url)
        cluster.put_people(MANY)
        async with desk(cluster) as one:
            run = ask(cluster, "first", "Incremental")
            await one.until(lambda: bool(app.app.accounts))
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url, suspend=True))
            await one.until(lambda: cluster.condition(run, "Complete") == ("False", "Suspended"))
            assert "startTime" not in cluster.status(run)
            assert len(app.app.accounts) < 60

            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
            await until_complete(one, run)
    assert len(app.app.accounts) == 60
    assert set(app.history.most_accounts_by("userName").values()) == {1}


async def test_a_run_whose_connector_is_deleted_in_the_middle_fails() -> None:
    async with hostile_server(HostileSettings(app=MemorySettings(latency=0.1))) as app:
        cluster = cluster_with(url=app.url)
        cluster.put_people(MANY)
        async with desk(cluster) as one:
            run = ask(cluster, "first", "Incremental")
            await one.until(lambda: bool(app.app.accounts))
            cluster.delete(APP)
            await one.until(lambda: cluster.condition(run, "Complete") == ("False", "ConnectorNotFound"))
            its_time_is_over(cluster, run)
            await one.until(lambda: cluster.condition(run, "Failed") == ("True", "ConnectorNotFound"))
    assert len(app.app.accounts) < 60


async def test_a_run_that_is_deleted_in_the_middle_ends_after_its_requests_in_flight() -> None:
    async with hostile_server(HostileSettings(app=MemorySettings(latency=0.1))) as app:
        cluster = cluster_with(url=app.url)
        cluster.put_people(MANY)
        async with desk(cluster) as one:
            run = ask(cluster, "compare", "FullComparison")
            await one.until(lambda: bool(app.app.accounts))
            cluster.delete(run)
            await in_sync(one)
            assert "Interrupted" in [cycle["result"] for cycle in cluster.status(APP)["history"]]
    assert run not in cluster.objects
    assert set(app.history.most_accounts_by("userName").values()) == {1}


async def test_a_run_is_not_refused_for_what_was_wrong_before() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        spec = mapping_spec()
        wrong = {"target": "noSuchThing", "constant": "x"}
        cluster.put(Kind.MAPPING, "people", {**spec, "attributes": [*spec["attributes"], wrong]})
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "MappingInvalid"))
            tried = ask(cluster, "try", "TestConnection")
            await one.until(lambda: cluster.condition(tried, "Failed") == ("True", "MappingInvalid"))
            assert "startTime" in cluster.status(tried)  # the app was asked

            cluster.put(Kind.MAPPING, "people", mapping_spec("Nope("))
            await one.until(lambda: "attributes[1].expression" in message_of(cluster, APP, "Ready"))
            run = ask(cluster, "now", "Incremental")
            await one.until(lambda: cluster.condition(run, "Complete") == ("False", "MappingInvalid"))
            assert "AttributeMapping/people spec.attributes[1]" in message_of(cluster, run, "Complete")
            cluster.put(Kind.MAPPING, "people", spec)
            await until_complete(one, run)


async def test_a_full_comparison_that_could_not_be_one_says_so() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        run = ask(cluster, "compare", "FullComparison")
        async with desk(cluster) as one:
            await until_complete(one, run)
    assert cluster.status(run)["cycle"]["kind"] == "Initial"
    assert "no account was compared" in message_of(cluster, run, "Complete")


async def the_cycle(one: Desk) -> str:
    """The cycle that created somebody, as the log has it."""
    lines = await one.ports.store.log(ConnectorKey("identity/app"), LogQuery(action="Create"), 1)
    return lines[0].cycle


async def test_a_cycle_is_undone_while_the_connector_is_suspended() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await in_sync(one)
            cycle = await the_cycle(one)
            early = ask(cluster, "early", "Undo", undoCycle=cycle)
            await one.until(lambda: cluster.condition(early, "Failed") == ("True", "NotSuspended"))
            assert "usher suspend" in message_of(cluster, early, "Failed")

            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url, suspend=True))
            await one.until(lambda: cluster.condition(APP, "Suspended")[0] == "True")
            run = ask(cluster, "undo", "Undo", undoCycle=cycle)
            await until_complete(one, run)
            status = cluster.status(run)
            assert cluster.condition(run, "Complete") == ("True", "Succeeded")
            assert (status["cycle"]["kind"], status["cycle"]["users"]["disabled"]) == ("Undo", 1)
            assert message_of(cluster, run, "Complete") == "what the cycle did was taken back"
            assert [account.document["active"] for account in app.app.accounts.values()] == [False]
            assert cluster.status(APP)["lastCycle"]["kind"] == "Initial"
            counted = (
                'provisioning_objects_total{action="disabled",connector="app",namespace="identity",resource="user"} 1.0'
            )
            assert counted in generate_latest(one.metrics.registry).decode()


async def test_an_undo_of_a_cycle_that_never_was_says_where_its_name_is_found() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url, suspend=True)
        async with desk(cluster) as one:
            run = ask(cluster, "undo", "Undo", undoCycle="20200101T000000Z-0000")
            await one.until(lambda: cluster.condition(run, "Failed") == ("True", "CycleNotFound"))
    assert "usher logs" in message_of(cluster, run, "Failed")
