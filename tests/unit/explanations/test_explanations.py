"""What the command line and the operator say of a failure: object, field, what the field names, and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.identity_sources import IdentitySourceSpec
from usher.api.v1alpha1.references import NameRef
from usher.core.errors import CycleError, IncompleteRead, ReadShrunk, SpecError, UsherError
from usher.explanations import Again, explain_cycle, explain_read

URL = "https://app.example.com/scim"
TARGET: dict[str, Any] = {
    "url": URL,
    "auth": {"bearer": {"secretRef": {"name": "app-token", "key": "token"}}},
    "tls": {"caRef": {"kind": "ConfigMap", "name": "ca", "key": "ca.crt"}},
}
CONNECTOR = ProvisioningConnectorSpec.model_validate(
    {
        "sourceRef": {"name": "corp"},
        "target": {"scim": TARGET},
        "scope": {"include": "All"},
        "mappings": ({"name": "people"},),
    }
)
TOKEN = "ProvisioningConnector/app spec.target.scim.auth.bearer.secretRef"
AWAY = f". Is {URL} right, and is the app up? Nothing is lost: it is tried again by itself"


@pytest.mark.parametrize(
    ("names", "message", "path"),
    [
        (("people", "teams"), "the app can't take AttributeMapping/teams", "spec.mappings[1]"),
        (("people", "teams"), "the app can't take AttributeMapping/people: it can't", "spec.mappings[0]"),
        (("people", "teams"), "it can't be so", "spec.mappings"),
        (("people",), "it can't be so", "spec.mappings[0]"),
    ],
)
def test_the_mapping_that_is_to_blame_is_found_by_its_name(names: tuple[str, ...], message: str, path: str) -> None:
    spec = CONNECTOR.model_copy(update={"mappings": tuple(NameRef(name=name) for name in names)})

    explained = explain_cycle("app", spec, CycleError(message, reason="MappingInvalid"), Again.BY_ITSELF)

    assert explained.path == path


def source(**document: object) -> IdentitySourceSpec:
    return IdentitySourceSpec.model_validate({"csv": document})


def told(error: UsherError) -> str:
    return str(explain_cycle("app", CONNECTOR, error, Again.BY_ITSELF))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            CycleError("the target refuses our credentials (401)", reason="CredentialsRejected"),
            (
                f"{TOKEN} (Secret app-token, key token): the target refuses our credentials (401). "
                "Put a token that the app takes into key token of Secret/app-token"
            ),
        ),
        (
            CycleError("no connection to app.example.com: refused", reason="TargetUnreachable"),
            f"ProvisioningConnector/app spec.target.scim.url: no connection to app.example.com: refused{AWAY}",
        ),
        (
            CycleError("app.example.com resolves to a private address: permit it", reason="TargetUnreachable"),
            "ProvisioningConnector/app spec.target.scim.url: app.example.com resolves to a private address: permit it",
        ),
        (
            SpecError("the CA certificate is no PEM text", path="tls.caRef"),
            (
                "ProvisioningConnector/app spec.target.scim.tls.caRef (ConfigMap ca, key ca.crt): "
                "the CA certificate is no PEM text"
            ),
        ),
        (
            UsherError("unexpected ValueError at x.py:1", reason="InternalError"),
            "ProvisioningConnector/app: unexpected ValueError at x.py:1",
        ),
    ],
)
def test_a_failed_cycle_is_told_with_object_field_and_way_out(error: UsherError, expected: str) -> None:
    assert told(error) == expected


def test_what_says_its_place_by_itself_is_not_placed_twice() -> None:
    field = CycleError("spec.target.scim.tls.caRef: Secret/ca does not exist", reason="SecretNotFound")
    other = CycleError("AttributeMapping/people spec.attributes[1].source: no such", reason="MappingInvalid")

    assert told(field) == "ProvisioningConnector/app spec.target.scim.tls.caRef: Secret/ca does not exist"
    assert told(other) == other.message


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"configMapRef": {"name": "people", "key": "p.csv"}}, "spec.csv.configMapRef (ConfigMap people, key p.csv)"),
        ({"secretRef": {"name": "people", "key": "p.csv"}}, "spec.csv.secretRef (Secret people, key p.csv)"),
    ],
)
def test_a_document_that_can_not_be_read_is_told_with_where_it_is(document: dict[str, object], place: str) -> None:
    error = IncompleteRead("line 10: 2 cells where the header has 9", reason="InvalidData")

    why = explain_read("corp", source(**document), error)

    assert str(why) == f"IdentitySource/corp {place}: line 10: 2 cells where the header has 9"


def test_a_read_that_lacks_people_is_told_with_the_limit() -> None:
    error = ReadShrunk("the read is void", digest="abc", count=1, kept=1, former=5)

    why = explain_read("corp", source(configMapRef={"name": "people", "key": "p.csv"}), error)

    assert str(why) == "IdentitySource/corp spec.minRetained: the read is void"


def test_an_app_that_said_when_to_come_back_is_up() -> None:
    error = UsherError(
        "the target asks for fewer requests (429); it asks to come back at 12:00", reason="TooManyRequests"
    )

    assert str(explain_cycle("app", CONNECTOR, error, Again.BY_ITSELF)).endswith("it asks to come back at 12:00")
