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
        "192.0.0.0/24",  # protocol assignments, RFC 6890; Python's releases differ on parts of it
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
    """Whether an address, as a resolver gives it, is one that anybody on the internet has.

    IPv6 addresses that carry an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) are not, whatever they
    carry: a public host has an address of its own. What lies outside `2000::/3` is most of them.
    """
    address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in _UNICAST_V6 or address in _SIX_TO_FOUR or int(address) >> 32 & 0xFFFFFFFF in _ISATAP
    ):
        return False
    if any(address.version == network.version and address in network for network in _NEVER):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
