"""What is promised about accounts, by what a target tells of itself and what is known of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from usher.core.scim.discovery import Discovery
from usher.core.scim.schemas import AttributeDefinition
from usher.core.sync.guarantees import Guarantee, guarantee_of
from usher.testing.world import direct_mapping

SILENT = Discovery()
UNIQUE = Discovery(attributes={"username": AttributeDefinition(unique=True)})
UNIQUE_ELSEWHERE = Discovery(attributes={"nickname": AttributeDefinition(unique=True)})


@pytest.mark.parametrize(
    ("settle", "told", "expected"),
    [
        (timedelta(), UNIQUE, Guarantee.UNIQUE_KEY),
        (timedelta(minutes=1), UNIQUE, Guarantee.UNIQUE_KEY),
        (timedelta(), UNIQUE_ELSEWHERE, Guarantee.LOOK_UP),
        (timedelta(), SILENT, Guarantee.LOOK_UP),
        (timedelta(minutes=1), SILENT, Guarantee.SETTLED_LOOK_UP),
        (None, UNIQUE, Guarantee.AT_MOST_ONCE),
    ],
)
def test_a_guarantee_is_no_better_than_what_the_app_tells_and_lets_be_looked_for(
    settle: timedelta | None, told: Discovery, expected: Guarantee
) -> None:
    assert guarantee_of(settle, told, direct_mapping().matching) is expected
