"""Who is at the other end, where proxies stand in between."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sockspec.runtime.handshake import Values


class TrustedProxies:
    """Proxies whose word is taken for who connects."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Addresses and networks. Raises ValueError for what is neither."""
        self._networks = tuple(ipaddress.ip_network(text, strict=False) for text in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, host: str, headers: Values) -> str:
        """The client's address: from the right of `X-Forwarded-For`, the first that no trusted proxy has.

        What stands further left is whatever the client wrote there.
        """
        chain = [part.strip() for line in headers.all("x-forwarded-for") for part in line.split(",")]
        while chain and self._trusts(host):
            host = _host(chain.pop()) or host
        return host

    def _trusts(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _host(text: str) -> str:
    """The address in an entry, which can have a port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
