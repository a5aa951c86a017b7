"""The names by which the API is addressed."""

from __future__ import annotations

from typing import Final

GROUP: Final = "provisioning.usher.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

REQUESTED_AT: Final = f"{GROUP}/requestedAt"
"""Annotation: any new value starts a cycle (of a source: a read) now; echoed in `status.lastHandledReconcileAt`."""
APPROVE_PLAN: Final = f"{GROUP}/approve-plan"
"""Annotation of a connector: the hash of the held plan that may be applied."""
DEPROVISION: Final = f"{GROUP}/deprovision"
"""Finalizer of a connector with `deletionPolicy: Deprovision`. kopf takes its own off by itself, never this one."""
APPROVE_READ: Final = f"{GROUP}/approve-read"
"""Annotation of an identity source: the hash of the void read that is to be believed all the same."""
