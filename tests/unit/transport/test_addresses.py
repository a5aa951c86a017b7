from __future__ import annotations

import pytest

from usher.core.errors import CycleError
from usher.transport.addresses import AddressPolicy, cli_policy, operator_policy

CLOSED = operator_policy((), ())
WIDE_OPEN = operator_policy(("0.0.0.0/0", "::/0"), ("app.example.com",))

NEVER = [
    "0.0.0.0",  # noqa: S104  # a target, not an address that is listened on
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1",
    "2002:6464:64c8::1",
    "2001:0:a9fe:a9fe::",
    "2001:0:101:101:0:0:5601:5601",
    "2001:db8::5efe:a9fe:a9fe",
    "64:ff9b::100.100.100.200",
]
PRIVATE = ["127.0.0.1", "127.1.2.3", "10.0.0.1", "172.31.255.255", "192.168.1.1", "::1", "fd12::1", "::ffff:10.0.0.1"]
SPECIAL = [
    "100.64.0.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.9",
    "2001:db8::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
]
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


def permits(policy: AddressPolicy, address: str, scheme: str = "https", host: str = "app.example.com") -> bool:
    try:
        policy.check(address, host=host, scheme=scheme)
    except CycleError:
        return False
    return True


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("policy", [CLOSED, WIDE_OPEN, cli_policy()])
def test_metadata_and_its_like_are_never_reached_in_any_form_by_anybody(policy: AddressPolicy, address: str) -> None:
    assert not permits(policy, address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_over_https_only(address: str) -> None:
    for policy in (CLOSED, cli_policy()):
        assert permits(policy, address)
        assert not permits(policy, address, "http")


@pytest.mark.parametrize("address", PRIVATE)
def test_private_and_loopback_addresses_are_the_command_lines_alone(address: str) -> None:
    assert not permits(CLOSED, address)
    assert permits(cli_policy(), address)
    assert permits(cli_policy(), address, "http")


@pytest.mark.parametrize("address", SPECIAL)
def test_special_ranges_need_a_permission(address: str) -> None:
    assert not permits(CLOSED, address)
    assert not permits(cli_policy(), address)
    assert permits(WIDE_OPEN, address)


def test_a_permission_holds_for_its_network_or_host_and_covers_http() -> None:
    by_network = operator_policy(("10.1.0.0/16",), ())
    by_host = operator_policy((), ("App.Example.com.",))

    assert permits(by_network, "10.1.2.3", "http")
    assert permits(by_network, "::ffff:10.1.2.3")
    assert not permits(by_network, "10.2.0.1")
    assert permits(by_host, "10.9.9.9", "http")
    assert not permits(by_host, "10.9.9.9", host="other.example.com")


def test_a_refusal_names_the_way_out() -> None:
    with pytest.raises(CycleError, match="--allow-cidr") as caught:
        CLOSED.check("10.0.0.1", host="app", scheme="https")

    assert caught.value.reason == "TargetUnreachable"


def test_the_way_out_of_http_to_a_public_address_is_https_for_everybody() -> None:
    with pytest.raises(CycleError, match=r"use https://$"):
        cli_policy().check("8.8.8.8", host="app", scheme="http")
    with pytest.raises(CycleError, match=r"use https://, or the operator's --allow-cidr"):
        CLOSED.check("8.8.8.8", host="app", scheme="http")


def test_a_network_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        operator_policy(("10.0.0.0/99",), ())
