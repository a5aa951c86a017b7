"""The cipher of personal values. Imported where there is a key only: it takes its time."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from usher.state.unfit import UnfitError

KEY: Final = 96
"""Bytes of the key of a state: a third seals values, a third ids, a third digests."""
_NONCE: Final = 12
_SAME: Final = bytes(_NONCE)
"""The nonce of every id: in this mode it tells which are equal, and no more (RFC 8452 section 9)."""
_REMEMBERED: Final = 16_384
"""Ids each way: about 8 MB."""
_BROKEN: Final = "a row can't be decrypted: it was changed, or belongs to another state"


def encrypt(key: bytes, value: bytes) -> bytes:
    """Nonce, ciphertext and tag of AES-256-GCM-SIV (RFC 8452): 28 bytes more than the value.

    A state lives for years and has one key; in this mode a nonce that comes twice by chance tells no more than that two
    values are equal.
    """
    nonce = os.urandom(_NONCE)  # not the engine's chance, which a test may foretell
    return nonce + AESGCMSIV(key).encrypt(nonce, value, None)


def decrypt(key: bytes, sealed: bytes) -> bytes:
    """Raises InvalidTag where it is not what was encrypted with this key, ValueError where it is cut short."""
    return AESGCMSIV(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)


class StateVault:
    """Vault with the key of one state."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCMSIV(key[:32])
        self._ids = AESGCMSIV(key[32:64])
        self._digests = key[64:]
        # An id goes by some twenty times in a cycle.
        self.seal_id = lru_cache(_REMEMBERED)(self._seal_id)
        self.open_id = lru_cache(_REMEMBERED)(self._open_id)

    def seal(self, value: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise UnfitError(_BROKEN) from error

    def _seal_id(self, value: str) -> str:
        sealed = self._ids.encrypt(_SAME, value.encode("utf-8", "surrogatepass"), None)
        return urlsafe_b64encode(sealed).decode("ascii")

    def _open_id(self, sealed: str) -> str:
        try:
            opened = self._ids.decrypt(_SAME, urlsafe_b64decode(sealed), None)
        except (InvalidTag, ValueError) as error:
            raise UnfitError(_BROKEN) from error
        return opened.decode("utf-8", "surrogatepass")

    def digest(self, digest: bytes) -> bytes:
        return blake2b(digest, key=self._digests, digest_size=16).digest()
