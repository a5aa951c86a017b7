"""The keys that open the key of a state: files of a folder, as a Secret is mounted."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag

from usher.state.ciphers import decrypt, encrypt
from usher.state.unfit import UnfitError

_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Keyring:
    """`keys` by their own digest, which says nothing of them; `newest` is the digest of the one that wraps."""

    keys: Mapping[str, bytes]
    newest: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Every file whose name does not begin with a dot is a key: 32 bytes in base64. The last by name is the newest.

        Raises UnfitError for a folder without keys, and for a file that is none; OSError where it can't be read.
        """
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        if not names:
            raise UnfitError(f"the folder {folder} holds no key: make one with openssl rand -base64 32")
        keys = {_name(key): key for key in (_read(folder / name) for name in names)}
        return cls(keys, _name(_read(folder / names[-1])))

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        """The key of a state under the newest key, with the digest of that one."""
        return self.newest, encrypt(self.keys[self.newest], key)

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Raises UnfitError where the key with that digest is not among these."""
        key = self.keys.get(name)
        if key is None:
            raise UnfitError(f"it is encrypted, and none of the {len(self.keys)} keys that were given opens it")
        try:
            return decrypt(key, wrapped)
        except (InvalidTag, ValueError) as error:
            raise UnfitError("it is encrypted, and its own key was changed: put a copy in its place") from error


def _name(key: bytes) -> str:
    return blake2b(key, digest_size=8, person=b"usher-key").hexdigest()


def _read(path: Path) -> bytes:
    try:
        key = b64decode(path.read_bytes().strip(), validate=True)
    except Base64Error:
        key = b""
    if len(key) != _SIZE:
        raise UnfitError(f"the file {path} is no key: it has to hold {_SIZE} bytes in base64 (openssl rand -base64 32)")
    return key
