"""Who is at the other end, where proxies stand in between."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sockspec.runtime.handshake import Values
from sockspec.runtime.security.cleartext import internet_address


class TrustedProxies:
    """Proxies whose word is taken for who connects."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Addresses and networks. Raises ValueError for what is neither."""
        self._networks = tuple(ipaddress.ip_network(text, strict=False) for text in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, host: str, headers: Values) -> str:
        """The client's address: from the right of `X-Forwarded-For`, the first that no trusted proxy has.

        What stands further left is whatever the client wrote there, and so is what is left of an entry that is no address.
        """
        chain = [part.strip() for line in headers.all("x-forwarded-for") for part in line.split(",")]
        address = internet_address(host)
        if address is None:
            return host
        while chain and any(address in network for network in self._networks):
            entry = internet_address(_host(chain.pop()))
            if entry is None:
                break
            address = entry
        return str(address)


def _host(text: str) -> str:
    """The address in an entry, which can have a port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
