"""What is wrong with files, credentials and ends: each is told with object, field and way out, and others go on."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
import trustme
from click.testing import Result

from integration.cli.folders import Folder
from usher.testing.faults import Fault, FaultKind, when
from usher.testing.hostile_server import HostileServer

NAMES = ["ada", "bob", "cleo"]


@pytest.fixture(autouse=True)
def _sound(folder: Folder) -> None:
    folder.people(NAMES)


def expect(result: Result, *texts: str, code: int = 1) -> None:
    """No traceback, this exit code, and all of these on stderr."""
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    for text in texts:
        assert text in result.stderr
    assert "let-me-in" not in result.output
    assert "Traceback" not in result.output


@dataclass(frozen=True, slots=True)
class Mistake:
    """In this file, in place of this text, stands that one; and what is to be said about it."""

    file: str
    old: str
    new: str
    told: Sequence[str]


MISTAKES = {
    "document of groups that is not there": Mistake(
        "source.yaml",
        "file: people.csv",
        "file: people.csv, groups: {file: groups.csv}",
        ["source.yaml: IdentitySource/directory spec.csv.groups.file", "groups.csv"],
    ),
    "document of groups without members": Mistake(
        "source.yaml",
        "file: people.csv",
        "file: people.csv, groups: {file: people.csv}",
        ["source.yaml: IdentitySource/directory: spec.csv.groups (people.csv): line 1: there is no column members"],
    ),
    "column of groups that is not there": Mistake(
        "source.yaml",
        "file: people.csv",
        "file: people.csv, groups: {column: teams}",
        ["IdentitySource/directory spec.csv.file", "line 1: there is no column teams, which is groups.column"],
    ),
    "unknown source attribute": Mistake(
        "mapping.yaml",
        "source: jobTitle",
        "source: jobTittle",
        ["AttributeMapping/people spec.attributes[3].source", "jobTittle", "jobTitle"],
    ),
    "expression with a syntax error": Mistake(
        "mapping.yaml",
        "source: displayName",
        "expression: 'Join(\" \", [displayName]'",
        ["mapping.yaml: AttributeMapping/people spec.attributes[2].expression", "line 1, column 24"],
    ),
    "an interval of 5x": Mistake(
        "source.yaml",
        "spec: {",
        "spec: {schedule: {interval: 5x}, ",
        ["source.yaml: IdentitySource/directory spec.schedule.interval", "such as 90s, 5m or 1h30m"],
    ),
    "missing CSV column": Mistake(
        "source.yaml",
        "file: people.csv",
        "file: people.csv, idColumn: employeeId",
        ["source.yaml: IdentitySource/directory spec.csv.file", "employeeId"],
    ),
    "missing CSV": Mistake(
        "source.yaml",
        "people.csv",
        "persons.csv",
        ["source.yaml: IdentitySource/directory spec.csv.file", "persons.csv can't be read"],
    ),
    "missing source": Mistake(
        "people.yaml",
        "name: directory",
        "name: dictionary",
        ["people.yaml: ProvisioningConnector/people spec.sourceRef", "no IdentitySource/dictionary"],
    ),
    "missing key": Mistake(
        "people.yaml",
        "key: token",
        "key: tokn",
        [
            "people.yaml: ProvisioningConnector/people spec.target.scim.auth.bearer.secretRef",
            "Secret/app has no key tokn; it has: token",
        ],
    ),
    "unknown value": Mistake(
        "people.yaml",
        "scope: {include: All}",
        "scope: {include: Everybody}",
        ["people.yaml: ProvisioningConnector/people spec.scope.include", "must be one of Assigned, All"],
    ),
    "unknown field": Mistake(
        "people.yaml",
        "  scope:",
        "  scpoe:",
        ["spec.scpoe: unknown field; did you mean scope?", "spec.scope: required"],
    ),
    "target path that can't be read": Mistake(
        "mapping.yaml",
        "target: title",
        "target: 'emails[type eq work].value'",
        ["mapping.yaml: AttributeMapping/people spec.attributes[3].target"],
    ),
    "no YAML": Mistake("secret.yaml", "{api", "{{api", ["secret.yaml", "line 1"]),
}


@pytest.mark.parametrize("command", ["plan", "sync", "validate"])
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_file_is_told_with_file_object_and_field(
    folder: Folder, app: HostileServer, command: str, mistake: Mistake
) -> None:
    folder.change(mistake.file, mistake.old, mistake.new)

    expect(folder.run(command), *mistake.told)
    assert app.writes == 0


def test_a_missing_secret_is_an_error_to_sync_and_a_warning_to_validate(folder: Folder, app: HostileServer) -> None:
    (folder.path / "secret.yaml").unlink()
    place = "ProvisioningConnector/people spec.target.scim.auth.bearer.secretRef"

    expect(folder.sync(), "error: ", place, "no Secret/app in namespace default")
    expect(folder.run("validate"), "warning: ", place, "no Secret/app in namespace default", code=0)


def test_two_objects_of_one_name_name_both_files(folder: Folder, app: HostileServer) -> None:
    folder.write("z.yaml", (folder.path / "source.yaml").read_text(encoding="utf-8"))

    expect(folder.sync(), "z.yaml: IdentitySource/directory: stands here and in ", "source.yaml: remove one of them")
    assert app.writes == 0


def test_a_token_that_the_app_refuses_is_told_with_the_secret(folder: Folder, app: HostileServer) -> None:
    folder.change("secret.yaml", "let-me-in", "let-me-out")

    result = folder.sync()

    expect(
        result,
        "people.yaml: ProvisioningConnector/people spec.target.scim.auth.bearer.secretRef",
        "refuses our credentials (401)",
        "key token of Secret/app",
    )
    assert "let-me-out" not in result.output


def test_an_app_that_is_down_is_told_with_its_address(folder: Folder) -> None:
    folder.connector("people", url="http://127.0.0.1:1/scim")

    expect(
        folder.sync(),
        "ProvisioningConnector/people spec.target.scim.url",
        "Is http://127.0.0.1:1/scim right, and is the app up? Nothing is lost: run it again",
    )


@pytest.mark.parametrize(
    ("token", "told"), [("''", "is empty"), ('"one\\ntwo"', "has several lines"), ("'a b'", "no HTTP header can carry")]
)
def test_a_token_that_no_request_can_carry_is_told_by_validate(
    folder: Folder, app: HostileServer, token: str, told: str
) -> None:
    folder.change("secret.yaml", "let-me-in", token)

    result = folder.run("validate")

    expect(result, "auth.bearer.secretRef: key token of Secret/app: the bearer token", told)
    assert "two" not in result.stderr


@pytest.mark.parametrize(
    ("url", "severity", "told"),
    [
        ("http://8.8.8.8/scim", "error: ", "use https://"),
        ("https://169.254.169.254/scim", "error: ", "never reached"),
        ("http://scim.example.com/", "warning: ", "Use https://"),
    ],
)
def test_an_address_that_would_show_the_token_is_told_by_validate(
    folder: Folder, url: str, severity: str, told: str
) -> None:
    folder.connector("people", url=url)

    code = 1 if severity == "error: " else 0
    expect(
        folder.run("validate"),
        severity,
        "people.yaml: ProvisioningConnector/people spec.target.scim.url",
        told,
        code=code,
    )


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_http_to_a_public_address_is_refused_before_anything_is_sent(folder: Folder, command: str) -> None:
    folder.connector("people", url="http://8.8.8.8/scim")

    expect(folder.run(command), "spec.target.scim.url", "http:// would show our token to everybody: use https://")


def test_a_web_page_with_status_200_is_no_app(folder: Folder, app: HostileServer) -> None:
    app.faults.add(when(lambda _: True, Fault(FaultKind.HTML_200)))

    expect(folder.sync(), "ProvisioningConnector/people spec.target.scim.url", "check the URL")
    app.faults.heal()
    assert folder.sync().exit_code == 0


@contextmanager
def serving_tls(authority: trustme.CA, name: str) -> Iterator[int]:
    """A port behind which TLS is spoken under this name, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
                    wrapped.recv(1)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_the_certificate_of_another_host_is_told_as_that(folder: Folder) -> None:
    authority = trustme.CA()
    pem = authority.cert_pem.bytes().decode()
    ca = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca"}, "data": {"ca.crt": pem}}
    folder.write("ca.json", json.dumps(ca))
    with serving_tls(authority, "elsewhere.example.com") as port:
        tls = "tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}, "
        folder.connector("people", url=f"https://127.0.0.1:{port}/scim", change=("scim: {", "scim: {" + tls))
        assert folder.run("validate").exit_code == 0
        result = folder.sync()

    expect(result, "ProvisioningConnector/people spec.target.scim.url", "the certificate is for another host")
    assert ".;" not in result.stderr


