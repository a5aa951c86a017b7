"""The cipher of personal values. Imported where there is a key only: it takes its time."""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from usher.state.unfit import UnfitError

KEY: Final = 64
"""Bytes of the key of a state: half seals, half digests."""
_NONCE: Final = 12


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
        self._digests = key[32:]

    def seal(self, value: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise UnfitError("a row can't be decrypted: it was changed, or belongs to another state") from error

    def digest(self, digest: bytes) -> bytes:
        return blake2b(digest, key=self._digests, digest_size=16).digest()
