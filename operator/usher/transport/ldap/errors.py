"""What a result code of a directory means for whoever reads from it (RFC 4511 4.1.9, appendix A.2)."""

from __future__ import annotations

from typing import Final

import ldap

from usher.core.errors import CycleError, IncompleteRead, UsherError, WatermarkExpired, scrub

REFRESH_REQUIRED: Final = 4096
"""e-syncRefreshRequired (RFC 4533 2.3): the cookie is too old."""

_LIMITS: Final = (ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED, ldap.TIMELIMIT_EXCEEDED)
_ENCRYPTION: Final = (ldap.CONFIDENTIALITY_REQUIRED, ldap.STRONG_AUTH_REQUIRED)
_CREDENTIALS: Final = (ldap.INVALID_CREDENTIALS, ldap.INAPPROPRIATE_AUTH, ldap.INSUFFICIENT_ACCESS)
_BASE: Final = (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX)
_AWAY: Final = (
    ldap.SERVER_DOWN,
    ldap.CONNECT_ERROR,
    ldap.BUSY,
    ldap.UNAVAILABLE,
    ldap.UNWILLING_TO_PERFORM,
    ldap.LOCAL_ERROR,
    ldap.DECODING_ERROR,
)
COOKIE_REFUSED: Final = (ldap.UNWILLING_TO_PERFORM, ldap.PROTOCOL_ERROR)
"""How OpenLDAP refuses a cookie that is newer than its own state, or that it can't read."""
CHANGES_REFUSED: Final = (*COOKIE_REFUSED, ldap.UNAVAILABLE_CRITICAL_EXTENSION)
"""How Active Directory, and Samba, refuse one: who has no such control at all says so without a cookie too."""
BASE_NOT_FOUND: Final = "BaseNotFound"
FILTER_INVALID: Final = "FilterInvalid"
CONTROL_UNKNOWN: Final = "ControlUnknown"


def interpret(error: ldap.LDAPError, host: str, unreachable: str) -> UsherError:
    """The error of our tree. `unreachable` is the reason for a directory that can't be asked.

    BaseNotFound, FilterInvalid and ControlUnknown are about the search, not about the directory. The directory's own
    words may name people: they go into `detail`.
    """
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    name = scrub(str(told.get("desc", type(error).__name__)))
    detail = scrub(str(told.get("info", "")))
    if told.get("result") == REFRESH_REQUIRED:
        return WatermarkExpired("the directory asks for a full refresh")
    if isinstance(error, _LIMITS):
        message = (
            f"the directory ended the read at a limit of the account ({name}): what came until then is not everybody. "
            "Raise the account's limits in the directory; where it is the size of a page, lower pageSize"
        )
        return IncompleteRead(message, detail=detail)
    found = _of_the_whole(error, name, host, unreachable)
    if found is None:
        return IncompleteRead(f"the directory ended the read with a result that is no success: {name}", detail=detail)
    message, reason = found
    return CycleError(message, reason=reason, detail=detail)


def _of_the_whole(error: ldap.LDAPError, name: str, host: str, unreachable: str) -> tuple[str, str] | None:
    """Message and reason of what no further question changes."""
    kinds: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
        (
            _ENCRYPTION,
            f"the directory {host} wants an encrypted connection ({name}): use ldaps://, or set startTLS: true",
            unreachable,
        ),
        (
            _CREDENTIALS,
            f"the directory {host} refuses the account ({name}): look at bindDN, and at the password in the Secret",
            "CredentialsRejected",
        ),
        (_BASE, f"the directory has no such entry, or hides it from the account ({name})", BASE_NOT_FOUND),
        (
            (ldap.REFERRAL,),
            f"the directory {host} refers to another one for it ({name}): name that in url",
            BASE_NOT_FOUND,
        ),
        ((ldap.FILTER_ERROR,), "this is no search filter (RFC 4515)", FILTER_INVALID),
        (
            (ldap.UNAVAILABLE_CRITICAL_EXTENSION,),
            f"the directory {host} does not offer this way of reading ({name})",
            CONTROL_UNKNOWN,
        ),
        (_AWAY, f"the directory {host} did not answer whole: {name}", unreachable),
    )
    return next(((message, reason) for types, message, reason in kinds if isinstance(error, types)), None)
