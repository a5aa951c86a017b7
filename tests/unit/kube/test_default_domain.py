"""The domain of a source reaches the expressions of its connectors, and a change of it reaches the accounts."""

from __future__ import annotations

from functools import partial

from unit.kube.fake_cluster import CSV, NAMESPACE, FakeCluster, connector_spec, desk, mapping_spec, source_spec
from usher.kube.objects import Kind, ObjectKey
from usher.testing.hostile_server import HostileServer, hostile_server

APP = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")
PEOPLE = ObjectKey(Kind.MAPPING, NAMESPACE, "people")


def has_names(app: HostileServer, wanted: str) -> bool:
    """Whether everybody is called so, and somebody is there."""
    return {account.document["displayName"] for account in app.app.accounts.values()} == {wanted}


async def test_a_source_without_a_domain_is_named_and_one_with_another_domain_changes_the_accounts() -> None:
    async with hostile_server() as app:
        cluster = FakeCluster()
        cluster.data["Secret", "token"] = {"token": b"let-me-in"}
        cluster.put_people(CSV)
        cluster.put(Kind.SOURCE, "corp", source_spec())
        cluster.put(Kind.MAPPING, "people", mapping_spec('Join("@", "all", DefaultDomain())'))
        cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "MappingInvalid"))
            (message,) = (c["message"] for c in cluster.status(APP)["conditions"] if c["type"] == "Ready")
            assert message.startswith("AttributeMapping/people spec.attributes[1].expression: ")
            assert "IdentitySource/corp has no spec.defaultDomain" in message
            assert cluster.condition(PEOPLE, "Ready")[0] == "True"

            for domain in ("example.com", "example.org"):
                cluster.put(Kind.SOURCE, "corp", {**source_spec(), "defaultDomain": domain})
                await one.until(partial(has_names, app, f"all@{domain}"))
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
