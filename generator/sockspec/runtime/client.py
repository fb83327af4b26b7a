"""The base class of generated clients."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET

from sockspec.runtime.address import endpoint, header_line, header_lines, of_server, refuse_clear_text
from sockspec.runtime.backoff import Ending, Reconnection
from sockspec.runtime.error_messages import read_error
from sockspec.runtime.filled import identified
from sockspec.runtime.inbox import Ended, Inbox
from sockspec.runtime.jsontext import plain
from sockspec.runtime.link import ConnectionLost, Link, State
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.policy import UnknownMessage
from sockspec.runtime.problems import PayloadError, Problem
from sockspec.runtime.replies import Request, Requests
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

if TYPE_CHECKING:
    from sockspec.runtime.codec import Codec

In = TypeVar("In")
Out = TypeVar("Out")
Reply = TypeVar("Reply")
T = TypeVar("T")

Token: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A bearer token, or what gives one: it is asked at each attempt to connect."""
Callback: TypeAlias = Callable[[T], object]
"""A function or a coroutine function of one value. What it returns is ignored."""


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
    except for replies, which go to their requests alone. Until somebody iterates, only the latest
    `ClientOptions.max_inbound` messages are kept; from then on none is dropped, and the client stops reading from
    the network while so many wait. Callbacks run one after the other, and may send and make requests.
    """

    error_message: ClassVar[type[msgspec.Struct] | None] = None
    """The document's own error message; None for the design guide's."""

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
        subprotocols: Sequence[str] = (),
        options: ClientOptions | None = None,
    ) -> None:
        """`path` is a template that is added to the URL, in which `variables` are filled in.

        Query and header values that are None or UNSET are left out.

        Raises InsecureTransport for a token over `ws://` beyond this machine, and ValueError for a URL, a parameter
        or a header that cannot be.
        """
        from random import Random  # takes its time, and servers do not need it

        self.url: Final = endpoint(of_server(url, variables or {}), path, path_parameters or {}, query or {})
        self.options: Final = options or ClientOptions()
        self.ending: Ending | None = None
        """How the latest connection ended: its close code and reason. None while the first one lasts."""
        self._headers = header_lines(headers or {})
        self._token = token
        self._subprotocols = tuple(subprotocols)
        self._incoming = incoming
        self._outgoing = outgoing
        self._link = Link(
            self._dial,
            receive=self._receive,
            changed=self._note_state,
            lost=self._note_loss,
            reconnection=Reconnection(self.options, Random(), renewable_token=callable(token)),
            options=self.options,
        )
        self._dial_by: Dial | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._requests = Requests()
        self._sending = asyncio.Lock()
        self._messages: Inbox[In] = Inbox(self.options.max_inbound)
        self._events: Inbox[tuple[Callback[Any], Any]] = Inbox(self.options.max_inbound)
        self._on_message: dict[type[Any], list[Callback[Any]]] = {}
        self._on_problem: list[Callback[Problem]] = []
        self._on_unknown: list[Callback[UnknownMessage]] = []
        self._on_state: list[Callback[State]] = []
        if token is not None:
            refuse_clear_text(self.url)

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the client stands."""
        return self._link.state

    def dial_by(self, dial: Dial) -> None:
        """Open connections in another way than over the network, before there is one: in memory, in tests."""
        self._dial_by = dial

    async def connect(self) -> None:
        """Connect, with several attempts where needed; `async with` does it. Raises ConnectionLost."""
        if not self._tasks:
            self._tasks = (asyncio.create_task(self._run()), asyncio.create_task(self._run_callbacks()))
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
        """Close the connection for good; `async with` does it. What was received can still be iterated over."""
        if not self._tasks:
            return
        await self._link.close()
        runner, callbacks = self._tasks
        runner.cancel()
        await asyncio.wait([runner])
        if callbacks is not asyncio.current_task():
            await asyncio.wait([callbacks], timeout=self.options.close_timeout)
            callbacks.cancel()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # --- sending ----------------------------------------------------------------------------------------------------

    async def send(self, message: Out) -> None:
        """Send a message once there is a connection. It is lost when the connection breaks before the server reads it.

        Raises PayloadError for a message that the document does not allow, TimeoutError when it cannot be sent within
        `ClientOptions.send_timeout`, and ConnectionLost.
        """
        await self._transmit(message, None)

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
                await self._transmit(message, request)
                answer: Reply = await reply
                return answer
        except TimeoutError:
            if not scope.expired():
                raise
            raise TimeoutError(f"no reply to {type(message).__name__} within {seconds:g} s") from None
        finally:
            self._requests.discard(request)
            self._stretch()

    async def _transmit(self, message: Out, request: Request | None) -> None:
        frame = self._outgoing.encode(message, check=self.options.check_sent)
        transport: ClientTransport | None = None
        try:
            async with asyncio.timeout(self.options.send_timeout), self._sending:
                transport = await self._link.transport()
                if request is not None:
                    self._requests.add(request)
                    self._stretch()
                await transport.send(frame)
        except TimeoutError:
            if transport is not None:
                # Half of the message may be out; the server does not read the rest.
                transport.abort()
            raise TimeoutError(f"could not send within {self.options.send_timeout:g} s") from None
        except ConnectionClosed as closed:
            raise ConnectionLost(Ending(closed.code, closed.reason)) from None

    def _stretch(self) -> None:
        """While a reply is due, keep reading even if what comes before it is not being taken."""
        waiting = len(self._requests) > 0
        self._messages.stretch(waiting)
        self._events.stretch(waiting)

    # --- receiving --------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> In:
        """The next message. Ends when the connection is closed normally, and raises ConnectionLost when otherwise."""
        try:
            return await self._messages.take()
        except Ended:
            raise StopAsyncIteration from None

    def on(self, message: type[T], callback: Callback[T]) -> Callable[[], None]:
        """Call back for each message of a class. Returns what takes the callback away again."""
        return _register(self._on_message.setdefault(message, []), callback)

    def on_problem(self, callback: Callback[Problem]) -> Callable[[], None]:
        """Call back for each problem that the server tells outside a request, and for what it sends that is invalid."""
        return _register(self._on_problem, callback)

    def on_unknown(self, callback: Callback[UnknownMessage]) -> Callable[[], None]:
        """Call back for what is no message of the document, such as one that a newer server sends."""
        return _register(self._on_unknown, callback)

    def on_state(self, callback: Callback[State]) -> Callable[[], None]:
        """Call back for each change of state, for instance to join rooms again when the state is CONNECTED."""
        return _register(self._on_state, callback)

    async def _receive(self, frame: str | bytes) -> None:
        incoming = self._incoming
        try:
            message = incoming.take(frame) if self.options.receiving == "off" else incoming.decode(frame)
        except PayloadError as error:
            usable = await self._receive_invalid(frame, error.problem)
            if usable is None:
                return
            message = usable
        correlation = self._incoming.correlation_of(message)
        if self._requests.answer(message, correlation):
            return
        if self._is_error(message):
            problem = read_error(frame, known=True)
            if problem is not None and await self._receive_problem(problem.about(correlation)):
                return
        for callback in self._on_message.get(type(message), ()):
            await self._events.put((callback, message))
        if not await self._messages.put(message) and not self._on_message:
            _log.debug("nobody takes what is received; only the latest messages are kept")

    async def _receive_invalid(self, frame: str | bytes, invalid: Problem) -> In | None:
        """An error message that the document does not have, or a message that it refuses: what of it can be used."""
        told = read_error(frame)
        if told is not None:
            await self._receive_problem(told)
            return None
        _log.warning("received a message that the document does not allow: %s", invalid.message)
        problem = invalid.about(self._incoming.correlation_in(frame))
        if self._requests.fail(problem):
            return None
        await self._report(problem)
        try:
            usable = self._incoming.take(frame)
        except PayloadError:
            for callback in self._on_unknown:
                await self._events.put((callback, UnknownMessage(plain(frame))))
            return None
        return usable if self.options.receiving == "report" else None

    async def _receive_problem(self, problem: Problem) -> bool:
        """A problem that the server tells; says whether it was the answer to a request."""
        self._link.told = problem
        if self._requests.fail(problem):
            return True
        _log.warning("the server reports %s: %s", problem.type, problem.message)
        await self._report(problem)
        return False

    async def _report(self, problem: Problem) -> None:
        for callback in self._on_problem:
            await self._events.put((callback, problem))

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
            _log.exception("the client ends because of an error of its own")
            error = unexpected
        finally:
            self._messages.end(error)
            self._events.end()

    async def _run_callbacks(self) -> None:
        while True:
            try:
                callback, value = await self._events.take()
            except Ended:
                return
            try:
                result = callback(value)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                _log.exception("a callback failed")

    async def _dial(self) -> ClientTransport | Ending:
        headers = dict(self._headers)
        try:
            if self._token is not None:
                headers["Authorization"] = header_line("Authorization", f"Bearer {await self._ask_for_token()}")
        except Exception as error:
            _log.exception("there is no token to connect with")
            return Ending(reason=f"there is no token: {type(error).__name__}")
        if self._dial_by is not None:
            dial = self._dial_by
        else:
            from sockspec.runtime.dial import dial  # imports the network library, which programs may not need
        return await dial(self.url, headers=headers, subprotocols=self._subprotocols, options=self.options)

    async def _ask_for_token(self) -> str:
        if not callable(self._token):
            return self._token or ""
        token = self._token()
        return await token if inspect.isawaitable(token) else token

    def _note_state(self, state: State) -> None:
        for callback in self._on_state:
            self._events.push((callback, state))

    def _note_loss(self, ending: Ending) -> None:
        self.ending = ending
        self._requests.fail_all(ConnectionLost(ending))


def _register(callbacks: list[Callback[T]], callback: Callback[T]) -> Callable[[], None]:
    callbacks.append(callback)

    def remove() -> None:
        if callback in callbacks:
            callbacks.remove(callback)

    return remove
