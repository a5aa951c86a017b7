"""What people get wrong ends in a condition that names object, field and way out; nothing is lost, others go on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme

from integration.operator.conftest import HEADER, Stage, config_map, manifest, mapping, people, secret, source
from usher.testing.faults import Fault, FaultKind, Operation, every

pytestmark = pytest.mark.apiserver

USER_NAME = {"target": "userName", "source": "userPrincipalName", "match": 1}


async def well(stage: Stage, *names: str, interval: str = "1h") -> None:
    """A flow that works, and then goes wrong."""
    await stage.set_up(*names, interval=interval)
    await stage.until_condition("pconn/app", "InSync", "True")


async def message_of(stage: Stage, what: str, reason: str, kind: str = "Ready") -> str:
    return str((await stage.until_condition(what, kind, "False", reason))["message"])


async def test_an_unknown_source_attribute_is_named_with_its_place_and_the_known_ones(stage: Stage) -> None:
    await well(stage, "alice")

    await stage.apply(mapping(USER_NAME, {"target": "title", "source": "jobTitel"}))

    message = await message_of(stage, "pconn/app", "MappingInvalid")
    assert "AttributeMapping/people spec.attributes[1].source" in message
    assert "has no attribute jobTitel" in message
    assert "displayName" in message
    assert (await stage.condition("pconn/app", "Stalled"))["reason"] == "MappingInvalid"
    await stage.apply(mapping(USER_NAME))
    await stage.until_condition("pconn/app", "InSync", "True")
    assert (await stage.condition("pconn/app", "Stalled")) == {}


async def test_a_syntax_error_is_told_with_its_position_on_the_mapping_and_on_its_connectors(stage: Stage) -> None:
    await well(stage, "alice")

    await stage.apply(mapping(USER_NAME, {"target": "title", "expression": 'Join(" ", [givenName]'}))

    message = await message_of(stage, "amap/people", "ExpressionInvalid")
    assert "spec.attributes[1].expression" in message
    assert "22" in message
    assert "AttributeMapping/people spec.attributes[1].expression" in await message_of(
        stage, "pconn/app", "MappingInvalid"
    )


async def test_a_missing_secret_and_a_missing_key_are_named_with_their_field(stage: Stage) -> None:
    token = {"bearer": {"secretRef": {"name": "lost", "key": "token"}}}
    lost = {"target": {"scim": {"url": stage.app.url, "auth": token}}}
    await well(stage, "alice")

    await stage.apply(stage.connector(name="second", interval="5s", **lost))

    message = await message_of(stage, "pconn/second", "SecretNotFound")
    assert f"spec.target.scim.auth.bearer.secretRef: Secret/lost in namespace {stage.namespace.name}" in message
    await stage.kubectl("create", "secret", "generic", "lost", "--from-literal=tokn=x")
    message = await message_of(stage, "pconn/second", "KeyNotFound")
    assert "no key token" in message
    assert "tokn" in message
    assert (await stage.condition("pconn/app", "InSync"))["status"] == "True"


async def test_a_refused_token_needs_a_person_and_does_not_stop_others(stage: Stage) -> None:
    await well(stage, "alice")
    other = {"bearer": {"secretRef": {"name": "wrong", "key": "token"}}}
    await stage.kubectl("create", "secret", "generic", "wrong", "--from-literal=token=s3cret")

    await stage.apply(stage.connector(name="second", target={"scim": {"url": stage.app.url, "auth": other}}))

    message = await message_of(stage, "pconn/second", "CredentialsRejected")
    assert "s3cret" not in message
    place = "ProvisioningConnector/second spec.target.scim.auth.bearer.secretRef (Secret wrong, key token)"
    assert message.startswith(f"{place}: the target refuses our credentials")
    await stage.until_condition("pconn/second", "TargetReachable", "False", "CredentialsRejected")
    await stage.write_people("alice", "bob")
    await stage.until_true(lambda: "bob" in stage.accounts)


async def test_a_target_that_is_down_is_tried_again_and_does_not_stop_others(stage: Stage) -> None:
    await well(stage, "alice")
    token = {"bearer": {"secretRef": {"name": "app-token", "key": "token"}}}

    await stage.apply(
        stage.connector(
            name="second", interval="5s", target={"scim": {"url": "http://127.0.0.1:9/scim", "auth": token}}
        )
    )

    message = await message_of(stage, "pconn/second", "TargetUnreachable")
    assert "ProvisioningConnector/second spec.target.scim.url: " in message
    assert "TargetUnreachable: ProvisioningConnector/second" in (await stage.until_events("CycleFailed"))["CycleFailed"]
    assert (await stage.condition("pconn/second", "Stalled")) == {}
    await stage.until("pconn/second", lambda found: found["status"]["consecutiveFailures"] >= 2)
    assert (await stage.condition("pconn/app", "InSync"))["status"] == "True"


async def test_html_with_status_200_is_no_answer_and_the_connector_recovers_by_itself(stage: Stage) -> None:
    await well(stage, "alice", interval="5s")
    stage.app.faults.add(every(Operation.FIND, 1, Fault(FaultKind.HTML_200)))

    await stage.until("pconn/app", lambda found: found["status"]["consecutiveFailures"] >= 1)
    message = await message_of(stage, "pconn/app", "ServiceIncompatible")

    assert "no JSON: check the URL" in message
    stage.app.faults.heal()
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.until_events("CycleFailed", "Recovered")
    assert len(stage.accounts) == 1


async def test_one_failure_that_passes_by_itself_does_not_make_unready(stage: Stage) -> None:
    await well(stage, "alice", interval="5s")
    stage.app.faults.add(every(Operation.FIND, 1, Fault(FaultKind.UNAVAILABLE)))

    failed = await stage.until("pconn/app", lambda found: found["status"]["consecutiveFailures"] == 1, 40)

    ready = next(each for each in failed["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "Retrying")


@asynccontextmanager
async def server_for_another_host() -> AsyncIterator[tuple[int, str]]:
    """The port of a server whose certificate is for another host, and the certificate of its authority."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("other.example.com").configure_cert(context)

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], authority.cert_pem.bytes().decode()


