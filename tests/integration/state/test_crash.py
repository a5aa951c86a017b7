"""What is on the disk after the process was killed, or while another one has the file."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

import usher
from usher.contracts.log import WHOLE_LOG
from usher.core.errors import CycleError
from usher.state.store import open_store
from usher.testing.store_examples import CRM, PEOPLE, USER, collect, make_staged, name_people

WRITER: Final = Path(__file__).with_name("endless_writer.py")
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(Path(usher.__file__).parents[1])}


@contextmanager
def writing(path: Path, first: int) -> Iterator[subprocess.Popen[str]]:
    """The endless writer, killed in the end. Its standard output is what it says it stored."""
    command = [sys.executable, str(WRITER), str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        try:
            yield process
        finally:
            process.kill()


def read_round(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the writer ended by itself"
    return int(line)


def kill_and_read_rest(process: subprocess.Popen[str], last: int) -> int:
    assert process.stdout is not None
    process.kill()
    return max([last, *(int(line) for line in process.stdout if line.endswith("\n"))])


async def test_a_kill_in_the_middle_of_a_record_leaves_whole_rounds(tmp_path: Path) -> None:
    path, people, first = tmp_path / "state.db", name_people(50), 1
    for attempt in range(8):
        with writing(path, first) as process:
            said = read_round(process)
            await asyncio.sleep(0.007 * attempt)
            said = kill_and_read_rest(process, said)

        async with open_store(path) as store:
            rounds = {int(digest.target_id.split("-")[0]) for digest in await collect(store.link_digests(CRM))}
            assert len(rounds) == 1
            [stored] = rounds
            assert stored in (said, said + 1)
            assert await store.count_links(CRM) == (50, 50)
            newest = await store.log(CRM.connector, WHOLE_LOG, 51)
            assert [int(entry.detail) for entry in newest[:50]] == [stored] * 50
            assert len(newest) == 50 or int(newest[50].detail) == stored - 1
            snapshot = await store.snapshot(PEOPLE, USER)
            assert snapshot is not None
            assert snapshot.version in (stored, stored + 1)
            expected = {person: make_staged(person, str(snapshot.version)).fingerprint for person in people}
            assert await store.fingerprints(PEOPLE, USER) == expected
            await store.discard(PEOPLE, USER)
        first = stored + 1


async def test_a_second_process_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with writing(path, 1) as process:
        read_round(process)
        with pytest.raises(
            CycleError, match=f"{path} is in use by process {process.pid}: stop that one first"
        ) as refused:
            async with open_store(path):
                pass
        assert refused.value.reason == "StateLocked"
        process.kill()
        process.wait()
        async with open_store(path) as store:
            assert await store.count_links(CRM) == (50, 50)


def test_a_full_disk_stores_nothing_of_the_call_and_everything_of_the_next(tmp_path: Path) -> None:
    script = Path(__file__).with_name("full_disk.py")
    command = [sys.executable, str(script), str(tmp_path / "state.db")]
    ran = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    reason, message, before, target, after = ran.stdout.splitlines()
    assert reason == "StateUnusable"
    assert "Check free space" in message
    assert "p0001" not in message
    assert before == "(1, 1) {<Action.UPDATE: 'Update'>: 1} []"
    assert target == "t1"
    assert after == "[] (2000, 2000)"
