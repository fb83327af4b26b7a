"""Where clear text may travel: on this machine, and nowhere else unless somebody says so."""

from __future__ import annotations


class InsecureTransport(ValueError):
    """Tokens or messages would travel in clear text beyond this machine."""


def is_loopback(host: str) -> bool:
    """Whether a host name or an address, as it stands in a URL, means this machine (RFC 6761, section 6.3)."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    import ipaddress  # takes its time, and most programs never need it

    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
