"""What is wrong with a certificate that is not trusted, and the way out of just that."""

from __future__ import annotations

from enum import Enum
from typing import Final

from usher.core.errors import CycleError, scrub

# The numbers of X509_V_ERR_* of OpenSSL, which Python hands through as `verify_code`.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_HOST: Final = frozenset({62, 64})  # a name that does not match, an IP address that does not match


class Authority(Enum):
    """Who has to have signed: a public authority, or the one that the spec names."""

    PUBLIC = "public"
    GIVEN = "given"


def unverified(host: str, error: Exception, authority: Authority, field: str) -> CycleError:
    """The error of a connection to this host that was given up because of its certificate.

    `field` is where the spec names an authority (`tls.caRef`).
    """
    problem = _problem(error, authority, field)
    message = f"certificate verification failed for {host}: {problem}"
    return CycleError(message, reason="TargetUnreachable")


def _problem(error: Exception, authority: Authority, field: str) -> str:
    code = getattr(error, "verify_code", None)
    if code in _OTHER_HOST:
        return f"the certificate is for another host. Use a name that is in it; {field} changes nothing about that"
    if code == _EXPIRED:
        return f"the certificate has expired: the server needs a new one; {field} changes nothing about that"
    if code == _NOT_YET_VALID:
        return f"the certificate is not valid yet: compare the clocks; {field} changes nothing about that"
    why = scrub(str(getattr(error, "verify_message", ""))).rstrip(".") or "it is not trusted"
    if authority is Authority.GIVEN:
        return f"{why}. The authority in {field} did not sign it: name the one that did"
    return f"{why}. If an authority of your own signed it, name that in {field}"
