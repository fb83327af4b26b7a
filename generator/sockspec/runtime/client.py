"""The base class of generated clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

import msgspec
from msgspec import UNSET

from sockspec.runtime.address import endpoint, header_lines, of_server, refuse_clear_text
from sockspec.runtime.backoff import Ending, Reconnection
from sockspec.runtime.error_messages import read_error
from sockspec.runtime.filled import identified
from sockspec.runtime.fleet.control import HEADER, VERSION, is_control
from sockspec.runtime.fleet.recovery import Recovery, Resumption
from sockspec.runtime.heartbeat import Heartbeat, Pulse
from sockspec.runtime.inbox import Ended
from sockspec.runtime.jsontext import plain
from sockspec.runtime.link import ConnectionLost, Link, State
from sockspec.runtime.listeners import Callback, Listeners
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.outgoing import Outgoing, Unsent
from sockspec.runtime.policy import UnknownMessage
from sockspec.runtime.problems import PayloadError, Problem
from sockspec.runtime.replies import Request, Requests
from sockspec.runtime.security.credentials import Credential, Token, bearer, placed
from sockspec.runtime.transport import ClientTransport

if TYPE_CHECKING:
    from sockspec.runtime.codec import Codec

In = TypeVar("In")
Out = TypeVar("Out")
Reply = TypeVar("Reply")
T = TypeVar("T")

Hook = Callable[[], Awaitable[object]]
"""A coroutine function that prepares a new connection."""


class Dial(Protocol):
    """Opens a connection, or says by an Ending why there is none."""

    def __call__(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
    ) -> Awaitable[ClientTransport | Ending]: ...


NORMAL_CLOSURE: Final = 1000
_log: Final = logging.getLogger("sockspec.client")


class Client(Generic[In, Out]):
    """A connection to one WebSocket endpoint, which is opened again when it is lost.

    `In` is what the server may send, `Out` what this client may. Use it as `async with`; iterate over it with
    `async for`, register callbacks with `on`, or do both. Every message goes to its callbacks and to the iteration,
    except for replies, which go to their requests alone, and heartbeats. Until somebody iterates, only the latest
    `ClientOptions.max_inbound` messages are kept; from then on `ClientOptions.overflow` says what happens when more
    wait. Callbacks run one after the other, and may send and make requests. `docs/client.md` says what may be lost.
    """

    error_message: ClassVar[type[msgspec.Struct] | None] = None
    """The document's own error message; None for the design guide's."""
    heartbeat: ClassVar[Heartbeat | None] = None
    """The heartbeat that the document declares, sent or answered without the application."""

    def __init__(
        self,
        url: str,
        *,
        path: str,
        path_parameters: Mapping[str, object] | None = None,
        variables: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, object] | None = None,
        incoming: Codec[In],
        outgoing: Codec[Out],
        token: Token | None = None,
        credentials: Sequence[Credential] = (),
        subprotocols: Sequence[str] = (),
        options: ClientOptions | None = None,
    ) -> None:
        """`path` is a template that is added to the URL, in which `variables` are filled in.

        `token` is a bearer token, `credentials` are others. Query and header values that are None or UNSET are left out.

        Raises InsecureTransport for credentials over `ws://` beyond this machine, and ValueError for a URL, a parameter
        or a header that cannot be.
        """
        from random import SystemRandom  # takes its time, and servers do not need it; it has no state of its own

        self.url: Final = endpoint(of_server(url, variables or {}), path, path_parameters or {}, query or {})
        self.options: Final = options or ClientOptions()
        self.ending: Ending | None = None
        """How the latest connection ended: its close code and reason. None while the first one lasts."""
        self._headers = header_lines(headers or {})
        self._credentials = [one for one in (bearer(token), *credentials) if one.value is not None]
        self._subprotocols = tuple(subprotocols)
        self._incoming = incoming
        self._outgoing = outgoing
        self._listeners: Listeners[In] = Listeners(self.options)
        renewable = any(one.is_renewable for one in self._credentials)
        self._link = Link(
            self._dial,
            receive=self._receive,
            prepare=self._prepare,
            watch=self._watch,
            changed=self._listeners.hear_state,
            lost=self._note_loss,
            reconnection=Reconnection(self.options, SystemRandom(), renewable_token=renewable),
            options=self.options,
        )
        beat = self.heartbeat
        self._pulse = Pulse(beat, answers=beat.ping in incoming.messages, encode=outgoing.encode) if beat else None
        self._sender: Outgoing[Out] = Outgoing(self._link, self.options)
        self._requests = Requests()
        self._resumption = Resumption()
        self._hooks: list[Hook] = []
        self._dial_by: Dial | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        if self._credentials:
            refuse_clear_text(self.url)

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the client stands."""
        return self._link.state

    @property
    def unsent(self) -> tuple[Unsent[Out], ...]:
        """With the policy `queue`, what was not sent, in order; what is left here after the end is handed back so."""
        return self._sender.unsent

    @property
    def resumed(self) -> bool:
        """Whether the connection goes on with an earlier one: the server has put the client into its groups again."""
        return self._resumption.resumed

    def dial_by(self, dial: Dial) -> None:
        """Open connections in another way than over the network, before there is one: in memory, in tests."""
        self._dial_by = dial

    def on_connect(self, hook: Hook) -> Callable[[], None]:
        """Await a coroutine function for each new connection, for instance to join rooms or to subscribe again.

        What it sends and asks goes before everything that waits for the connection. When it fails, the connection is
        given up, and another one is tried. Returns what takes the hook away again.
        """
        self._hooks.append(hook)

        def remove() -> None:
            if hook in self._hooks:
                self._hooks.remove(hook)

        return remove

    async def connect(self) -> None:
        """Connect, with several attempts where needed; `async with` does it. Raises ConnectionLost."""
        if not self._tasks:
            runs = [self._listeners.run(), self._run()]
            if self.options.offline == "queue":
                runs.append(self._sender.run())
            self._tasks = tuple(map(asyncio.create_task, runs))
        try:
            async with asyncio.timeout(self.options.connect_timeout):
                await self._link.first_connection()
        except TimeoutError:
            await self.close()
            raise ConnectionLost(self._link.ending) from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection for good; `async with` does it. What was received can still be iterated over.

        What is queued is sent before, within `ClientOptions.close_timeout`; `unsent` has the rest.
        """
        if not self._tasks:
            return
        try:
            async with asyncio.timeout(self.options.close_timeout):
                await self._sender.flush()
        except TimeoutError:
            pass
        await self._link.close()
        callbacks, *others = self._tasks
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        if callbacks is not asyncio.current_task():
            await asyncio.wait([callbacks], timeout=self.options.close_timeout)
            callbacks.cancel()
        if self.unsent:
            _log.warning("%d messages were queued and not sent", len(self.unsent))

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # --- sending ----------------------------------------------------------------------------------------------------

    async def send(self, message: Out) -> None:
        """Send a message, or do with it what `ClientOptions.offline` says while there is no connection.

        It is never sent twice. It is lost when the connection breaks before the server has read it.

        Raises PayloadError for a message that the document does not allow, SendTimeout when it cannot be sent within
        `ClientOptions.send_timeout`, ConnectionLost, and by policy NotConnected or QueueFull.
        """
        await self._sender.send(message, self._encode(message))

    async def request(self, message: Out, replies: tuple[type[Reply], ...], *, timeout: float | None = None) -> Reply:
        """Send a message and wait for its reply: a message of one of the classes that repeats its correlation id.

        Where the document has no correlation ids, the next message of one of the classes is the reply. Raises
        ProblemError when the server answers with a problem, TimeoutError after `timeout` seconds (or
        `ClientOptions.reply_timeout`), ConnectionLost when the connection ends before, and what `send` raises.
        """
        correlation = self._outgoing.correlation_of(message)
        if correlation == "":
            correlation = identified(UNSET)
            message = self._outgoing.correlate(message, correlation)
        seconds = self.options.reply_timeout if timeout is None else timeout
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        request = Request(replies, correlation if isinstance(correlation, Hashable) else None, reply)
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                await self._sender.transmit(message, self._encode(message), lambda: self._expect(request))
                answer: Reply = await reply
                return answer
        except TimeoutError:
            if not scope.expired():
                raise
            raise TimeoutError(f"no reply to {type(message).__name__} within {seconds:g} s") from None
        finally:
            self._requests.discard(request)
            self._stretch()

    def _encode(self, message: Out) -> str | bytes:
        return self._outgoing.encode(message, check=self.options.check_sent)

    def _expect(self, request: Request) -> None:
        self._requests.add(request)
        self._stretch()

    def _stretch(self) -> None:
        self._listeners.stretch(len(self._requests) > 0)

    # --- receiving --------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> In:
        """The next message. Ends when the connection is closed normally, and raises ConnectionLost when otherwise."""
        try:
            return await self._listeners.messages.take()
        except Ended:
            raise StopAsyncIteration from None

    async def wait_for(
        self, message: type[T], predicate: Callable[[T], object] | None = None, *, timeout: float | None = None
    ) -> T:
        """The next message of a class, of which the predicate holds if there is one.

        The iteration and the callbacks get it, too. Raises TimeoutError after `timeout` seconds, ConnectionLost when
        the client ends before, and what the predicate raises.
        """
        if self._link.is_closed:
            raise ConnectionLost(self._link.ending)
        async with asyncio.timeout(timeout):
            return await self._listeners.wait_for(message, predicate)

    def on(self, message: type[T], callback: Callback[T]) -> Callable[[], None]:
        """Call back for each message of a class. Returns what takes the callback away again."""
        return self._listeners.on(message, callback)

    def once(self, message: type[T], callback: Callback[T]) -> Callable[[], None]:
        """Call back for the next message of a class only. Returns what takes the callback away again."""
        return self._listeners.on(message, callback, once=True)

    def off(self, message: type[T], callback: Callback[T]) -> None:
        """Call back no more for messages of a class."""
        self._listeners.off(message, callback)

    def on_problem(self, callback: Callback[Problem]) -> Callable[[], None]:
        """Call back for each problem that the server tells outside a request, and for what it sends that is invalid."""
        return self._listeners.on_problem(callback)

    def on_unknown(self, callback: Callback[UnknownMessage]) -> Callable[[], None]:
        """Call back for what is no message of the document, such as one that a newer server sends."""
        return self._listeners.on_unknown(callback)

    def on_state(self, callback: Callback[State]) -> Callable[[], None]:
        """Call back for each change of state. To join or subscribe again, `on_connect` is the better place."""
        return self._listeners.on_state(callback)

    def on_recovery(self, callback: Callback[Recovery]) -> Callable[[], None]:
        """Call back after each reconnection, behind what was missed; and when something was lost otherwise.

        Of a server that lets clients resume. What it sends to groups is then handed on once each and in order.
        """
        return self._listeners.on_recovery(callback)

    async def _receive(self, frame: str | bytes, transport: ClientTransport) -> None:
        if not transport.resumes:
            await self._take(frame, transport)
        elif is_control(frame):
            await self._hear_recovery(self._resumption.take(frame))
        elif self._resumption.is_new():
            await self._take(frame, transport)
            await self._hear_recovery(self._resumption.handed_on())

    async def _hear_recovery(self, recovery: Recovery | None) -> None:
        if recovery is not None:
            await self._listeners.hear_recovery(recovery)

    async def _take(self, frame: str | bytes, transport: ClientTransport) -> None:
        incoming = self._incoming
        try:
            message = incoming.take(frame) if self.options.receiving == "off" else incoming.decode(frame)
        except PayloadError as error:
            usable = await self._receive_invalid(frame, error.problem)
            if usable is None:
                return
            message = usable
        correlation = incoming.correlation_of(message)
        if len(self._requests) and self._requests.answer(message, correlation):
            return
        if self._is_error(message):
            problem = read_error(frame, known=True)
            if problem is not None and await self._receive_problem(problem.about(correlation)):
                return
        if self._pulse is not None and self._pulse.is_of(message):
            await self._pulse.take(message, transport)
            return
        await self._listeners.hand_on(message)

    async def _receive_invalid(self, frame: str | bytes, invalid: Problem) -> In | None:
        """An error message that the document does not have, or a message that it refuses: what of it can be used."""
        told = read_error(frame)
        if told is not None:
            await self._receive_problem(told)
            return None
        _log.warning("received a message that the document does not allow: %s", invalid.type)
        problem = invalid.about(self._incoming.correlation_in(frame))
        if self._requests.fail(problem):
            return None
        await self._listeners.hear_problem(problem)
        try:
            usable = self._incoming.take(frame)
        except PayloadError:
            await self._listeners.hear_unknown(UnknownMessage(plain(frame)))
            return None
        return usable if self.options.receiving == "report" else None

    async def _receive_problem(self, problem: Problem) -> bool:
        """A problem that the server tells; says whether it was the answer to a request."""
        self._link.told = problem
        if self._requests.fail(problem):
            return True
        _log.warning("the server reports %s", problem.type)
        await self._listeners.hear_problem(problem)
        return False

    def _is_error(self, message: object) -> bool:
        own = self.error_message
        return isinstance(message, own) if own is not None else getattr(message, "type", None) == "error"

    # --- running ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            ending = await self._link.run()
            error = None if ending.code == NORMAL_CLOSURE else ConnectionLost(ending)
        except Exception as unexpected:
            _log.warning("the client ends: %s", type(unexpected).__name__)
            error = unexpected
        finally:
            self._requests.fail_all(ConnectionLost(self._link.ending))
            self._listeners.end(error, error or ConnectionLost(self._link.ending))

    async def _prepare(self, transport: ClientTransport) -> None:
        if transport.resumes:
            await transport.send(self._resumption.begin())
            await self._resumption.opened(self.options.open_timeout)
        else:
            await self._hear_recovery(self._resumption.begin_without())
        for hook in tuple(self._hooks):
            await hook()
        self._resumption.prepared()

    async def _watch(self, transport: ClientTransport) -> None:
        if self._pulse is not None:
            await self._pulse.run(transport)

    async def _dial(self) -> ClientTransport | Ending:
        options = self.options
        try:
            async with asyncio.timeout(options.open_timeout):
                url, headers = await placed(self._credentials, self.url, self._headers)
        except Exception as error:
            # Its text can have the token in it.
            _log.warning("there are no credentials to connect with: %s", type(error).__name__)
            return Ending(reason=f"there is no token: {type(error).__name__}")
        if options.resume:
            headers = {**headers, HEADER: VERSION}
        if self._dial_by is not None:
            dial = self._dial_by
        else:
            from sockspec.runtime.dial import dial  # imports the network library, which programs may not need
        return await dial(url, headers=headers, subprotocols=self._subprotocols, options=options)

    def _note_loss(self, ending: Ending) -> None:
        self.ending = ending
        self._requests.fail_all(ConnectionLost(ending))
