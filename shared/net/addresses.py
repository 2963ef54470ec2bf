"""Which IP addresses are public: `ipaddress.is_global` alone lets several ways inside through."""

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST_V6: Final = ipaddress.ip_network("2000::/3")
"""Global unicast, the only IPv6 space that public hosts have: RFC 4291, 2.4."""

_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # a cloud's platform address, public by registration
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "100.64.0.0/10",  # shared address space, RFC 6598
        "2001:db8::/32",
        "3fff::/20",  # documentation, RFC 9637
    )
)
_NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


def embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """Every IPv4 address that an IPv6 one may be turned into on its way."""
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    found = []
    if address.ipv4_mapped:
        found.append(address.ipv4_mapped)
    if address.sixtofour:
        found.append(address.sixtofour)
    if address.teredo:
        found += address.teredo
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        found.append(low)
    if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        found.append(low)
    return found


def is_public(text: str) -> bool:
    """Whether an address, as a resolver gives it, is one that anybody on the internet has."""
    address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        inside = embedded(address)
        if inside:
            return False  # a public host has an address of its own
        if address not in _UNICAST_V6:
            return False
    if any(address.version == network.version and address in network for network in _NEVER):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
