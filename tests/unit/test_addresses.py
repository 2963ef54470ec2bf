"""Which addresses are public: single addresses, whole networks, and IPv4 embedded in IPv6."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.net.addresses import is_public

INTERNAL = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "168.63.129.16",
    "192.88.99.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::a9fe:a9fe",
    "::ffff:10.0.0.1",
    "::ffff:0:7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2001:0:1::1",
    "2001:db8::1",
    "3fff::1",
    "fec0::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "2600::5efe:a9fe:a9fe",
    "2600::200:5efe:a9fe:a9fe",
]

NETWORKS = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/8",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
"""https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 twin, with multicast and reserved ones."""

CARRIERS = [
    "::{}",
    "::ffff:{}",
    "::ffff:0:{}",
    "64:ff9b::{}",
    "2600:1f18::5efe:{}",
    "2600:1f18::200:5efe:{}",
]
"""IPv4-compatible, mapped, translated, NAT64, ISATAP (local and global)."""


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:80b::200e"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@given(st.sampled_from(NETWORKS), st.integers(0))
def test_no_address_of_a_special_network_is_public(network: str, number: int) -> None:
    space = ipaddress.ip_network(network)
    assert not is_public(str(space[number % space.num_addresses]))


@given(st.sampled_from(CARRIERS), st.ip_addresses(v=4))
def test_no_address_that_carries_another_is_public(carrier: str, inner: ipaddress.IPv4Address) -> None:
    assert not is_public(carrier.format(inner))


@given(st.ip_addresses(v=4))
def test_6to4_and_teredo_are_not_public(inner: ipaddress.IPv4Address) -> None:
    assert not is_public(str(ipaddress.IPv6Address(0x2002 << 112 | int(inner) << 80)))
    assert not is_public(str(ipaddress.IPv6Address(0x20010000 << 96 | int(inner) ^ 0xFFFFFFFF)))
