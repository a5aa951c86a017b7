"""What `plan`, `sync` and `logs` print where there is nothing, too much, or an end before the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import usher
from integration.cli.folders import Folder
from usher.testing.faults import Fault, FaultKind, Operation, nth, when
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
