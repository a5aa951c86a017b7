"""Whole directories: people, their managers, groups, groups in groups, through everything that happens to them.

For every sequence of joins, moves, leaves, come-backs, renames and nesting, with a fault at any request, the app ends
as the source says: accounts, managers, members; the next cycle writes nothing; and no stranger was ever touched.
"""

from __future__ import annotations

import asyncio

from hypothesis import given

from sequences.amount import few
from sequences.apps import MemoryApp
from sequences.origins import MemoryOrigin
from sequences.play import play
from sequences.truth import FAULTS, Step, scripts


@few(25)
@given(script=scripts(FAULTS))
def test_every_directory_ends_as_it_is(script: list[Step]) -> None:
    asyncio.run(play(script, MemoryOrigin(), MemoryApp()))