def test_a_ca_that_is_no_certificate_is_told_without_asking_anybody(folder: Folder, app: HostileServer) -> None:
    folder.connector("people", change=("scim: {", "scim: {tls: {caRef: {kind: Secret, name: app, key: token}}, "))

    for command in ("validate", "sync"):
        expect(folder.run(command), "ProvisioningConnector/people spec.target.scim.tls.caRef", "no PEM")
    assert app.requests.total() == 0


@pytest.mark.parametrize("url", ["http://169.254.169.254/scim", "http://metadata.invalid/scim"])
def test_an_address_that_is_never_reached_is_told(folder: Folder, url: str) -> None:
    folder.connector("people", url=url)

    expect(folder.sync(), "ProvisioningConnector/people spec.target.scim.url")


def test_a_ragged_row_is_told_with_its_line(folder: Folder, app: HostileServer) -> None:
    folder.people(NAMES, more=["id-x,x@example.com"])

    expect(folder.sync(), "IdentitySource/directory spec.csv.file: line 5")
    assert app.writes == 0


def test_several_mistakes_are_all_told_and_a_sound_connector_goes_on(folder: Folder, app: HostileServer) -> None:
    folder.connector("broken", change=("include: All", "include: None"))
    folder.connector("lost", change=("name: directory", "name: nowhere"))
    folder.write("more.yaml", "- 1")

    result = folder.sync()

    expect(result, "broken.yaml", "lost.yaml", "more.yaml")
    assert len(app.app.accounts) == 3


def test_a_folder_without_manifests_is_an_error(folder: Folder) -> None:
    for file in folder.path.glob("*.yaml"):
        file.unlink()

    expect(folder.sync(), "no *.yaml, *.yml or *.json in it")


def test_a_folder_without_a_connector_is_wrong_usage(folder: Folder) -> None:
    (folder.path / "people.yaml").unlink()

    expect(folder.sync(), "no ProvisioningConnector", code=2)
