"""What can be known of the way to an app before anybody goes it: its token, and its address as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from usher.api.v1alpha1.kinds import IdentitySource, ProvisioningConnector
from usher.cli.findings import Finding
from usher.cli.manifests import Manifests, Placed
from usher.cli.references import secrets_for
from usher.contracts.runtime import SecretRef, SecretText
from usher.core.errors import CycleError, SpecError
from usher.transport.addresses import cli_policy
from usher.transport.auth import bearer_header
from usher.transport.urls import parse_base_url, parse_directory_url


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
    advice = (
        f"http:// is for loopback and private addresses: if {url.host} has a public one, nothing is sent there, as "
    )
    advice += "everybody could read the token. Use https://"
    for problem in _problems(url.host, url.scheme, "" if url.scheme == "https" else advice):
        yield replace(_error(connector, "url", problem.message), severity=problem.severity)


def source_address_findings(source: Placed[IdentitySource]) -> Iterator[Finding]:
    """The same for a directory, and an address that can't be read: no check opens the way to one."""
    ldap, subject = source.object.spec.ldap, f"IdentitySource/{source.object.metadata.name}"
    if ldap is None:
        return
    place = Finding.error("", file=str(source.file), subject=subject, path="spec.ldap.url")
    try:
        url = parse_directory_url(ldap.url)
    except SpecError as error:
        yield replace(place, message=error.problem)
        return
    encrypted = ldap.start_tls or url.scheme == "ldaps"
    advice = (
        f"ldap:// is for loopback and private addresses: if {url.host} has a public one, nothing is sent there, as "
    )
    advice += "everybody could read the password. Use ldaps://, or set startTLS: true"
    for problem in _problems(url.host, "ldaps" if encrypted else "ldap", "" if encrypted else advice):
        yield replace(place, message=problem.message, severity=problem.severity)


def _problems(host: str, scheme: str, advice: str) -> Iterator[Finding]:
    """`advice` is for a scheme that is not encrypted, empty for another one."""
    if _is_literal(host):
        try:
            cli_policy().check(host, host=host, scheme=scheme)
        except CycleError as error:
            yield Finding.error(error.message)
    elif advice and host != "localhost":
        yield Finding.warning(advice)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _error(connector: Placed[ProvisioningConnector], path: str, message: str) -> Finding:
    subject = f"ProvisioningConnector/{connector.object.metadata.name}"
    return Finding.error(message, file=str(connector.file), subject=subject, path=f"spec.target.scim.{path}")
