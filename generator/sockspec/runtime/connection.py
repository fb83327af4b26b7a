"""A connection as handlers see it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Hashable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from sockspec.runtime.error_messages import error_frame
from sockspec.runtime.filled import now
from sockspec.runtime.handshake import Handshake, Values
from sockspec.runtime.limits import Limits
from sockspec.runtime.observer import tell
from sockspec.runtime.options import Options
from sockspec.runtime.outbox import KEPT, Outbox
from sockspec.runtime.problems import Problem
from sockspec.runtime.routing import Route
from sockspec.runtime.security.authentication import NOBODY, Identity
from sockspec.runtime.security.principal import P
from sockspec.runtime.transport import ConnectionClosed, Frame, ServerTransport

if TYPE_CHECKING:
    from sockspec.runtime.fleet.feed import Feed
    from sockspec.runtime.groups import Group
    from sockspec.runtime.server import Server

Out = TypeVar("Out")

_log: Final = logging.getLogger("sockspec.server")

_MOST_IN_VAIN: Final = 100
"""How many messages a handler can send to its client after that has gone."""

current: Final[ContextVar[object]] = ContextVar("sockspec.connection", default=None)
"""The connection on whose behalf the code runs: set while its handlers and hooks run, and in the tasks they start."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A handshake that is answered with a connection."""

    server: Server[Any]
    route: Route
    handshake: Handshake[Any]
    identity: Identity = NOBODY
    subprotocol: str | None = None
    address: str = ""
    """What the limits for one address count by; empty for what is not counted."""
    seat: str = ""
    """The place that it takes on all nodes together; empty for none."""
    resumes: bool = False
    """Whether the client is told where messages stand, so that it can resume."""
    refusal: Problem | None = None
    """Why the connection is only opened to say so and to close; None for one that is welcome."""


