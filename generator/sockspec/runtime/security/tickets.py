"""One-time tickets: for browsers, which can send no headers with a handshake."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sockspec.runtime.security.principal import Principal

_MOST: Final = 100_000


class Tickets:
    """Tickets that stand for principals, each good for one handshake within a short time.

    The application gives them out where a browser is authenticated already, for example by a POST of its web
    application, and the browser puts its ticket into the query. A ticket that a log or a proxy sees is worth nothing.
    They are kept in memory, so the process that gives them out has to be the one that takes them.
    """

    def __init__(self, lifetime: float = 30.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`lifetime` is in seconds."""
        self._lifetime = lifetime
        self._clock = clock
        self._issued: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._issued)

    def issue(self, principal: Principal) -> str:
        """A new ticket."""
        now = self._clock()
        while self._issued and (len(self._issued) >= _MOST or next(iter(self._issued.values()))[0] <= now):
            self._issued.popitem(last=False)
        ticket = secrets.token_urlsafe(32)
        self._issued[ticket] = (now + self._lifetime, principal)
        return ticket

    def redeem(self, ticket: str) -> Principal | None:
        """Whom the ticket stands for, once; None for one that is unknown, used or too old."""
        until, principal = self._issued.pop(ticket, (0.0, None))
        return principal if until > self._clock() else None
