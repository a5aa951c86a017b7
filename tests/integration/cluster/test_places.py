from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster.places import alone


def test_a_lock_that_its_holders_remove_is_still_held_by_one_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with alone(lock):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.002)
            inside.remove(number)
            lock.unlink()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(enter, range(40)))

    assert most == [1] * 40
