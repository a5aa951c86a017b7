"""Many small things in little memory: what a hundred thousand people need between two passes over them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeAlias, TypeVar

import orjson

ItemT = TypeVar("ItemT")

CHUNK: Final = 256
"""People who are looked at, planned or announced in one go: a few milliseconds of the event loop."""
_FASTEST: Final = 1

Plain: TypeAlias = Any
"""What JSON can hold."""


class Stowed(Generic[ItemT]):
    """Items in the order in which they came, most of them as compressed JSON of a chunk: some 40 bytes a person.

    As objects they are ten times as large. They can be gone through as often as somebody likes, and not be looked up.
    """

    def __init__(self, pack: Callable[[ItemT], Plain], unpack: Callable[[Plain], ItemT]) -> None:
        self._pack = pack
        self._unpack = unpack
        self._packed: list[bytes] = []
        self._open: list[Plain] = []

    def append(self, item: ItemT) -> None:
        """One more."""
        self._open.append(self._pack(item))
        if len(self._open) == CHUNK:
            self._packed.append(zlib.compress(orjson.dumps(self._open), _FASTEST))
            self._open = []

    def __len__(self) -> int:
        return len(self._packed) * CHUNK + len(self._open)

    def __iter__(self) -> Iterator[ItemT]:
        for chunk in self.chunks():
            yield from chunk

    def chunks(self) -> Iterator[list[ItemT]]:
        """All of them, in lists of at most CHUNK."""
        for packed in self._packed:
            yield list(map(self._unpack, orjson.loads(zlib.decompress(packed))))
        if self._open:
            yield list(map(self._unpack, self._open))
