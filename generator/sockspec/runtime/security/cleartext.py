"""Where clear text may travel: on this machine, and nowhere else unless somebody says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


class InsecureTransport(ValueError):
    """Tokens or messages would travel in clear text beyond this machine."""


def is_loopback(host: str) -> bool:
    """Whether a host name or an address, as it stands in a URL, means this machine (RFC 6761, section 6.3)."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = internet_address(name)
    return address is not None and address.is_loopback


def internet_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address of a text; None for what is none, such as a Unix socket's.

    One of IPv4 that is written as one of IPv6, as a socket for both has it (RFC 4291, section 2.5.5.2), is the former.
    """
    import ipaddress  # takes its time, and most programs never need it

    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
