"""A connector in escrow and in quarantine, as kubectl shows it."""

from __future__ import annotations

import json

from integration.operator.conftest import Stage
from usher.testing.faults import Fault, FaultKind, every
from usher.testing.faults import Operation as Op


async def test_an_app_that_answers_no_scim_is_quarantined_until_somebody_asks_for_a_cycle(stage: Stage) -> None:
    await stage.set_up("alice", interval="10m")
    await stage.until_condition("pconn/app", "InSync", "True")
    for operation in Op:
        stage.app.faults.add(every(operation, 1, Fault(FaultKind.HTML_200)))

    await stage.annotate("pconn/app", requestedAt="one")

    await stage.until_condition("pconn/app", "Quarantined", "True", "EncounteredQuarantineException")
    assert 'requestedAt="$(date -Is)"' in (await stage.condition("pconn/app", "Quarantined"))["message"]
    assert (await stage.condition("pconn/app", "Ready"))["status"] == "False"
    await stage.until_events("Quarantined")
    shown = await stage.kubectl("get", "pconn", "app", "-o", "jsonpath={.status.quarantine}")
    assert json.loads(shown)["count"] == 1

    stage.app.faults.heal()
    await stage.annotate("pconn/app", requestedAt="two")

    await stage.until_condition("pconn/app", "Ready", "True")
    await stage.until_events("QuarantineLifted")
    assert "quarantine" not in await stage.status("pconn/app")


async def test_who_is_in_escrow_is_counted_in_the_status_with_the_next_try(stage: Stage) -> None:
    await stage.set_up("alice", interval="5s")
    await stage.until_condition("pconn/app", "InSync", "True")
    stage.app.faults.add(every(Op.CREATE, 1, Fault(FaultKind.REFUSED)))

    await stage.write_people("alice", "bob")

    await stage.until_condition("pconn/app", "InSync", "False", "ObjectsFailed")
    told = (await stage.condition("pconn/app", "InSync"))["message"]
    assert "1 in escrow, next try" in told
    assert "bob" not in told
    assert (await stage.status("pconn/app"))["counts"]["escrowed"] == 1
