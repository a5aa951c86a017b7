"""A connection to the address that was checked: for protocols whose library would resolve the name by itself."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Final

from usher.core.errors import CycleError
from usher.transport.addresses import AddressPolicy

CONNECT_TIMEOUT: Final = 10.0
MAX_ADDRESSES: Final = 8
"""Of one name that are tried."""


async def connect(host: str, port: int, scheme: str, policy: AddressPolicy) -> socket.socket:
    """A connected, non-blocking TCP socket. `scheme` says whether what goes over it will be encrypted.

    The addresses of the name are tried in turn, each after the policy has allowed it. Raises CycleError: the name can't
    be resolved, no address answers, or none is permitted.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), CONNECT_TIMEOUT)
    except (OSError, TimeoutError) as error:
        raise _unreachable(host, "the name can't be resolved") from error
    last: CycleError | None = None
    for family, kind, protocol, _, address in found[:MAX_ADDRESSES]:
        try:
            policy.check(str(address[0]), host=host, scheme=scheme)
            return await _open(family, kind, protocol, address)
        except CycleError as error:
            last = error
        except TimeoutError:
            last = _unreachable(host, "connecting took too long")
        except OSError as error:
            last = _unreachable(host, os.strerror(error.errno).lower() if error.errno else "connecting failed")
    raise last or _unreachable(host, "the name has no address")


async def _open(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    try:
        opened.settimeout(0.0)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(opened, address), CONNECT_TIMEOUT)
    except BaseException:
        opened.close()
        raise
    return opened


def _unreachable(host: str, why: str) -> CycleError:
    return CycleError(f"no connection to {host}: {why}", reason="TargetUnreachable")
