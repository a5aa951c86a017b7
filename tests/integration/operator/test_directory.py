"""The operator on a directory: people and groups are read, changes act by themselves, a lost directory costs nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from directory.configuration import GROUPS, PEOPLE, READER, Settings
from directory.entries import Entry
from directory.population import groups, people
from directory.slapd import Slapd
from integration.operator.conftest import ATTRIBUTES, Document, Stage, manifest, mapping, secret

COUNT = 60
SOURCE = "idsrc/corp"
MAPPING = mapping({"target": "userName", "source": "userPrincipalName", "match": 1}, *ATTRIBUTES[1:])


@pytest.fixture(scope="module")
def everybody() -> list[Entry]:
    return people(COUNT)


@pytest.fixture
def directory(tmp_path: Path, everybody: list[Entry]) -> Iterator[Slapd]:
    slapd = Slapd(tmp_path / "slapd", Settings(session_log=100))
    try:
        slapd.load([*everybody, *groups(5, everybody)])
        slapd.start()
        yield slapd
    finally:
        slapd.close()


def directory_source(directory: Slapd, **ldap: Any) -> Document:
    spec: Mapping[str, Any] = {
        "url": directory.url,
        "bindDN": READER.dn,
        "secretRef": {"name": "ldap", "key": "password"},
        "users": {"baseDN": PEOPLE},
        "groups": {"baseDN": GROUPS},
        "changes": "Syncrepl",
        **ldap,
    }
    return manifest("IdentitySource", "corp", {"schedule": {"interval": "5s"}, "ldap": spec})


def password(text: str = READER.password) -> Document:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ldap"}, "stringData": {"password": text}}


async def set_up(stage: Stage, directory: Slapd, **ldap: Any) -> None:
    flow = [password(), secret(stage.app.token), MAPPING, stage.connector()]
    await stage.apply(directory_source(directory, **ldap), *flow)


def _handled(time: str) -> Callable[[Document], bool]:
    return lambda found: found["status"].get("lastHandledReconcileAt") == time


def names(stage: Stage) -> set[str]:
    return {str(each.document.get("displayName")) for each in stage.app.app.accounts.values()}


async def test_a_joiner_a_mover_and_a_leaver_of_a_directory_act_by_themselves(
    stage: Stage, directory: Slapd, everybody: list[Entry]
) -> None:
    await set_up(stage, directory)
    await stage.until_condition("pconn/app", "InSync", "True")
    status = await stage.status(SOURCE)
    assert status["counts"] == {"users": COUNT, "groups": 5}
    assert {"userPrincipalName", "mail", "jobTitle", "employeeType"} <= set(status["attributes"])
    assert sum(stage.accounts.values()) == COUNT

    new = people(COUNT + 1)[-1]
    mover, leaver = everybody[3], everybody[4]
    directory.add(new.dn, {**new.attributes, "uid": ["nia"], "mail": ["nia@example.com"]})
    directory.modify(mover.dn, {"displayName": ["Somebody Else"]})
    directory.delete(leaver.dn)

    await stage.until_true(lambda: stage.accounts.get(leaver.text("uid")) is False and "nia" in stage.accounts)
    await stage.until_true(lambda: "Somebody Else" in names(stage))
    assert sum(stage.accounts.values()) == COUNT


async def test_a_directory_that_is_lost_disables_nobody_and_comes_back(stage: Stage, directory: Slapd) -> None:
    await set_up(stage, directory)
    await stage.until_condition("pconn/app", "InSync", "True")

    directory.kill()
    for time in ("first", "second", "third"):
        await stage.kubectl("annotate", "--overwrite", SOURCE, f"provisioning.usher.dev/requestedAt={time}")
        await stage.until(SOURCE, _handled(time))

    condition = await stage.condition(SOURCE, "Ready")
    assert (condition["status"], condition["reason"]) == ("False", "SourceUnreachable")
    assert "IdentitySource/corp spec.ldap.url: no connection to 127.0.0.1" in condition["message"]
    assert sum(stage.accounts.values()) == COUNT
    directory.start()
    await stage.kubectl("annotate", "--overwrite", SOURCE, "provisioning.usher.dev/requestedAt=now")
    await stage.until_condition(SOURCE, "Ready", "True")
    await stage.until_condition("pconn/app", "InSync", "True")


async def test_a_read_that_somebody_asks_for_is_a_whole_one(
    stage: Stage, directory: Slapd, everybody: list[Entry]
) -> None:
    """By modifyTimestamp nobody tells who was deleted, so the leaver is found by the whole read alone."""
    await set_up(stage, directory, changes="ModifyTimestamp")
    await stage.until_condition("pconn/app", "InSync", "True")
    directory.delete(everybody[7].dn)

    await stage.kubectl("annotate", SOURCE, "provisioning.usher.dev/requestedAt=1")

    await stage.until_true(lambda: stage.accounts[everybody[7].text("uid")] is False)
    assert (await stage.until(SOURCE, lambda found: found["status"]["counts"]["users"] == COUNT - 1))["status"][
        "lastHandledReconcileAt"
    ] == "1"


async def test_a_wrong_password_is_told_with_its_field_and_mended_without_a_restart(
    stage: Stage, directory: Slapd
) -> None:
    await set_up(stage, directory)
    await stage.until_condition(SOURCE, "Ready", "True")
    await stage.apply(password("something else"))

    await stage.kubectl("annotate", SOURCE, "provisioning.usher.dev/requestedAt=1")
    condition = await stage.until_condition(SOURCE, "Stalled", "True")

    assert condition["reason"] == "CredentialsRejected"
    assert "spec.ldap.secretRef (Secret ldap, key password)" in condition["message"]
    assert "something else" not in condition["message"]
    await stage.apply(password())
    await stage.until_condition(SOURCE, "Ready", "True")