async def test_a_certificate_of_another_host_is_refused_before_the_token_is_sent(stage: Stage) -> None:
    await well(stage, "alice")
    async with server_for_another_host() as (port, authority):
        await stage.kubectl("create", "configmap", "ca", f"--from-literal=ca.crt={authority}")
        scim: dict[str, Any] = {
            "url": f"https://127.0.0.1:{port}/scim",
            "auth": {"bearer": {"secretRef": {"name": "app-token", "key": "token"}}},
            "tls": {"caRef": {"kind": "ConfigMap", "name": "ca", "key": "ca.crt"}},
        }

        await stage.apply(stage.connector(name="second", target={"scim": scim}))

        message = await message_of(stage, "pconn/second", "TargetUnreachable")
        assert "certificate" in message


async def test_two_people_with_one_matching_value_are_left_undone_and_not_named(stage: Stage) -> None:
    await stage.set_up()
    text = people("alice", "bob") + "id-x,BOB@example.com,x@example.com,X,false\n"

    await stage.apply(config_map(text))

    condition = await stage.until_condition("pconn/app", "InSync", "False", "ObjectsFailed")
    assert "2 resources are left undone: 2 " in condition["message"]
    assert "bob" not in condition["message"].lower()
    assert stage.accounts == {"alice": True}


async def test_a_person_without_a_matching_value_is_left_undone_and_the_others_are_not(stage: Stage) -> None:
    await stage.set_up()

    await stage.apply(config_map(people("alice") + "id-x,,x@example.com,X,false\n"))

    condition = await stage.until_condition("pconn/app", "InSync", "False", "ObjectsFailed")
    assert "1 resource is left undone: 1 " in condition["message"]
    assert stage.accounts == {"alice": True}


async def test_an_interval_that_is_none_is_refused_when_it_is_applied(stage: Stage) -> None:
    with pytest.raises(AssertionError, match=r"spec\.schedule\.interval.*must be a duration such as 90s"):
        await stage.apply(stage.connector(interval="5x"))


async def test_a_missing_csv_column_is_named(stage: Stage) -> None:
    await stage.set_up("alice")
    await stage.until_condition("pconn/app", "InSync", "True")

    await stage.apply(config_map(people("alice", "bob").replace("objectId", "id")))

    condition = await stage.until_condition("idsrc/corp", "Ready", "False")
    assert "objectId" in condition["message"]
    assert stage.accounts == {"alice": True}


async def test_an_empty_csv_is_void_and_nobody_is_touched(stage: Stage) -> None:
    await well(stage, "alice")

    await stage.apply(config_map(f"{HEADER}\n"))

    message = await message_of(stage, "idsrc/corp", "ReadShrunk")
    assert "annotate idsrc/corp provisioning.usher.dev/approve-read=" in message
    assert "stays in force" in await message_of(stage, "pconn/app", "ReadShrunk", "InSync")
    assert (await stage.condition("pconn/app", "Ready"))["status"] == "True"
    await stage.until_events("ReadShrunk")
    assert stage.accounts == {"alice": True}


async def test_a_missing_config_map_is_named_and_its_coming_is_noticed(stage: Stage) -> None:
    await stage.apply(source(), mapping(), secret(stage.app.token), stage.connector())
    message = await message_of(stage, "idsrc/corp", "ConfigMapNotFound")
    assert "spec.csv.configMapRef: ConfigMap/people" in message
    assert "IdentitySource/corp" in await message_of(stage, "pconn/app", "SourceUnreachable")

    await stage.write_people("alice")

    await stage.until_condition("pconn/app", "InSync", "True")


async def test_a_deleted_mapping_stops_its_connector_until_it_is_back(stage: Stage) -> None:
    await well(stage, "alice")

    await stage.kubectl("delete", "amap", "people", "--timeout=10s")

    message = await message_of(stage, "pconn/app", "MappingInvalid")
    assert "spec.mappings[0].name: AttributeMapping/people" in message
    await stage.until_events("SpecInvalid")
    await stage.apply(mapping())
    await stage.until_condition("pconn/app", "InSync", "True")
    assert stage.accounts == {"alice": True}


async def test_a_missing_source_is_named(stage: Stage) -> None:
    await stage.apply(mapping(), secret(stage.app.token), stage.connector())

    message = await message_of(stage, "pconn/app", "SourceUnreachable")

    assert "spec.sourceRef: IdentitySource/corp" in message


async def test_an_address_that_is_not_permitted_is_told_with_the_option_that_permits_it(stage: Stage) -> None:
    await well(stage, "alice")
    token = {"bearer": {"secretRef": {"name": "app-token", "key": "token"}}}

    await stage.apply(stage.connector(name="second", target={"scim": {"url": "https://10.1.2.3/scim", "auth": token}}))

    assert "--allow-cidr" in await message_of(stage, "pconn/second", "TargetUnreachable")


async def test_a_missing_key_of_a_config_map_is_told_with_those_that_are_there(stage: Stage) -> None:
    await well(stage, "alice")
    later = manifest("IdentitySource", "later", {"csv": {"configMapRef": {"name": "people", "key": "missing.csv"}}})

    await stage.apply(later)

    assert "no key missing.csv; its keys: people.csv" in await message_of(stage, "idsrc/later", "KeyNotFound")
