"""Who may come in: counts of connections, and rates. No I/O; the time is given."""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from sockspec.runtime.limits import COUNTING, Limits
from sockspec.runtime.problems import REACH_MAXIMUM_CONNECTIONS, TOO_MANY_REQUESTS, Problem
from sockspec.runtime.security.cleartext import internet_address

_T = TypeVar("_T")

_MOST_ADDRESSES: Final = 10_000
"""How many addresses are remembered; the one that was quiet for longest is forgotten first."""
_ALL: Final = "all"


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

    def draw(self, amount: int, now: float) -> float:
        """Take several at once: 0 when they were there. Else the seconds until they are, and nothing is taken."""
        self._level = min(self._burst, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level < amount:
            return (amount - self._level) / self._rate
        self._level -= amount
        return 0.0

    @property
    def wait(self) -> float:
        """Seconds until there is one again."""
        return max(0.0, (1.0 - self._level) / self._rate) if self._rate > 0 else 3600.0


class Tally:
    """Counts by name up to a most. An empty name is not counted."""

    __slots__ = ("counts", "most")

    def __init__(self, most: int | None) -> None:
        self.most: Final = most
        self.counts: Counter[str] = Counter()

    def has_room(self, name: str) -> bool:
        """Whether there may be one more."""
        return self.most is None or not name or self.counts[name] < self.most

    def add(self, name: str) -> None:
        """Count one."""
        if name:
            self.counts[name] += 1

    def remove(self, name: str) -> None:
        """Count one less."""
        self.counts[name] -= 1
        if self.counts[name] <= 0:
            del self.counts[name]


class Arrivals:
    """Limits how often each address comes."""

    __slots__ = ("_buckets", "_burst", "_rate")

    def __init__(self, rate: float | None, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def count(self, address: str, now: float) -> float | None:
        """Count one; the seconds to wait when there were too many."""
        if self._rate is None or not address:
            return None
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(self._rate, self._burst, now)
            if len(self._buckets) > _MOST_ADDRESSES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(address)
        return None if bucket.take(now) else bucket.wait


class Turnstile:
    """Counts who is in, and knows whether one more may come: to an endpoint, an API, or all that is served."""

    def __init__(self, limits: Limits, *, shared: Turnstile | None = None, own: Collection[str] = COUNTING) -> None:
        """`own` names the limits that count what comes through here; what the others count, `shared` counts as well."""

        def pick(here: _T, there: Callable[[Turnstile], _T], *names: str) -> _T:
            return here if shared is None or not frozenset(own).isdisjoint(names) else there(shared)

        # Who says how many connections there may be says how many sockets, unless that is said elsewhere.
        ceiling = ("max_sockets",) if limits.max_sockets is not None else ("max_sockets", "max_connections")
        self.places: Final = pick(Tally(limits.ceiling), lambda t: t.places, *ceiling)
        self._connections = pick(Tally(limits.max_connections), lambda t: t._connections, "max_connections")
        self._principals = pick(
            Tally(limits.max_connections_per_principal), lambda t: t._principals, "max_connections_per_principal"
        )
        self._addresses = pick(
            Tally(limits.max_connections_per_address), lambda t: t._addresses, "max_connections_per_address"
        )
        self._arrivals = pick(
            Arrivals(limits.connections_per_second, limits.connection_burst),
            lambda t: t._arrivals,
            *("connections_per_second", "connection_burst"),
        )

    @property
    def connections(self) -> int:
        """How many are in."""
        return self._connections.counts[_ALL]

    @property
    def sockets(self) -> int:
        """How many are in, are coming in, or are just being told that they cannot."""
        return self.places.counts[_ALL]

    def reserve(self) -> bool:
        """Take a place for a handshake. There may be none, not even for telling somebody that there is none."""
        if not self.places.has_room(_ALL):
            return False
        self.places.add(_ALL)
        return True

    def release(self) -> None:
        """Give the place of a handshake back."""
        self.places.remove(_ALL)

    def arrive(self, address: str, now: float) -> Problem | None:
        """Count a handshake; a problem when there were too many."""
        wait = self._arrivals.count(address, now)
        if wait is None:
            return None
        return Problem.of(TOO_MANY_REQUESTS, "too many connections in a short time", retry_after=wait)

    def enter(self, principal: str, address: str, retry_after: float) -> Problem | None:
        """Let somebody in; a problem when one of the limits is reached. An empty principal or address is not counted."""
        names = ((self._connections, _ALL), (self._principals, principal), (self._addresses, address))
        if not all(tally.has_room(name) for tally, name in names):
            return Problem.of(REACH_MAXIMUM_CONNECTIONS, retry_after=retry_after)
        for tally, name in names:
            tally.add(name)
        return None

    def leave(self, principal: str, address: str) -> None:
        """Let somebody out who was let in."""
        self._connections.remove(_ALL)
        self._principals.remove(principal)
        self._addresses.remove(address)


def network(host: str) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that one customer has."""
    address = internet_address(host)
    if address is None:
        return host
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
