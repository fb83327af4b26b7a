"""One-time tickets: for browsers, which can send no headers with a handshake."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from sockspec.runtime.security.principal import Principal

_MOST: Final = 100_000


class Tickets:
    """Tickets that stand for principals, each good for one handshake within a short time.

    The application gives them out where a browser is authenticated already, for example by a POST of its web
    application, and the browser puts its ticket into the query. A ticket that a log or a proxy sees is worth nothing.
    They are kept in memory, so the process that gives them out has to be the one that takes them; see `SignedTickets`.
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


_MAC: Final = 32
_ID: Final = 12
_LEAST_SECRET: Final = 16


_decode: Final = msgspec.json.Decoder(tuple[float, dict[str, Any]]).decode


class SignedTickets:
    """The same for several processes, which share a secret: any of them takes what any other has given out, once.

    Who the ticket stands for is written into it, readable by whoever has it, and signed. That it is good only once is seen
    to by the backplane (`Options.backplane`).
    """

    def __init__(
        self,
        secret: str | bytes,
        *,
        principal: type[Principal] = Principal,
        lifetime: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`principal` is the application's class, `lifetime` is in seconds; the clocks of the processes agree, about.

        Raises ValueError for a secret that can be guessed: of less than 16 bytes.
        """
        key = secret.encode() if isinstance(secret, str) else secret
        if len(key) < _LEAST_SECRET:
            raise ValueError(
                f"the secret of tickets has to have {_LEAST_SECRET} bytes at least, as secrets.token_bytes() has"
            )
        self._key = hashlib.sha256(b"sockspec ticket" + key).digest()
        self._principal = principal
        self._lifetime = lifetime
        self._clock = clock

    def __repr__(self) -> str:
        return "<SignedTickets>"

    def issue(self, principal: Principal) -> str:
        """A new ticket."""
        said = os.urandom(_ID) + msgspec.json.encode((self._clock() + self._lifetime, principal))
        return base64.urlsafe_b64encode(self._mac(said) + said).decode().rstrip("=")

    async def redeem(self, ticket: str, spend: Callable[[str, float], Awaitable[bool]]) -> Principal | None:
        """Whom the ticket stands for; None for one that is not ours, used or too old.

        `spend` says whether a name is used for the first time within so many seconds, on all nodes. Raises what that raises.
        """
        try:
            raw = base64.b64decode(ticket + "=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        mac, said = raw[:_MAC], raw[_MAC:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        try:
            until, members = _decode(said[_ID:])
            principal = msgspec.convert(members, self._principal)
        except msgspec.MsgspecError:
            return None  # of another version of the application
        left = until - self._clock()
        if left <= 0 or not await spend(said[:_ID].hex(), max(left, 1.0)):
            return None
        return principal

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, "sha256")