class Connection(Generic[Out, P]):
    """One client's connection to a server; `Out` is what the server may send on it, `P` says who the client is."""

    def __init__(self, transport: ServerTransport, admission: Admission, *, options: Options, limits: Limits) -> None:
        self.id: Final = os.urandom(8).hex()
        """Names the connection in logs."""
        self.member_id = self.id
        """Names the client in its groups: the same after it has resumed."""
        self.is_resumed = False
        """Whether the client came back for the groups of an earlier connection, and is in them again."""
        self.handshake: Final = admission.handshake
        self.subprotocol: Final = admission.subprotocol
        """The subprotocol that both sides speak; None where there is none."""
        self.parameters: Any = admission.handshake.parameters
        """The declared parameters of the handshake, each of its own type; None for an endpoint without."""
        self.identity = admission.identity
        """What the client may do, by the schemes of the document."""
        self._principal = cast(P, admission.identity.principal)
        self.groups: Final[dict[Group[Any], bytes | None]] = {}
        """The groups that the connection is in, with what was said when it joined."""
        self.feeds: Final[dict[Feed, None]] = {}
        """What it hears on this node: these groups, everybody, and all that is for its principal."""
        self.is_placed = admission.resumes
        """Whether it is told where messages stand."""
        self.session = ""
        """What its client can resume by; empty for one that cannot."""
        self.closed_with: int | None = None
        """The code that the server closed it with; None when it did not."""
        self._transport = transport
        self._server = admission.server
        self.route: Final = admission.route
        self._outgoing = admission.route.outgoing
        self._options = options
        self._observers = options.observers
        self._outbox = Outbox(
            transport, limits, options.slow_consumer, self._evict, self._tell_sent if self._observers else None
        )
        self.checks_sent: Final = options.check_sent
        """Whether a message is held to its schema before it is sent."""
        self._in_vain = 0
        self._is_parting = False
        self._closing: asyncio.Task[None] | None = None
        self._on_renewal: Callable[[], None] = _nothing

    if not TYPE_CHECKING:

        def __class_getitem__(cls, parameters):
            """`Connection[Out]` is `Connection[Out, Principal]`; Python does so by itself from 3.13 on."""
            from sockspec.runtime.security.principal import Principal

            needs_default = cls is Connection and not isinstance(parameters, tuple)
            return super().__class_getitem__((parameters, Principal) if needs_default else parameters)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} from {self.handshake.peer}>"

    @property
    def principal(self) -> P:
        """Who connected."""
        return self._principal

    @property
    def query(self) -> Values:
        """The parameters of the query."""
        return self.handshake.query

    @property
    def headers(self) -> Values:
        """The headers of the handshake; names in any case."""
        return self.handshake.headers

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport.is_open and not self._is_parting

    @property
    def dropped(self) -> int:
        """How many messages were forgotten because the client reads too slowly."""
        return self._outbox.dropped

    async def answer_heartbeat(self, message: Any) -> None:
        """Answer a ping that is a message of the document, without the application."""
        if self.route.heartbeat is not None:
            await self.send(self.route.heartbeat.answer(message))

    def renew(self, principal: P, *, scheme: str = "") -> None:
        """Go on with fresh credentials of the same client: their scopes and their expiry count from now on.

        `scheme` is the security scheme of the document that they are of, where clients need several; by default the one
        that `principal` is of. Raises Refused when they are somebody else's, and KeyError for a scheme that was not met.
        """
        self.identity = self.identity.renewed(principal, scheme)
        self._principal = cast(P, self.identity.principal)
        self._on_renewal()

    def on_renewal(self, callback: Callable[[], None]) -> None:
        """Have a function called whenever there are fresh credentials."""
        self._on_renewal = callback

    async def send(self, message: Out, *, key: Hashable = None) -> None:
        """Send a message. Raises PayloadError for a message that the document does not allow.

        To a client that has gone, nothing is sent, and nothing is raised: it must not keep a handler from telling the
        others. A handler that sends for long looks at `is_open`; one that never does gets ConnectionClosed in the end.

        Sending to the client whose message is being handled waits while it is slow to read. Sending to any other client
        never waits: `Options.slow_consumer` says what happens to those for which too much waits. With `coalesce`, `key`
        says which messages stand for each other.
        """
        frame = self._outgoing.frame(message, check=self.checks_sent)
        if self._is_parting or not self._outbox.put(frame, key):
            await self._wait()

    async def send_problem(self, problem: Problem) -> None:
        """Send an error message. Closes nothing; waits and raises like `send`."""
        self._post_problem(problem)
        await self._wait()

    def _post_problem(self, problem: Problem) -> None:
        if self._is_parting:
            return
        text = error_frame(problem, shape=self._server.error_message, outgoing=self._outgoing, at=now())
        tell(self._observers, lambda observer: observer.told(self, problem))
        self.post(Frame(text.encode()))

    def group(self, name: str) -> Group[Out]:
        """The group of that name at this endpoint; see `Server.group`."""
        return self._server.group(type(self), name)

    async def send_frame(self, frame: Frame, key: Hashable = None) -> None:
        """Send what is encoded already, waiting like `send`."""
        self.post(frame, key)
        await self._wait()

    async def _wait(self) -> None:
        """Wait for the client whose message is being handled, and for no other."""
        if current.get() is not self:
            return
        if not self.is_open:
            await self._sent_in_vain()
        elif not self._outbox.is_clear:
            with suppress(ConnectionClosed):
                await self._outbox.settled()

    def post(self, frame: Frame, key: Hashable = None) -> None:
        """Send what is encoded already. Never waits."""
        if not self._is_parting:
            self._outbox.put(frame, key)

    def tell(self, frame: Frame) -> None:
        """Send what the client has to know to resume, whatever is forgotten of messages. Never waits."""
        self.post(frame, KEPT)

    def _tell_sent(self, frame: Frame) -> None:
        tell(self._observers, lambda observer: observer.sent(self, len(frame.data)))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, after what waits to be sent. Does nothing when it has ended.

        `code` is one that the document declares, where it declares some for the endpoint, or one that is registered for
        everybody, such as 1000, 1001, 1008, 1011, 3000, 3003 and 3008 (RFC 6455, section 7.4). Raises ValueError for others.

        Waits, in bounded time, for the client whose message is being handled, and for no other.
        """
        self.route.check_code(code)
        closing = asyncio.create_task(self.finish(code, reason))
        if current.get() is self:
            await asyncio.shield(closing)
        else:
            self._closing = closing  # the loop itself keeps no hold on its tasks

    async def part(self, problem: Problem, code: int) -> None:
        """Tell a problem, and close like `finish`."""
        self._post_problem(problem)
        await self.finish(code, problem.kind.title)

    async def finish(self, code: int, reason: str) -> None:
        """Close the connection after what waits to be sent, and wait until it has ended: `close_timeout` at most in all.

        Nothing more is sent from now on, nor does it hear its groups: what keeps coming must not keep it open.
        """
        self._is_parting = True
        if self.closed_with is None:
            self.closed_with = code
        self._hear_no_more()
        try:
            async with asyncio.timeout(self._options.close_timeout):
                if len(self._outbox):
                    with suppress(ConnectionClosed):
                        await self._outbox.settled()
                await self._transport.close(code, reason)
        except TimeoutError:
            self._transport.abort()

    def ended(self) -> None:
        """The connection has ended: forget what was to be sent, and hear nothing any more."""
        self._is_parting = True  # who joins it to a group from now on, does so in vain
        self._outbox.clear()
        self._hear_no_more()

    def abort(self) -> None:
        """End the connection now, without a word."""
        self._transport.abort()

    @property
    def is_clear(self) -> bool:
        """Whether the client has read so much that a message would be sent at once."""
        return self._outbox.is_clear

    async def caught_up(self) -> None:
        """Wait until the client has read enough of what waits for it. Raises ConnectionClosed."""
        await self._outbox.settled()

    def _hear_no_more(self) -> None:
        for feed in tuple(self.feeds):
            feed.remove(self)

    async def _sent_in_vain(self) -> None:
        self._in_vain += 1
        if self._in_vain > _MOST_IN_VAIN:
            raise ConnectionClosed(reason="the client has gone")
        await asyncio.sleep(0)  # a handler that sends in a loop lets the others run

    def _evict(self) -> None:
        if self._transport.is_open:
            # A close frame would wait behind all that the client does not read.
            told = {"connection": self.id}
            _log.warning("a connection is aborted: the client does not read what it is sent", extra=told)
            self._transport.abort()


def _nothing() -> None:
    pass
