"""The bounds of servers and clients. Each one has a safe default. Times are in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sockspec.runtime.policy import Policy

if TYPE_CHECKING:
    from ssl import SSLContext

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The bounds of a server."""

    open_timeout: float = 10.0
    """For the whole opening handshake, `authenticate` included."""
    close_timeout: float = 5.0
    """For the closing handshake, after which the connection is aborted."""
    ping_interval: float = 20.0
    ping_timeout: float = 10.0
    """A peer that does not answer a ping within this time is gone."""
    write_timeout: float = 10.0
    """For one message to be taken by a peer that reads slowly, after which the connection is aborted."""
    drain_timeout: float = 30.0
    """For running handlers to finish when the server stops, before they are cancelled."""
    retry_after: float = 1.0
    """How long clients are asked to wait before they connect again after a restart."""

    max_message: int = 64 * KIB
    """The largest message that is accepted. A larger one closes the connection with 1009."""
    max_inbound: int = 16
    """How many received frames may wait for their handler before the server stops reading from a connection."""
    max_outbound: int = MIB
    """How much may wait to be read by a peer before it counts as a slow consumer."""
    max_faults: int = 20
    """How many messages in a row may be at fault before the connection is closed with 1008."""

    receiving: Policy = "strict"
    """What is done about a message that its schema refuses: the client is told, or it is let in."""
    check_sent: bool = True
    """Whether a message is held to its schema before it is sent. Turn it off for hot paths that are tested otherwise."""

    origins: tuple[str, ...] | None = None
    """The values of the `Origin` header that are let in, for browsers. None lets in all; no header is always let in."""
    behind_tls_proxy: bool = False
    """Says that a proxy terminates TLS, so that listening in clear text beyond loopback is safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """The bounds of a client, and how it connects again."""

    connect_timeout: float = 10.0
    """For the first connection, all attempts together."""
    open_timeout: float = 10.0
    """For one opening handshake."""
    close_timeout: float = 5.0
    """For the closing handshake, after which the connection is aborted."""
    ping_interval: float = 20.0
    ping_timeout: float = 10.0
    """A server that does not answer a ping within this time is gone."""
    send_timeout: float = 10.0
    """For a message to be sent, the wait for a connection included."""
    reply_timeout: float = 10.0
    """For the reply to a request, where the call does not say otherwise."""

    backoff_base: float = 0.5
    """The first delay is drawn between zero and this; each failure doubles the upper end."""
    backoff_cap: float = 30.0
    """The upper end that the doubling stops at."""
    stable_after: float = 10.0
    """How long a connection has to last for the delays to start again at the base."""
    max_attempts: int = 5
    """How many attempts are made at most within any `attempts_window`."""
    attempts_window: float = 30.0
    max_retry_after: float = 300.0
    """The longest wait that a server can ask for."""

    max_message: int = MIB
    """The largest message that is accepted. A larger one closes the connection with 1009."""
    max_inbound: int = 256
    """How many received messages may wait to be iterated over, and how many for callbacks."""

    receiving: Policy = "report"
    """What is done about a message that its schema refuses. A client does not fail because a server is ahead of it."""
    check_sent: bool = True
    """Whether a message is held to its schema before it is sent. Turn it off for hot paths that are tested otherwise."""

    ssl: SSLContext | None = field(default=None, repr=False)
    """The TLS settings for `wss://`; None for the system's."""
