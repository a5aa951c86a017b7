"""A token that says when it expires: told in time, with the Secret that holds it, and without the token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from unit.kube.fake_cluster import NAMESPACE, desk
from unit.kube.test_controller import cluster_with
from usher.kube.objects import Kind, ObjectKey
from usher.testing.hostile_server import HostileSettings, hostile_server

APP = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")


def jwt(expires: datetime) -> str:
    """A token of that form, whose signature is none."""
    parts = [{"alg": "RS256"}, {"exp": int(expires.timestamp()), "sub": "usher"}]
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"])


async def test_a_token_that_will_expire_is_told_with_the_days_that_are_left_until_a_new_one_is_used() -> None:
    soon, later = (datetime.now(UTC) + timedelta(days=days, hours=1) for days in (7, 300))
    async with hostile_server(HostileSettings(token=jwt(soon))) as app:
        cluster = cluster_with(url=app.url)
        cluster.data["Secret", "token"] = {"token": jwt(soon).encode()}
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "CredentialExpiring") == ("True", "CredentialExpiring"))
            await one.until(lambda: "CredentialExpiring" in [event["reason"] for event in cluster.events])
            conditions = cluster.status(APP)["conditions"]
            told = next(each["message"] for each in conditions if each["type"] == "CredentialExpiring")
            assert told.startswith(
                f"the bearer token in key token of Secret/token expires on {soon:%Y-%m-%d} (7 days left)"
            )
            assert jwt(soon) not in str(cluster.status(APP)) + str(cluster.events)

            app.token = jwt(later)
            cluster.data["Secret", "token"] = {"token": jwt(later).encode()}
            cluster.put(Kind.CONNECTOR, "app", cluster.objects[APP]["spec"], requestedAt="now")
            await one.until(lambda: cluster.condition(APP, "CredentialExpiring")[0] != "True")

    assert cluster.condition(APP, "Ready")[0] == "True"
