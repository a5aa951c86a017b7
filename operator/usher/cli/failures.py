"""What failed as a whole, as findings with the file in which the object stands."""

from __future__ import annotations

from usher.api.v1alpha1.kinds import IdentitySource
from usher.cli.findings import Finding, told
from usher.cli.manifests import Placed
from usher.cli.tasks import Task
from usher.core.errors import SpecError, UsherError
from usher.explanations import Again, explain_cycle, explain_read


def cycle_failure(task: Task, reason: str, message: str) -> Finding:
    """Why a cycle could not run, or stopped."""
    connector = task.connector.object
    error = UsherError(message, reason=reason)
    why = explain_cycle(connector.metadata.name, connector.spec, error, Again.BY_HAND)
    return Finding.error(why.message, file=str(task.connector.file), subject=why.subject, path=why.path)


def source_failure(source: Placed[IdentitySource], error: UsherError) -> Finding:
    """Why a source could not be read, or its read is not believed. A terminal may name people."""
    why = explain_read(source.object.metadata.name, source.object.spec, error)
    message = why.message if isinstance(error, SpecError) else told(error)
    return Finding.error(message, file=str(source.file), subject=why.subject, path=why.path)
