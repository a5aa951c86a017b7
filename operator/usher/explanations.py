"""What failed as a whole, told with the object, the field, what the field names, and the way out.

The command line and the operator say it in the same words; only who tries again differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.identity_sources import IdentitySourceSpec
from usher.api.v1alpha1.references import CaRef, ConfigMapKeyRef, SecretKeyRef
from usher.api.v1alpha1.sources.csv import CsvSource
from usher.api.v1alpha1.sources.ldap import LdapSource
from usher.core.errors import OF_THE_STATE, ReadShrunk, SpecError, UsherError

_TARGET: Final = "spec.target.scim"
_URL: Final = f"{_TARGET}.url"
_TOKEN: Final = f"{_TARGET}.auth.bearer.secretRef"
_CA: Final = f"{_TARGET}.tls.caRef"
_FIELDS: Final[Mapping[str, str]] = {
    "CredentialsRejected": _TOKEN,
    "SecretNotFound": _TOKEN,
    "KeyNotFound": _TOKEN,
    "ConfigMapNotFound": _CA,
    "SourceUnreachable": "spec.sourceRef",
}
"""By reason; whatever else goes wrong in a cycle has to do with the address, but for _NO_FIELD."""
_NO_FIELD: Final = OF_THE_STATE | {"InvalidSpec", "AccessDenied", "ClusterUnreachable", "InternalError"}
"""Reasons for which no field of the spec can be blamed."""
_OF_A_PASSWORD: Final = frozenset({"CredentialsRejected", "SecretNotFound", "KeyNotFound"})
_LOCATED: Final = re.compile(r"(?P<subject>[A-Z][A-Za-z]+/\S+ )?spec[.\[:]")
"""A message that begins with the field, or with object and field, says where it belongs by itself."""
_MAPPING: Final = re.compile(r"\bAttributeMapping/(?P<name>[-.a-z0-9]+)")
_OWN_FIELD: Final = re.compile(r"(?P<subject>ProvisioningConnector/\S+) (?P<path>spec\S*): (?P<problem>.*)", re.DOTALL)
"""A message that begins with a field of the connector itself."""
_KNOWN_CAUSES: Final = ("certificate", " resolves to ", " to come back at ")
"""A target that is not reached for one of these is up, and the message has the way out."""


class Again(StrEnum):
    """Who tries a cycle again."""

    BY_HAND = "run it again"
    BY_ITSELF = "it is tried again by itself"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`subject` is `Kind/name`, `path` the YAML path in it, `names` what that field names (`Secret app, key token`).

    Path and names are empty where no field can be blamed. As a text, for a condition or an event, it is one sentence;
    what the message says by itself is not said twice.
    """

    subject: str
    path: str
    names: str
    message: str

    def __str__(self) -> str:
        located = _LOCATED.match(self.message)
        if located is not None:
            return self.message if located["subject"] else f"{self.subject} {self.message}"
        names = f"({self.names})" if self.names else ""
        return f"{' '.join(part for part in (self.subject, self.path, names) if part)}: {self.message}"


def explain_cycle(name: str, spec: ProvisioningConnectorSpec, error: UsherError, again: Again) -> Explanation:
    """Why a cycle of this connector could not run, or stopped."""
    subject, reason = f"ProvisioningConnector/{name}", error.reason
    if isinstance(error, SpecError) and error.path:
        path = error.path if error.path.startswith("spec") else f"{_TARGET}.{error.path}"
        return Explanation(error.subject or subject, path, _named_by(spec, path), error.problem)
    if (own := _OWN_FIELD.match(error.message)) is not None and own["subject"] == subject:
        return Explanation(subject, own["path"], "", own["problem"])
    path = "" if reason in _NO_FIELD else _FIELDS.get(reason, _URL)
    path = _mapping_blamed(spec, error.message) if reason == "MappingInvalid" else path
    message = f"{error.message.rstrip('.')}{_way_out(spec, reason, error.message, again)}"
    return Explanation(subject, path, _named_by(spec, path), message)


def _mapping_blamed(spec: ProvisioningConnectorSpec, message: str) -> str:
    """The place of the mapping that the message names first; without one, all of them."""
    found = _MAPPING.search(message)
    names = [ref.name for ref in spec.mappings]
    blamed = names.index(found["name"]) if found is not None and found["name"] in names else None
    if blamed is None:
        return "spec.mappings[0]" if len(names) == 1 else "spec.mappings"
    return f"spec.mappings[{blamed}]"


def _way_out(spec: ProvisioningConnectorSpec, reason: str, message: str, again: Again) -> str:
    if reason == "CredentialsRejected":
        ref = spec.target.scim.auth.bearer.secret_ref
        return f". Put a token that the app takes into key {ref.key} of Secret/{ref.name}"
    unreached = reason in ("TargetUnreachable", "TooManyRequests")
    if unreached and not any(cause in message for cause in _KNOWN_CAUSES):
        return f". Is {spec.target.scim.url} right, and is the app up? Nothing is lost: {again.value}"
    return ""


def explain_read(name: str, spec: IdentitySourceSpec, error: UsherError) -> Explanation:
    """Why a source could not be read, or its read is not believed."""
    subject = f"IdentitySource/{name}"
    if isinstance(error, ReadShrunk):
        return Explanation(subject, "spec.minRetained", "", error.message)
    if isinstance(error, SpecError) and error.path:
        kind = "csv" if spec.ldap is None else "ldap"
        path = error.path if error.path.startswith("spec") else f"spec.{kind}.{error.path}"
        return Explanation(subject, path, "", error.problem)
    if error.reason in _NO_FIELD:
        return Explanation(subject, "", "", error.message)
    if spec.ldap is not None:
        return _explain_directory(subject, spec.ldap, error)
    if _LOCATED.match(error.message):  # of the other document
        return Explanation(subject, "", "", error.message)
    return Explanation(subject, *_document_of(spec.csv), error.message)


def _explain_directory(subject: str, ldap: LdapSource, error: UsherError) -> Explanation:
    if error.reason == "ConfigMapNotFound" and ldap.ca_ref is not None:
        return Explanation(subject, "spec.ldap.caRef", _named(ldap.ca_ref), error.message)
    if error.reason in _OF_A_PASSWORD:
        return Explanation(subject, "spec.ldap.secretRef", _named(ldap.secret_ref), error.message)
    return Explanation(subject, "spec.ldap.url", "", error.message)


def _document_of(csv: CsvSource | None) -> tuple[str, str]:
    """The field that says where the document is, and what it names."""
    match None if csv is None else csv.document:
        case ConfigMapKeyRef() as reference:
            return "spec.csv.configMapRef", _named(reference)
        case SecretKeyRef() as reference:
            return "spec.csv.secretRef", _named(reference)
        case str():
            return "spec.csv.file", ""
        case None:
            return "spec.csv", ""


def _named_by(spec: ProvisioningConnectorSpec, path: str) -> str:
    scim = spec.target.scim
    if path == _TOKEN:
        return _named(scim.auth.bearer.secret_ref)
    if path == _CA and scim.tls is not None:
        return _named(scim.tls.ca_ref)
    return ""


def _named(ref: SecretKeyRef | ConfigMapKeyRef | CaRef) -> str:
    match ref:
        case CaRef():
            kind: str = ref.kind
        case ConfigMapKeyRef():
            kind = "ConfigMap"
        case SecretKeyRef():
            kind = "Secret"
    return f"{kind} {ref.name}, key {ref.key}"
