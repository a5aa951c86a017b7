"""What failed as a whole, told with the object, the field and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from usher.api.v1alpha1.kinds import IdentitySource
from usher.cli.findings import Finding, told
from usher.cli.manifests import Placed
from usher.cli.references import data_references
from usher.cli.tasks import Task
from usher.core.errors import ReadShrunk, UsherError

_TARGET: Final = "spec.target.scim"
_TOKEN: Final = f"{_TARGET}.auth.bearer.secretRef"
_FIELDS: Final[Mapping[str, str]] = {
    "CredentialsRejected": _TOKEN,
    "SecretNotFound": _TOKEN,
    "KeyNotFound": _TOKEN,
    "ConfigMapNotFound": f"{_TARGET}.tls.caRef",
    "MappingInvalid": "spec.mappings[0]",
    "SourceUnreachable": "spec.sourceRef",
    "InvalidSpec": "spec",
}
"""By reason; whatever else goes wrong in a cycle has to do with the address."""


def cycle_failure(task: Task, reason: str, message: str) -> Finding:
    """Why a cycle could not run, or stopped."""
    connector = task.connector.object
    path = _FIELDS.get(reason, f"{_TARGET}.url")
    return Finding.error(
        f"{message.rstrip('.')}{_way_out(task, reason, message)}",
        file=str(task.connector.file),
        subject=f"ProvisioningConnector/{connector.metadata.name}",
        path="" if path == "spec" else path,
    )


def _way_out(task: Task, reason: str, message: str) -> str:
    scim = task.connector.object.spec.target.scim
    if reason == "CredentialsRejected":
        ref = scim.auth.bearer.secret_ref
        return f". Put a token that the app takes into key {ref.key} of Secret/{ref.name}"
    if reason in ("TargetUnreachable", "TooManyRequests") and "caRef" not in message:
        return f". Is {scim.url} right, and is the app up? Nothing is lost: run it again"
    return ""


def source_failure(source: Placed[IdentitySource], error: UsherError) -> Finding:
    """Why a source could not be read, or its read is not believed."""
    if isinstance(error, ReadShrunk):
        path = "spec.minRetained"
    else:
        path = next((place for place, _ in data_references(source.object.spec)), "spec")
    subject = f"IdentitySource/{source.object.metadata.name}"
    return Finding.error(told(error), file=str(source.file), subject=subject, path=path)
