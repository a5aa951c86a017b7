"""Certificates for a server of the tests, from an authority that nobody else trusts."""

from __future__ import annotations

from dataclasses import dataclass

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """A server's certificate and key, and the authority that vouches for it. All PEM."""

    authority: str
    certificate: str
    key: str

    @classmethod
    def issue(cls, *names: str) -> Certificates:
        """By a new authority, for these host names and addresses; `localhost` and 127.0.0.1 when none is given."""
        authority = trustme.CA()
        leaf = authority.issue_cert(*(names or ("localhost", "127.0.0.1")))
        return cls(
            authority=authority.cert_pem.bytes().decode(),
            certificate="".join(pem.bytes().decode() for pem in leaf.cert_chain_pems),
            key=leaf.private_key_pem.bytes().decode(),
        )
