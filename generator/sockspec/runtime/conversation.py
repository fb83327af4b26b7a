"""One connection being served: frames in, handlers called, problems told, an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from sockspec.runtime.codec import Codec
from sockspec.runtime.connection import Admission, Connection, current
from sockspec.runtime.fleet.control import Resume, from_client, resumes
from sockspec.runtime.lifetime import Lifetime
from sockspec.runtime.limits import Limits
from sockspec.runtime.observer import tell, watched
from sockspec.runtime.options import Options
from sockspec.runtime.problems import (
    FORBIDDEN,
    INTERNAL_SERVER_ERROR,
    MALFORMED_MESSAGE,
    TOO_MANY_REQUESTS,
    Problem,
    Refused,
    reaction_to_close,
)
from sockspec.runtime.routing import Handler
from sockspec.runtime.server import Server
from sockspec.runtime.session import Call, Refusal, Session, refusal, unexpected
from sockspec.runtime.transport import ConnectionClosed, ServerTransport
from sockspec.runtime.turnstile import Bucket

if TYPE_CHECKING:
    from sockspec.runtime.dispatcher import Dispatcher
    from sockspec.runtime.fleet.seats import SharedRate

_log: Final = logging.getLogger("sockspec.server")

INTERNAL_ERROR: Final = 1011
Method = Callable[[Any, Any], Awaitable[object]]


class Conversation:
    """Serves one connection. Its handlers run one at a time in the order of the messages, unless they say otherwise."""

    def __init__(
        self,
        connection: Connection[Any, Any],
        transport: ServerTransport,
        admission: Admission,
        options: Options,
        limits: Limits,
        incoming: Codec[Any],
        dispatcher: Dispatcher,
    ) -> None:
        self.task: Final = _current_task()
        self._connection = connection
        self._transport = transport
        self._server = admission.server
        self._route = admission.route
        self._refusal = admission.refusal
        self._options = options
        self._limits = limits
        self._incoming = incoming
        self._dispatcher = dispatcher
        self._session = Session(
            admission.route, max_faults=limits.max_faults, receiving=options.receiving, incoming=incoming
        )
        rate = limits.messages_per_second
        self._observers = options.observers
        self._authorizes = type(self._server).authorize is not Server.authorize
        self._rate = Bucket(rate, limits.message_burst, time.monotonic()) if rate is not None else None
        self._running: set[asyncio.Task[bool]] = set()
        self._is_idle = True
        self._became_idle: asyncio.Future[None] | None = None
        self._last_message = 0.0
        self._lifetime = Lifetime(
            *(connection, admission.route, limits),
            heard=lambda: self._last_message,
            is_idle=lambda: self._is_idle,
            end=self._end_with,
        )
        self._endings: set[asyncio.Task[None]] = set()
        self._is_parting = False
        self._has_ended = False
        self._code = 1006
        self._first: str | bytes | None = None
        self._shared_rate = self._rate_of_principal()
        transport.attach(connection.id, self._outlive)

    async def run(self) -> None:
        """Converse until the connection ends."""
        token = current.set(self._connection)
        try:
            if self._refusal is not None:
                await self._part(self._refusal)
            elif self._dispatcher.draining:
                await self._part(self._dispatcher.restarting)
            else:
                await self._serve()
        except ConnectionClosed as closed:
            self._code = closed.code
        finally:
            self._has_ended = True
            self._settle()
            self._lifetime.stop()
            for task in (*self._running, *self._endings):
                task.cancel()
            current.reset(token)

    @property
    def comes_back(self) -> bool:
        """Whether the client may come back for what it missed, once the connection has ended."""
        code = self._connection.closed_with or self._code
        return self._connection.is_placed and reaction_to_close(code).retriable

    async def dismiss(self, problem: Problem, deadline: float) -> None:
        """Say goodbye: the problem, time for running handlers to finish, and the close code. Never raises."""
        await self._connection.send_problem(problem)
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                while not self._is_idle:
                    if self._became_idle is None:
                        self._became_idle = asyncio.get_running_loop().create_future()
                    await asyncio.shield(self._became_idle)
        except TimeoutError:
            _log.warning("a handler did not finish in time", extra=self._context)
        await self._connection.finish(self._code_for(problem), problem.kind.title)

    # --- the connection as a whole ----------------------------------------------------------------------------------

    async def _part(self, problem: Problem) -> None:
        """Tell a problem, and close. What is still received is not handled any more."""
        self._is_parting = True
        _log.info("%s", problem.type, extra=self._context)
        await self._connection.part(problem, self._code_for(problem))

    async def _serve(self) -> None:
        start = time.monotonic()
        tell(self._observers, lambda observer: observer.opened(self._connection))
        begun = False
        try:
            begun = await self._begin(start) and await self._welcome()
            if begun and await self._attempt(self._route.opened):
                await self._read()
        finally:
            if self._running:
                await asyncio.wait(self._running, timeout=self._options.close_timeout)
            # Also when `opened` failed halfway: it may have entered the connection somewhere.
            if begun:
                await self._attempt(self._route.closed)
            seconds = time.monotonic() - start
            tell(self._observers, lambda observer: observer.closed(self._connection, seconds))

    async def _begin(self, start: float) -> bool:
        """Start the timers; says whether the connection goes on."""
        try:
            self._last_message = start
            self._lifetime.begin()
        except Exception:
            await self._part(incident("a connection could not be begun", extra=self._context))
            return False
        self._is_idle = False
        return True

    async def _welcome(self) -> bool:
        """Have the connection hear what it should, and resume where it wants to; says whether it goes on."""
        connection = self._connection
        try:
            asked = await self._hear_resume() if connection.is_placed else None
            connection.is_placed = asked is not None
            await self._dispatcher.node.welcome(connection, asked)
        except Refused as refused:
            await self._part(refused.problem)
        except ConnectionClosed:
            raise
        except Exception:
            await self._part(incident("a connection could not be welcomed", extra=self._context))
        else:
            return True
        return False

    async def _hear_resume(self) -> Resume | None:
        """The first message of a client that can resume; None when it does not, as when it was not told that it may."""
        self._settle()  # a server that stops does not wait for it
        try:
            async with asyncio.timeout(self._options.open_timeout):
                frame = await self._transport.receive()
        except TimeoutError:
            return None
        finally:
            self._is_idle = False
        if not resumes(frame):
            self._first = frame
            return None
        asked = from_client(frame)
        if asked is None:
            raise Refused(Problem.of(MALFORMED_MESSAGE, "the first message was to be one that resumes"))
        return asked

    def _outlive(self) -> None:
        """The peer has gone. A handler may finish, in bounded time: its connection counts for the limits until then."""
        if not self._has_ended:
            self._lifetime.after("outlive", self._options.drain_timeout, self._give_up)

    def _give_up(self) -> None:
        _log.warning("a handler is cancelled: its client has gone", extra=self._context)
        for task in (*self._running, self.task):
            task.cancel()

    async def _read(self) -> None:
        connection, transport, dispatcher = self._connection, self._transport, self._dispatcher
        surrounded = self._authorizes or bool(self._observers) or self._options.handler_timeout is not None
        goes_on = True
        while goes_on:
            frame, self._first = transport.received() if self._first is None else self._first, None
            if frame is None:
                self._settle()
                frame = await transport.receive()
            if self._is_parting or dispatcher.draining:
                self._settle()
                continue  # what comes after the goodbye is not handled; the close is on its way
            self._is_idle = False
            decision = (
                self._take(frame) if self._shared_rate is None else await self._take_shared(frame, self._shared_rate)
            )
            if isinstance(decision, Refusal):
                goes_on = await self._refuse(decision)
                continue
            handler = decision.handler
            if handler.concurrent:
                await self._start(decision)
            elif surrounded or handler.security or handler.replies:
                goes_on = await self._handle(decision)
            else:
                try:
                    await getattr(self._server, handler.method)(connection, decision.message)
                except Exception as error:
                    goes_on = await self._refuse(self._blame(error, decision.message))

    def _settle(self) -> None:
        """Note that no handler runs, unless one does beside the others."""
        if self._running:
            return
        self._is_idle = True
        if self._became_idle is not None and not self._became_idle.done():
            self._became_idle.set_result(None)

    # --- messages ---------------------------------------------------------------------------------------------------

    def _take(self, frame: str | bytes) -> Call | Refusal:
        """What a frame leads to, by the limits and by what it says."""
        now = time.monotonic()
        self._last_message = now
        if self._observers:
            tell(self._observers, lambda observer: observer.received(self._connection, len(frame)))
        if self._rate is not None and not self._rate.take(now):
            return self._too_many(frame, self._rate.wait)
        try:
            return self._session.receive(frame)
        except Exception:
            return refusal(incident("a message could not be read", extra=self._context))

    async def _take_shared(self, frame: str | bytes, rate: SharedRate) -> Call | Refusal:
        """The same, where other connections count as well."""
        self._last_message = time.monotonic()
        return self._take(frame) if await rate.take() else self._too_many(frame, rate.wait)

    def _too_many(self, frame: str | bytes, wait: float) -> Refusal:
        problem = Problem.of(TOO_MANY_REQUESTS, retry_after=wait)
        return self._session.fault(problem.about(self._incoming.correlation_in(frame)))

    def _rate_of_principal(self) -> SharedRate | None:
        """Where messages are counted on all nodes together, what counts them."""
        rate, who = self._limits.messages_per_second, self._connection.principal.id
        if rate is None or not who or self._options.message_rates != "principal":
            return None
        self._rate = None
        return self._dispatcher.node.rate(f"{self._route.path} {who}", rate, self._limits.message_burst)

    async def _start(self, call: Call) -> None:
        """Run a handler beside the others."""
        task = asyncio.create_task(self._handle(call))
        self._running.add(task)
        task.add_done_callback(self._finished)
        if len(self._running) >= self._limits.max_concurrent:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    def _finished(self, task: asyncio.Task[bool]) -> None:
        self._running.discard(task)
        self._settle()
        if not task.cancelled() and task.exception() is None and not task.result():
            self._transport.abort()  # it has been closed by then

    async def _handle(self, call: Call) -> bool:
        """Call the handler of a message; says whether the connection goes on."""
        handler, message = call.handler, call.message
        try:
            if handler.security:
                self._check_scopes(handler)
            if self._authorizes and not handler.own:
                await self._server.authorize(self._connection, handler.method, message)
            if self._options.handler_timeout is None:
                await self._run(call)
            else:
                async with self._in_time(self._options.handler_timeout, handler):
                    await self._run(call)
        except Exception as error:
            return await self._refuse(self._blame(error, message))
        return True

    def _blame(self, error: Exception, message: object) -> Refusal:
        """What the exception of a handler, which is being handled, leads to. Raises it when the connection has ended."""
        if isinstance(error, Refused):
            problem = error.problem
        elif isinstance(error, ConnectionClosed) and not self._connection.is_open:
            raise error
        else:
            problem = incident("a message could not be handled", extra=self._context)
        return refusal(problem.about(self._incoming.correlation_of(message)))

    async def _run(self, call: Call) -> None:
        """Call a handler, surrounded by the observers."""
        if not self._observers:
            await self._call(call)
            return
        with watched(self._observers, self._connection, call.handler.method, call.message):
            await self._call(call)

    async def _call(self, call: Call) -> None:
        """Call a handler, and send what it returns if that is a reply."""
        method: Method = getattr(self._server, call.handler.method)
        message = call.message
        if not call.handler.replies:
            await method(self._connection, message)
            return
        async with self._in_time(self._options.reply_timeout, call.handler):
            reply: Any = await method(self._connection, message)
        outgoing, correlation = self._route.outgoing, self._incoming.correlation_of(message)
        if correlation is not None and outgoing.correlation_of(reply) != correlation:
            reply = outgoing.correlate(reply, correlation)
        await self._connection.send(reply)

    @asynccontextmanager
    async def _in_time(self, timeout: float, handler: Handler) -> AsyncGenerator[None]:
        """Cancel a handler after some time, and refuse its message then."""
        bound = asyncio.timeout(timeout)
        try:
            async with bound:
                yield
        except TimeoutError:
            if not bound.expired():
                raise  # the handler's own
            _log.warning("%s was cancelled: it took longer than %s s", handler.method, timeout, extra=self._context)
            raise Refused(Problem.of(INTERNAL_SERVER_ERROR, "it took too long to handle this message")) from None

    def _check_scopes(self, handler: Handler) -> None:
        identity, security = self._connection.identity, handler.security
        if identity.meets(security):
            return
        if identity.knows(security):
            raise Refused(Problem.of(FORBIDDEN, "the credentials do not grant the scopes that this needs"))
        # As a message only: who may do other things stays connected.
        raise Refused(Problem.of(FORBIDDEN, "other credentials are needed for this"))

    async def _refuse(self, decision: Refusal) -> bool:
        _log.info("%s", decision.problem.type, extra=self._context)
        if decision.close is None:
            await self._connection.send_problem(decision.problem)
            return True
        code = self._route.closing.get(decision.problem.type, decision.close)
        await self._connection.part(decision.problem, code)
        return False

    async def _attempt(self, hook: str) -> bool:
        """Run a hook of the application; says whether the connection goes on."""
        if not hook:
            return True
        try:
            await getattr(self._server, hook)(self._connection)
        except ConnectionClosed:
            return False
        except Exception as error:
            problem = error.problem if isinstance(error, Refused) else incident("%s failed", hook, extra=self._context)
            if self._transport.is_open:
                await self._refuse(Refusal(problem, self._code_for(problem)))
            return False
        return True

    # --- ends ------------------------------------------------------------------------------------------------------

    def _end_with(self, problem: Problem) -> None:
        if self._is_parting:
            return
        task = asyncio.create_task(self._part(problem))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    def _code_for(self, problem: Problem) -> int:
        return self._route.code_for(problem) or INTERNAL_ERROR

    @property
    def _context(self) -> dict[str, object]:
        """What log records about the connection carry."""
        return {"connection": self._connection.id}


def incident(event: str, *arguments: object, extra: dict[str, object] | None = None) -> Problem:
    """Log the exception being handled under a fresh id, and make the problem that tells only the id."""
    name = os.urandom(6).hex()
    _log.exception("incident %s: " + event, name, *arguments, extra={**(extra or {}), "incident": name})
    return unexpected(name)


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None, "a conversation runs in a task"
    return task
