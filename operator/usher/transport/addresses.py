"""Which addresses a connection may go to. What is checked is the address connected to, so no name gets around it.

Three circles. Never, for nobody, in no embedded form: metadata services, link-local, unspecified, multicast and
reserved addresses. By permission: loopback, private and other special ranges, and every use of http:// or
ldap://. Always: public addresses over https:// or ldaps://.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from usher.core.errors import CycleError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_NEVER: Final = _networks(
    "0.0.0.0/8",  # unspecified, "this network"
    "169.254.0.0/16",  # link-local, and the metadata service of most clouds
    "100.100.100.200/32",  # metadata: Alibaba Cloud
    "168.63.129.16/32",  # platform services: Azure
    "192.0.0.192/32",  # metadata: Oracle Cloud
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
    "::/128",  # unspecified
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local, deprecated
    "ff00::/8",  # multicast
    "fd00:ec2::254/128",  # metadata: AWS
    "fd20:ce::254/128",  # metadata: Google Cloud
    "fd00:42::42/128",  # metadata: Scaleway
)
_NOT_PUBLIC: Final = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_TRANSLATED_LOCALLY: Final = IPv6Network("64:ff9b:1::/48")
_ISATAP: Final = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")
_OWN_NETWORKS: Final = _networks("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


_UNENCRYPTED: Final = {
    "http": "http:// would show our token to everybody: use https://",
    "ldap": "ldap:// would show our password to everybody: use ldaps://, or set startTLS: true",
}


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What may be reached besides public addresses over https://.

    `networks` and `hosts` are permitted with any scheme; `way_out` tells the user how to permit more, empty where
    nothing does.
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = field(default=frozenset())
    way_out: str = ""

    def check(self, address: str, *, host: str, scheme: str) -> None:
        """Raises CycleError unless a connection for this host and scheme may go to this address."""
        parsed = ip_address(address.partition("%")[0])
        if any(_within(form, _NEVER) for form in _forms(parsed)):
            raise _refusal(
                host, "an address that is never reached (metadata, link-local, unspecified, multicast, reserved)"
            )
        meant = _meant(parsed)
        if host.lower().rstrip(".") in self.hosts or _within(parsed, self.networks) or _within(meant, self.networks):
            return
        if not _is_public(meant):
            raise _refusal(host, f"a loopback, private or special address: {self.way_out or 'use another one'}")
        if scheme in _UNENCRYPTED:
            more = f", or {self.way_out}" if self.way_out else ""
            raise _refusal(host, f"a public address, and {_UNENCRYPTED[scheme]}{more}")


def operator_policy(allow_cidrs: Iterable[str], allow_hosts: Iterable[str]) -> AddressPolicy:
    """Public addresses, and what the cluster's administrator permits. Raises ValueError for what is no network."""
    return AddressPolicy(
        networks=tuple(ip_network(cidr) for cidr in allow_cidrs),
        hosts=frozenset(host.lower().rstrip(".") for host in allow_hosts),
        way_out="the operator's --allow-cidr or --allow-host permits it (chart: egress.allow)",
    )


def cli_policy() -> AddressPolicy:
    """Public addresses over https://; the user's own loopback and private networks over http:// too."""
    return AddressPolicy(networks=_OWN_NETWORKS)


def _refusal(host: str, what: str) -> CycleError:
    return CycleError(f"{host} resolves to {what}", reason="TargetUnreachable")


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not _within(address, _NOT_PUBLIC)


def _meant(address: Address) -> Address:
    """The IPv4 address that a mapped or translated IPv6 address stands for, otherwise the address itself."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _TRANSLATED):
        return _tail(address)
    return address


def _forms(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address that can be embedded in it (RFC 4291, 6052, 3056, 4380, 5214)."""
    yield address
    if isinstance(address, IPv4Address):
        return
    packed = address.packed
    if address in _MAPPED or address in _TRANSLATED or address in _TRANSLATED_LOCALLY or packed[8:12] in _ISATAP:
        yield _tail(address)
    if address in _COMPATIBLE and address.packed[12:] not in (b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"):
        yield _tail(address)
    if address in _TRANSLATED_LOCALLY:
        yield IPv4Address(packed[6:8] + packed[9:11])
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _tail(address: IPv6Address) -> IPv4Address:
    return IPv4Address(address.packed[12:])
