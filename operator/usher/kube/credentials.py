"""A credential that is about to expire, as a condition tells it: by where it is kept, never by what it is."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from usher.api.conditions import Finding
from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.core.model.standing import Credential

EXPIRING: Final = "CredentialExpiring"


def tell_expiry(spec: ProvisioningConnectorSpec, credential: Credential | None, now: datetime) -> Finding | None:
    """What the condition says, None while there is time."""
    if credential is None or now < credential.told_from:
        return None
    ref = spec.target.scim.auth.bearer.secret_ref
    what = f"the bearer token in key {ref.key} of Secret/{ref.name} {credential.describe(now)}"
    return Finding(EXPIRING, f"{what}: put a new one there, the next cycle reads it")
