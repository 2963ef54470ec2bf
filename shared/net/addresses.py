"""Whether an IP address is public: `ipaddress.is_global` alone accepts several addresses that lead inside."""

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST_V6: Final = ipaddress.ip_network("2000::/3")
"""Global unicast, the only IPv6 space in which public hosts have addresses: RFC 4291, 2.4."""

_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # a cloud's platform address, registered as public
        "192.0.0.0/24",  # protocol assignments, RFC 6890; Python releases disagree about parts of it
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "100.64.0.0/10",  # shared address space, RFC 6598
        "2001::/23",  # protocol assignments, RFC 2928, Teredo among them
        "2001:db8::/32",
        "3fff::/20",  # documentation, RFC 9637
    )
)
_SIX_TO_FOUR: Final = ipaddress.ip_network("2002::/16")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)
"""Upper half of an interface identifier that ends in an IPv4 address: RFC 5214, 6.1."""


def is_public(text: str) -> bool:
    """Return whether an address, in the form that a resolver returns, belongs to the public internet.

    IPv6 addresses that embed an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) are not public, even
    if the embedded address is: a public host has an IPv6 address of its own. Most of them lie outside `2000::/3`.
    """
    address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in _UNICAST_V6 or address in _SIX_TO_FOUR or int(address) >> 32 & 0xFFFFFFFF in _ISATAP
    ):
        return False
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
