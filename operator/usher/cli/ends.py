"""What can be known of the way to an app before anybody goes it: its token, and its address as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.cli.findings import Finding, Severity
from usher.cli.manifests import Manifests, Placed
from usher.cli.references import secrets_for
from usher.contracts.runtime import SecretRef, SecretText
from usher.core.errors import CycleError, SpecError
from usher.transport.addresses import cli_policy
from usher.transport.auth import bearer_header
from usher.transport.urls import BaseUrl, parse_base_url


async def token_findings(manifests: Manifests, connector: Placed[ProvisioningConnector]) -> list[Finding]:
    """A token among the files that no request can carry. One that is missing is not told here."""
    key = connector.object.spec.target.scim.auth.bearer.secret_ref
    ref = SecretRef("Secret", key.name, key.key)
    secrets = secrets_for(manifests, connector)
    if secrets.problem_with(ref) is not None:
        return []
    try:
        bearer_header(SecretText((await secrets.read(ref)).decode("utf-8", errors="replace")))
    except CycleError as error:
        message = f"key {key.key} of Secret/{key.name}: {error.message}"
        return [_error(connector, "auth.bearer.secretRef", message)]
    return []


def address_findings(connector: Placed[ProvisioningConnector]) -> Iterator[Finding]:
    """An address that is never reached, and http:// where nobody can say yet whether it leads to the own network."""
    try:
        url = parse_base_url(connector.object.spec.target.scim.url)
    except SpecError:
        return  # told when the way is opened
    if _is_literal(url):
        try:
            cli_policy().check(url.host, host=url.host, scheme=url.scheme)
        except CycleError as error:
            yield _error(connector, "url", error.message)
    elif url.scheme != "https" and url.host != "localhost":
        message = (
            f"http:// is for loopback and private addresses: if {url.host} has a public one, nothing is sent there, as "
            "everybody could read the token. Use https://"
        )
        yield replace(_error(connector, "url", message), severity=Severity.WARNING)


def _is_literal(url: BaseUrl) -> bool:
    try:
        ip_address(url.host)
    except ValueError:
        return False
    return True


def _error(connector: Placed[ProvisioningConnector], path: str, message: str) -> Finding:
    subject = f"ProvisioningConnector/{connector.object.metadata.name}"
    return Finding.error(message, file=str(connector.file), subject=subject, path=f"spec.target.scim.{path}")
