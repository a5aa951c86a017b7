"""A group of many members, made and then changed by one: how many requests the app gets.

python -m bench.drivers.group_members MEMBERS

The whole engine with its state, at an app in memory that counts what it is asked. Its last line is JSON:
  initial    requests of the cycle that makes the group and gives it everybody, who have accounts already
  change     requests of the cycle in which one more is a member
"""

from __future__ import annotations

import asyncio
import json
import sys

from bench.broken import Broken
from usher.core.model.reports import CycleResult
from usher.testing.faults import Operation
from usher.testing.world import World, group_mapping, open_world


async def measure(count: int) -> dict[str, int]:
    """Raises Broken where the group is not as the source has it."""
    names = [f"p{number}" for number in range(count + 1)]
    async with open_world() as world:
        world.people(names)
        world.group_mapping = group_mapping()
        await _cycle(world, {})
        return {
            "initial": await _cycle(world, {"staff": names[:-1]}),
            "change": await _cycle(world, {"staff": names}),
        }


async def _cycle(world: World, groups: dict[str, list[str]]) -> int:
    for name, members in groups.items():
        world.group(name, *members)
    before = _requests(world)
    report = await world.sync()
    if report.result is not CycleResult.SUCCEEDED or world.members() != {n: set(m) for n, m in groups.items()}:
        raise Broken(f"the cycle ended {report.result}, and the group is not as the source has it")
    return _requests(world) - before


def _requests(world: World) -> int:
    return sum(world.target.faults.count(operation) for operation in Operation)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))  # noqa: T201 - the protocol of the drivers
