"""When a bearer token says that it expires: a hint of what comes. Nothing is verified, and nothing depends on it.

Only tokens of the form of a JWT (RFC 7519) say so. A library would verify, for which one needs the issuer's key; to
read a claim without that is to decode one part.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as NoBase64
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from usher.contracts.runtime import SecretText
from usher.core.model.standing import Credential
from usher.core.sync.expiry import credential_until

_PARTS: Final = 3


def read_expiry(token: SecretText) -> Credential | None:
    """Until when the token is good, by its own word (`exp`, RFC 7519 4.1.4); None where it says nothing."""
    parts = token.reveal().strip().split(".")
    claims = _claims(parts[1]) if len(parts) == _PARTS else {}
    expires = _time(claims.get("exp"))
    return None if expires is None else credential_until(expires, _time(claims.get("iat")))


def _claims(part: str) -> dict[str, Any]:
    try:
        claims = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (NoBase64, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _time(value: Any) -> datetime | None:
    """A NumericDate (RFC 7519 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
