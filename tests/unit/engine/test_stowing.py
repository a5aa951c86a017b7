"""What is stowed comes back as it was, in its order, as often as somebody asks."""

from __future__ import annotations

import sys

import pytest

from usher.core.model.plans import Criterion, MatchKey
from usher.core.model.resources import AttributePath, Fingerprint, SourceId
from usher.engine.evaluation import Batch
from usher.engine.stowing import CHUNK


def fingerprint(number: int) -> Fingerprint:
    return Fingerprint(number.to_bytes(16, "big"))


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_is_stowed_comes_back_in_its_order_and_in_chunks(count: int) -> None:
    batch = Batch()
    people = [(SourceId(f"p{number}"), fingerprint(number)) for number in range(count)]
    for one in people:
        batch.due.append(one)

    assert len(batch.due) == count
    assert list(batch.due) == list(batch.due) == people
    assert all(len(chunk) <= CHUNK for chunk in batch.due.chunks())


@pytest.mark.parametrize("value", ["ada@x.example", "Ünï\n\0", "", True, 1, 1.0, 2**63 - 1])
def test_matching_values_come_back_as_they_were_to_their_type(value: str | bool | float) -> None:
    batch = Batch()
    conjunction = (Criterion(AttributePath("a"), value), Criterion(AttributePath("b"), "x"))
    keys = (MatchKey(1, conjunction, f"a={value}"), MatchKey(2, (), ""))
    for number in range(CHUNK + 1):
        batch.unlinked.append((SourceId(f"p{number}"), keys))

    assert {repr(found) for _, found in batch.unlinked} == {repr(keys)}


def test_a_person_takes_a_tenth_of_the_memory_of_the_same_as_objects() -> None:
    batch = Batch()
    for number in range(20 * CHUNK):
        batch.due.append((SourceId(f"7c9e6679-7425-40de-944b-{number:012d}"), fingerprint(number)))

    packed = sum(map(sys.getsizeof, batch.due._packed))
    assert packed < 20 * CHUNK * 40
