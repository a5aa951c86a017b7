"""TLS towards an end: verified, 1.2 or newer, trusting public authorities or just the given ones."""

from __future__ import annotations

import ssl
from functools import cache

import certifi

from usher.core.errors import SpecError


def client_context(ca_pem: bytes | None, path: str) -> ssl.SSLContext:
    """Raises SpecError, at the YAML path of the reference, for an authority that is no certificate."""
    try:
        return _public() if ca_pem is None else _at_least_1_2(_trusting(ca_pem.decode("ascii")))
    except (ssl.SSLError, ValueError) as error:
        raise SpecError("the CA certificate is no PEM text with at least one certificate", path=path) from error


@cache
def _public() -> ssl.SSLContext:
    """The same authorities everywhere, whatever the machine trusts besides.

    Loading them takes 50 milliseconds, in which the event loop would stand still each time.
    """
    return _at_least_1_2(ssl.create_default_context(cafile=certifi.where()))


def _trusting(pem: str) -> ssl.SSLContext:
    """Trusts what the text holds and nothing else; the standard library takes an empty text for "the usual ones"."""
    if "-----BEGIN" not in pem:
        raise ValueError("no certificate")
    return ssl.create_default_context(cadata=pem)


def _at_least_1_2(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
