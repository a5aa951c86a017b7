"""What `plan`, `sync` and `logs` print where there is nothing, too much, or an end before the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import usher
from integration.cli.folders import Folder
from usher.state.store import open_store
from usher.testing.faults import Fault, FaultKind, Operation, nth, when
from usher.testing.hostile_documents import BROKEN, canned, schemas_document
from usher.testing.hostile_server import HostileServer

PEOPLE = [f"user{n:03}" for n in range(20)]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(usher.__file__).parents[1])}


def command_line(folder: Folder, command: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "usher.cli.main", command, *arguments, "-f", str(folder.path)]


def test_a_cycle_that_failed_before_it_knew_anybody_prints_no_figures(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    app.faults.add(when(lambda _: True, Fault(FaultKind.HTML_200)))

    result = folder.sync()

    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["default/people: Failed"]


def test_an_app_that_can_not_be_asked_again_what_it_is_stops_no_sync_and_is_told(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(PEOPLE)
    assert folder.sync().exit_code == 0
    asyncio.run(make_older(folder.path / ".usher" / "state.db", app.url))
    app.documents["Schemas"] = BROKEN
    folder.people([*PEOPLE, "new"])

    result = folder.sync()

    assert result.exit_code == 0
    assert "/Schemas can't answer just now (status 500); what it said of its attributes" in result.stdout
    assert len(app.app.accounts) == len(PEOPLE) + 1


async def make_older(state: Path, address: str) -> None:
    """What the app said was said two hours earlier."""
    async with open_store(state) as store:
        stored = await store.discovery(address)
        assert stored is not None
        await store.save_discovery(address, replace(stored, read=stored.read - timedelta(hours=2)))


def test_a_constant_that_the_app_can_not_take_is_told_by_its_line(folder: Folder, app: HostileServer) -> None:
    app.documents["Schemas"] = canned(schemas_document({"name": "title", "type": "integer"}))
    folder.change("mapping.yaml", "{target: title, source: jobTitle}", "{target: title, constant: Dr}")
    folder.people(PEOPLE)

    result = folder.sync()

    assert result.exit_code == 1
    told = "AttributeMapping/people spec.attributes[3].constant: the target attribute can only accept a whole number"
    assert told in result.stderr
    assert len(app.app.accounts) == 0


def test_what_the_app_never_shows_is_not_shown_in_a_plan(folder: Folder, app: HostileServer) -> None:
    app.documents["Schemas"] = canned(schemas_document({"name": "title", "mutability": "writeOnly"}))
    folder.people(PEOPLE[:1])

    result = folder.run("plan")

    assert "***" in result.stdout
    assert "Engineer" not in result.stdout


def test_an_interrupted_sync_says_how_many_it_did_not_reach(folder: Folder, app: HostileServer) -> None:
    folder.people([f"user{n:03}" for n in range(300)])
    started: list[subprocess.Popen[str]] = []
    interrupt = Fault(FaultKind.KILL_AFTER, kill=lambda: started[0].send_signal(signal.SIGINT))
    app.faults.add(nth(Operation.CREATE, 5, interrupt))
    arguments = command_line(folder, "sync")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as run:
        started.append(run)
        printed, _ = run.communicate(timeout=60)

    assert run.returncode == 1
    missing = 300 - len(app.app.accounts)
    assert missing > 0
    assert f"interrupted, {missing} changes were not reached: run it again to go on" in printed
    assert "left undone" not in printed


def test_who_is_skipped_for_good_reason_is_shown_and_counted(folder: Folder, app: HostileServer) -> None:
    header = "objectId,userPrincipalName,displayName,jobTitle,accountEnabled"
    folder.write("people.csv", f"{header}\nid-a,a@example.com,A,,true\nid-b,b@example.com,B,,false\n")

    result = folder.run("plan")

    assert "default/people: 1 to create, 1 skipped" in result.stdout
    assert "  . skip id-b: SourceDisabled" in result.stdout


def test_a_long_value_is_cut_for_people_and_whole_for_programs(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada"], title="x" * 60_000)

    text = folder.run("plan").stdout
    attributes = folder.data("plan")["changes"][0]["attributes"]

    assert "x" * 199 + "… (60002 characters)" in text
    assert max(map(len, text.splitlines())) < 300
    assert {"path": "title", "old": None, "new": "x" * 60_000} in attributes


@pytest.mark.parametrize("form", ["text", "json", "markdown", "yaml"])
def test_a_reader_that_goes_away_is_no_error(folder: Folder, app: HostileServer, form: str) -> None:
    folder.people([f"user{n:04}" for n in range(1_000)])
    arguments = command_line(folder, "plan", "-o", form, "--limit", "1000")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        told = run.stderr.read().decode()

    assert run.returncode == 141
    assert "Traceback" not in told
    assert "Broken" not in told


def test_a_sync_goes_on_when_nobody_reads_its_notes(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    with subprocess.Popen(
        command_line(folder, "sync"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stderr.close()
        printed = run.stdout.read().decode()

    assert run.returncode == 0
    assert "20 created" in printed


def test_a_new_state_file_is_not_told_before_it_is_there(folder: Folder) -> None:
    folder.people(PEOPLE)

    result = folder.sync("--state", "/proc/nowhere/state.db")

    assert result.exit_code == 1
    assert "/proc/nowhere/state.db" in result.stderr
    assert "new state file" not in result.stderr


def test_a_state_that_was_emptied_is_not_taken_for_a_new_one(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    state = folder.path / ".usher" / "state.db"
    os.truncate(state, 0)

    for command in (["sync"], ["plan"], ["links", "people"]):
        result = folder.run(*command)
        assert result.exit_code == 1
        assert f"the state in {state} can't be used: it is empty" in result.stderr


def test_a_log_shows_the_detail_before_short_names_of_the_attributes(folder: Folder, app: HostileServer) -> None:
    path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
    folder.change("mapping.yaml", "target: title", f"target: '{path}'")
    folder.people(["ada"])
    folder.sync()

    lines = folder.run("logs", "people").stdout.splitlines()
    data = json.loads(folder.run("logs", "people", "-o", "json").stdout)

    assert lines[1].split()[-2:] == ["DETAIL", "ATTRIBUTES"]
    assert "urn:" not in "".join(lines)
    assert ", department" in lines[2] or "department," in lines[2]
    assert path in data["entries"][0]["attributes"]
