"""How servers and clients behave. Each option has a safe default. Times are in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Literal

from sockspec.runtime import checks
from sockspec.runtime.backplane.line import Backplane, History
from sockspec.runtime.limits import MIB, Limits
from sockspec.runtime.policy import Offline, Overflow, Policy, SlowConsumer

if TYPE_CHECKING:
    from ssl import SSLContext

    from sockspec.runtime.observer import Observer
    from sockspec.runtime.security.tickets import SignedTickets, Tickets

Loop = Literal["auto", "asyncio", "uvloop"]
"""Whose event loop it is."""
Library = Literal["websockets", "picows"]
"""What reads and writes the frames."""
Rates = Literal["connection", "principal"]
"""What a rate of messages is counted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a server behaves."""

    limits: Limits | None = None
    """Replaces what the document declares and the defaults; None for those."""

    open_timeout: float = 10.0
    """For the whole opening handshake, `authenticate` included."""
    close_timeout: float = 5.0
    """For the closing handshake, after which the connection is aborted."""
    ping_interval: float = 20.0
    ping_timeout: float = 10.0
    """A peer that does not answer a ping within this time is gone."""
    write_timeout: float = 10.0
    """A peer that takes nothing of what it is sent for this time is gone."""
    reply_timeout: float = 10.0
    """For a handler to return its reply, after which it is cancelled and the client is told."""
    handler_timeout: float | None = None
    """For any handler, after which it is cancelled and the client is told; None for no end, as handlers that stream need."""
    drain_timeout: float = 30.0
    """For running handlers to finish when the server stops, or when their client has gone, before they are cancelled."""
    drain_batch: int = 100
    """How many connections are closed at a time when the server stops, so that not all clients come back at once."""
    drain_pause: float = 0.1
    """Between two of these batches."""
    retry_after: float = 1.0
    """How long clients are asked to wait before they connect again after a restart, or when there are too many."""

    slow_consumer: SlowConsumer = "disconnect"
    """What happens to a peer for which more waits than the limits allow: `disconnect`, `drop-oldest` or `coalesce`."""
    receiving: Policy = "strict"
    """What is done about a message that its schema refuses: the client is told, or it is let in."""
    check_sent: bool = True
    """Whether a message is held to its schema before it is sent. Turn it off for hot paths that are tested otherwise."""

    origins: tuple[str, ...] | None = None
    """The values of the `Origin` header that are let in, for browsers. None lets in all; no header is always let in.
    Where cookies authenticate they have to be given."""
    behind_tls_proxy: bool = False
    """Says that a proxy terminates TLS, so that clear text beyond loopback is safe."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed."""
    token_in_query: str = ""
    """The query parameter that may carry a bearer token, such as `access_token`; empty for none. Queries end up in logs."""
    tickets: Tickets | SignedTickets | None = None
    """One-time tickets that are taken in place of other credentials."""
    ticket_in_query: str = "ticket"
    """The query parameter that carries a ticket."""

    backplane: Backplane | None = None
    """What carries groups over several processes; None for memory, which is for one."""
    history: History = field(default_factory=History)
    """How much of what groups are sent is kept for those who missed it."""
    publish_timeout: float = 5.0
    """For what is broadcast to be safe with the backplane, and for joining a group. After that the caller is told."""
    max_publishing: int = 1000
    """How many broadcasts may be under way. One more fails at once."""
    lease: float = 10.0
    """How long after its last sign of life a node counts as dead, and what it held is given up."""
    check_interval: float = 10.0
    """How often a node asks whether it has missed something that nothing came after."""
    resume: bool = True
    """Whether clients that ask for it get their groups back when they reconnect, and what they missed meanwhile."""
    session_timeout: float = 120.0
    """How long after the end of its connection a client can resume."""
    presence_grace: float = 5.0
    """How long a client that can resume stays in its groups for others after its connection broke."""
    message_rates: Rates = "connection"
    """What `Limits.messages_per_second` counts by: each `connection`, or each `principal` on all nodes together."""

    library: Library = "websockets"
    """What reads frames where the server listens by itself: `websockets`, or `picows` (extra `fast`)."""
    loop: Loop = "auto"
    """The event loop of `run`: `asyncio`, `uvloop` (extra `fast`), or `auto`, which takes uvloop where it is installed."""
    health: bool = True
    """Whether `/healthz` and `/readyz` are answered."""
    docs: bool = False
    """Whether `/docs` has the generated page."""
    retired: tuple[str, ...] = ()
    """Paths below which a version was served once, such as `/v1`: they are answered with HTTP 410."""
    observers: tuple[Observer, ...] = ()
    """Who is told what happens: metrics, traces."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        checks.of_kind(self, "backplane", (Backplane, NoneType), "RedisBackplane(url), or the like")
        checks.of_kind(self, "history", (History,), "History(size=…, seconds=…)")
        times = ("open_timeout", "close_timeout", "ping_interval", "ping_timeout", "write_timeout", "reply_timeout")
        checks.above_zero(self, *times, "publish_timeout", "lease", "check_interval", "session_timeout")
        checks.at_least_zero(self, "drain_timeout", "drain_pause", "retry_after", "presence_grace")
        checks.whole(self, "drain_batch", "max_publishing")
        checks.choices(
            self, slow_consumer=SlowConsumer, receiving=Policy, library=Library, loop=Loop, message_rates=Rates
        )
        checks.texts(self, "origins", "trusted_proxies", "retired")
        checks.origins(self, "origins")
        checks.starting_with(self, "retired", "/")


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
    offline: Offline = "wait"
    """What becomes of messages that are sent while there is no connection: `wait`, `raise` or `queue`."""
    max_queued: int = 256
    """How many messages may be queued. One more is not taken."""
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
    resume: bool = True
    """Whether to ask servers for the groups that a lost connection was in, and for what was missed meanwhile."""

    max_message: int = MIB
    """The largest message that is accepted. A larger one closes the connection with 1009."""
    max_inbound: int = 256
    """How many received messages may wait to be iterated over, and how many for callbacks."""
    overflow: Overflow = "pause"
    """What happens when more wait: `pause` stops reading, `drop-oldest` forgets, `fail` ends the client."""

    receiving: Policy = "report"
    """What is done about a message that its schema refuses. A client does not fail because a server is ahead of it."""
    check_sent: bool = True
    """Whether a message is held to its schema before it is sent. Turn it off for hot paths that are tested otherwise."""

    ssl: SSLContext | None = field(default=None, repr=False)
    """The TLS settings for `wss://`, with client certificates for instance; None for the system's, which verify."""
    proxy: str | Literal["environment"] | None = field(default="environment", repr=False)
    """The URL of an HTTP or SOCKS proxy; `environment` for what `HTTPS_PROXY` and the like say, None for no proxy.

    What is meant for this machine never goes through a proxy of the environment.
    """

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        times = ("connect_timeout", "open_timeout", "close_timeout", "ping_interval", "ping_timeout", "send_timeout")
        checks.above_zero(self, *times, "reply_timeout", "attempts_window")
        checks.at_least_zero(self, "backoff_base", "backoff_cap", "stable_after", "max_retry_after")
        checks.whole(self, "max_queued", "max_attempts", "max_message", "max_inbound")
        checks.choices(self, offline=Offline, overflow=Overflow, receiving=Policy)
