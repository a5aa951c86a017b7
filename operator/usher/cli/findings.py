"""What is wrong with the user's files: where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from usher.core.errors import SpecError, UsherError
from usher.core.sync.flaws import Flaw, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `file` is as the user named it, `subject` is `Kind/name`, `path` the YAML path in it."""

    severity: Severity
    message: str
    file: str = ""
    subject: str = ""
    path: str = ""

    @classmethod
    def error(cls, message: str, *, file: str = "", subject: str = "", path: str = "") -> Finding:
        """What keeps a connector from running."""
        return cls(Severity.ERROR, message, file, subject, path)

    @classmethod
    def warning(cls, message: str, *, file: str = "", subject: str = "", path: str = "") -> Finding:
        """What may be intended, or right in a cluster, where more objects are."""
        return cls(Severity.WARNING, message, file, subject, path)

    @property
    def is_error(self) -> bool:
        """Whether it is more than a warning."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        where = " ".join(part for part in (self.subject, self.path) if part)
        return ": ".join(part for part in (self.file, where, self.message) if part)


def findings_of(error: SpecError, file: str, subject: str = "") -> Finding:
    """A mistake in a spec, with the file in which the object stands."""
    return Finding.error(error.problem, file=file, subject=error.subject or subject, path=error.path)


def finding_at(flaw: Flaw, file: str) -> Finding:
    """What is wrong with a line of a mapping, with the file in which the mapping stands."""
    subject, _, path = flaw.place.partition(" ")
    return Finding(flaw.severity, flaw.problem, file, subject, path)


def told(error: UsherError) -> str:
    """The message with its detail: a terminal may name people."""
    return f"{error.message} ({error.detail})" if error.detail and error.detail not in error.message else error.message


def unique(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each once, in order: two connectors on one mapping meet the same mistake."""
    yield from dict.fromkeys(findings)
