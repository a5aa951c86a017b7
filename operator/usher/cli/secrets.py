"""Secrets, ConfigMaps and files without a cluster."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from usher.cli.manifests import Manifests
from usher.contracts.runtime import SecretRef
from usher.core.errors import CycleError

FILE: Final = "File"
MAX_FILE: Final = 64 * 1024 * 1024
"""One byte more is read, so that the source itself says that it is too much."""


@dataclass(frozen=True, slots=True)
class FileSecrets:
    """What objects of one namespace may read; files are relative to the folder of the manifest that names them."""

    manifests: Manifests
    namespace: str
    folder: Path

    async def read(self, ref: SecretRef) -> bytes:
        """The bytes. Raises CycleError (SecretNotFound, ConfigMapNotFound, KeyNotFound, FileNotFound)."""
        if ref.kind == FILE:
            return await asyncio.to_thread(_read_file, self.folder / ref.name)
        problem = self.problem_with(ref)
        if problem is not None:
            raise problem
        return self.manifests.data[ref.kind, f"{self.namespace}/{ref.name}"].values[ref.key]

    def problem_with(self, ref: SecretRef) -> CycleError | None:
        """Why this reference would fail, None where it would not. Only names are told, never a value."""
        if ref.kind == FILE:
            return _problem_with_file(self.folder / ref.name)
        identity = (ref.kind, f"{self.namespace}/{ref.name}")
        subject = f"{ref.kind}/{ref.name}"
        if identity in self.manifests.broken:
            return CycleError(f"{subject} can't be used: it has errors", reason=f"{ref.kind}NotFound")
        found = self.manifests.data.get(identity)
        if found is None:
            message = f"there is no {subject} in namespace {self.namespace} among the manifests: add it"
            return CycleError(message, reason=f"{ref.kind}NotFound")
        if ref.key not in found.values:
            known = ", ".join(sorted(found.values)) or "none"
            return CycleError(f"{subject} has no key {ref.key}; it has: {known}", reason="KeyNotFound")
        return None


def _problem_with_file(path: Path) -> CycleError | None:
    if path.is_file():
        return None
    why = "it is no file" if path.exists() else "it does not exist"
    return CycleError(f"the file {path} can't be read: {why}", reason="FileNotFound")


def _read_file(path: Path) -> bytes:
    problem = _problem_with_file(path)
    if problem is not None:
        raise problem
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_FILE + 1)
    except OSError as error:
        raise CycleError(f"the file {path} can't be read: {error.strerror}", reason="FileNotFound") from error
