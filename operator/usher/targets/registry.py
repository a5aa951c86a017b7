"""The kinds of target. A kind is its name in the custom resource, its settings, and how a session is opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from usher.contracts.runtime import Runtime, Secrets
from usher.contracts.target import TargetSession
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.transport.addresses import AddressPolicy

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class TargetType(Generic[Settings]):
    """The static half of a target kind; the session that `open` gives is the live half."""

    name: str
    settings: type[Settings]
    open: Callable[[Settings, Secrets, Runtime, AddressPolicy], AbstractAsyncContextManager[TargetSession]]


SCIM: Final = TargetType("scim", ScimSettings, open_scim)
