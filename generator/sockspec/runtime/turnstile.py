"""Who may come in: counts of connections, and rates. No I/O; the time is given."""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from typing import Final

from sockspec.runtime.limits import Limits
from sockspec.runtime.problems import REACH_MAXIMUM_CONNECTIONS, TOO_MANY_REQUESTS, Problem

_MOST_ADDRESSES: Final = 10_000
"""How many addresses are remembered; the one that was quiet for longest is forgotten first."""


class Bucket:
    """A token bucket: so many at once, and then so many a second."""

    __slots__ = ("_burst", "_level", "_rate", "_since")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(max(1, burst))
        self._level = self._burst
        self._since = now

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        self._level = min(self._burst, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True

    @property
    def wait(self) -> float:
        """Seconds until there is one again."""
        return max(0.0, (1.0 - self._level) / self._rate) if self._rate > 0 else 3600.0


class Turnstile:
    """Counts who is in, and knows whether one more may come."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._principals: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._arrivals: OrderedDict[str, Bucket] = OrderedDict()
        self.connections = 0
        """How many are in."""
        self.sockets = 0
        """How many are in or are just being told that they cannot come in."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room even for telling somebody that there is no room."""
        ceiling = self._limits.ceiling
        return ceiling is not None and self.sockets >= ceiling

    def arrive(self, address: str, now: float) -> Problem | None:
        """Count a handshake; a problem when there were too many."""
        rate = self._limits.connections_per_second
        if rate is None or not address:
            return None
        bucket = self._arrivals.get(address)
        if bucket is None:
            bucket = self._arrivals[address] = Bucket(rate, self._limits.connection_burst, now)
            if len(self._arrivals) > _MOST_ADDRESSES:
                self._arrivals.popitem(last=False)
        else:
            self._arrivals.move_to_end(address)
        if bucket.take(now):
            return None
        return Problem.of(TOO_MANY_REQUESTS, "too many connections in a short time", retry_after=bucket.wait)

    def enter(self, principal: str, address: str, retry_after: float) -> Problem | None:
        """Let somebody in; a problem when one of the limits is reached. An empty principal or address is not counted."""
        limits = self._limits
        counts = (
            (self.connections, limits.max_connections),
            (self._principals[principal] if principal else 0, limits.max_connections_per_principal),
            (self._addresses[address] if address else 0, limits.max_connections_per_address),
        )
        if any(most is not None and count >= most for count, most in counts):
            return Problem.of(REACH_MAXIMUM_CONNECTIONS, retry_after=retry_after)
        self.connections += 1
        if principal:
            self._principals[principal] += 1
        if address:
            self._addresses[address] += 1
        return None

    def leave(self, principal: str, address: str) -> None:
        """Let somebody out who was let in."""
        self.connections -= 1
        for counter, name in ((self._principals, principal), (self._addresses, address)):
            if name:
                counter[name] -= 1
                if counter[name] <= 0:
                    del counter[name]


def network(host: str) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that one customer has."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
