"""How much a server puts up with: from all clients, from one, and on one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sockspec.runtime import checks

KIB: Final = 1024
MIB: Final = 1024 * KIB

COUNTING: Final = (
    *("max_connections", "max_sockets", "max_connections_per_principal", "max_connections_per_address"),
    *("connections_per_second", "connection_burst"),
)
"""The limits that count connections of many clients: those of an endpoint count its own, those of an API the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a server. Each one has a safe default; None means no limit. Sizes are in bytes, times in seconds.

    A document declares its own with the extension `x-limits`; `Options.limits` replaces them all.
    """

    max_connections: int | None = 10_000
    """How many connections there may be. One more gets the error message, and is closed with 1013."""
    max_sockets: int | None = None
    """How many sockets there may be, those included that only get an error message. Above it, a handshake is answered
    with HTTP 503. By default a tenth more than `max_connections`, and at least ten more."""
    max_connections_per_principal: int | None = 100
    max_connections_per_address: int | None = 1000
    """For each IPv4 address, and each IPv6 network of 64 bits."""
    connections_per_second: float | None = 50.0
    """How many handshakes an address may make, on average."""
    connection_burst: int = 1000
    """How many of them may come at once."""
    max_handshakes: int = 2000
    """How many handshakes may be under way. When there are more, the oldest one is cut off."""

    max_message: int = 64 * KIB
    """The largest message that is accepted. A larger one closes the connection with 1009."""
    max_depth: int = 64
    """How deep objects and arrays of a message may be nested."""
    messages_per_second: float | None = 20.0
    """How many messages a connection may send, on average. One more is answered with an error message."""
    message_burst: int = 40
    """How many of them may come at once."""
    max_inbound: int = 16
    """How many received messages may wait for their handler before the server stops reading from a connection."""
    max_concurrent: int = 16
    """How many handlers may run for one connection, of operations that allow it; for all others it is one."""
    max_outbound: int = MIB
    """How many bytes may wait to be read by a peer before it counts as a slow consumer."""
    max_outbound_messages: int = 256
    """How many messages may wait likewise."""
    max_faults: int = 20
    """How many messages in a row may be at fault before the connection is closed with 1008."""
    idle_timeout: float | None = None
    """How long a connection may be without a message from the client before it is closed with 3008."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        counts = ("max_connections", "max_sockets", "max_connections_per_principal", "max_connections_per_address")
        checks.whole(self, *counts, "connection_burst", "max_handshakes", "max_message", "max_depth", "message_burst")
        checks.whole(self, "max_inbound", "max_concurrent", "max_outbound", "max_outbound_messages", "max_faults")
        checks.above_zero(self, "connections_per_second", "messages_per_second", "idle_timeout")

    @property
    def ceiling(self) -> int | None:
        """The number of sockets above which there is no more than an HTTP status."""
        if self.max_sockets is not None or self.max_connections is None:
            return self.max_sockets
        return self.max_connections + max(10, self.max_connections // 10)
