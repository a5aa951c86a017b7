"""How fast an app is asked, and what of a spec makes everything that failed be tried anew."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from unit.assembly.test_groups import USERS, assembled
from usher.targets.scim.settings import ScimSettings


def settings(**execution: Any) -> ScimSettings:
    job = assembled({"users": USERS}, execution=execution)
    assert isinstance(job.open_target, partial)
    found = job.open_target.args[0]
    assert isinstance(found, ScimSettings)
    assert job.lanes[0].concurrency == found.connections
    return found


def test_both_ceilings_are_those_of_the_spec() -> None:
    assert (settings().connections, settings().requests_per_second) == (16, 0.0)
    both = settings(concurrency=4, requestsPerSecond=25)
    assert (both.connections, both.requests_per_second) == (4, 25.0)


@pytest.mark.parametrize("execution", [{"concurrency": 0}, {"concurrency": 65}, {"requestsPerSecond": 0}])
def test_what_would_ask_nothing_or_too_much_is_refused(execution: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        settings(**execution)


def test_another_spec_has_another_digest_and_another_time_of_cycles_has_not() -> None:
    plain = assembled({"users": USERS}).digest

    assert assembled({"users": USERS}, suspend=True, schedule={"interval": "1h"}).digest == plain
    assert assembled({"users": USERS}, adopt="Always").digest == plain
    assert assembled({"users": USERS}, adopt="Never").digest != plain
    assert assembled({"users": USERS}, execution={"concurrency": 1}).digest != plain
