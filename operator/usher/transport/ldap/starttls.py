"""StartTLS (RFC 4511 4.14, RFC 4513 3.1): one question and one answer, before libldap says its first word."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error, SubstrateUnderrunError
from pyasn1_modules import rfc2251

from usher.core.errors import CycleError

OID: Final = "1.3.6.1.4.1.1466.20037"
MAX_ANSWER: Final = 4_096
TIMEOUT: Final = 10.0
_NUMBER: Final = 1


def starttls_request() -> bytes:
    """The extended request that asks for TLS on this connection."""
    message: Any = rfc2251.LDAPMessage()
    message["messageID"] = _NUMBER
    message["protocolOp"]["extendedReq"]["requestName"] = OID
    request: bytes = encoder.encode(message)
    return request


def read_starttls_answer(data: bytes) -> bool | None:
    """Whether the directory agrees; None while the answer is not whole.

    Raises ValueError for what is no answer, or is followed by more: bytes that came before the encryption began would
    be taken for the directory's own.
    """
    try:
        message, rest = decoder.decode(data, asn1Spec=rfc2251.LDAPMessage())
    except SubstrateUnderrunError:
        return None
    except PyAsn1Error as error:
        raise ValueError("the answer is no LDAP") from error
    if rest or message["messageID"] != _NUMBER or message["protocolOp"].getName() != "extendedResp":
        raise ValueError("the answer is none to StartTLS")
    return int(message["protocolOp"]["extendedResp"]["resultCode"]) == 0


async def start_tls(opened: socket.socket, host: str) -> None:
    """Agrees with the directory that TLS begins now; closes the socket where that fails.

    Raises CycleError where the directory does not agree, or does not answer.
    """
    try:
        async with asyncio.timeout(TIMEOUT):
            await _agree(opened, host)
    except (OSError, TimeoutError) as error:
        opened.close()
        raise _refused(host, "it gives no answer to StartTLS") from error
    except BaseException:
        opened.close()
        raise


async def _agree(opened: socket.socket, host: str) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(opened, starttls_request())
    answer = b""
    agreed: bool | None = None
    while agreed is None:
        data = await loop.sock_recv(opened, MAX_ANSWER)
        answer += data
        try:
            agreed = read_starttls_answer(answer)
        except ValueError as error:
            raise _refused(host, str(error)) from error
        if agreed is None and (not data or len(answer) > MAX_ANSWER):
            raise _refused(host, "it gives no answer to StartTLS")
    if not agreed:
        raise _refused(host, "it refuses StartTLS. Use ldaps://, if it offers that, or have TLS enabled")


def _refused(host: str, why: str) -> CycleError:
    return CycleError(f"no encrypted connection to {host}: {why}", reason="TargetUnreachable")
