"""What a server does with handshakes and connections, over any transport: admit, converse, drain."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any, Final

from sockspec.runtime.connection import Admission, Connection, current
from sockspec.runtime.handshake import Handshake, Values, read_target
from sockspec.runtime.options import Options
from sockspec.runtime.parameters import read_parameters
from sockspec.runtime.problems import NOT_FOUND, ORIGIN_NOT_ALLOWED, SERVICE_RESTART, Problem, Refused
from sockspec.runtime.routing import Route, Router
from sockspec.runtime.server import Server
from sockspec.runtime.session import Call, Refusal, Session, refusal, unexpected
from sockspec.runtime.transport import ConnectionClosed, Transport

_log: Final = logging.getLogger("sockspec.server")

INTERNAL_ERROR: Final = 1011


class Dispatcher:
    """Serves one application: every way of serving it hands its handshakes and its connections over to this."""

    def __init__(self, server: Server, options: Options) -> None:
        self.server: Final = server
        self.options: Final = options
        self.draining = False
        self._router = Router(server.routes)
        self._conversations: set[Conversation] = set()

    @property
    def restarting(self) -> Problem:
        """What clients are told when the server stops."""
        return Problem.of(SERVICE_RESTART, retry_after=self.options.retry_after)

    async def admit(self, target: str, headers: Values, *, peer: str) -> Admission:
        """Accept a handshake with this request target, or raise Refused."""
        if self.draining:
            raise Refused(self.restarting)
        path, query = read_target(target)
        match = self._router.match(path)
        if match is None:
            raise Refused(Problem.of(NOT_FOUND, "no WebSocket endpoint has this path"))
        origin, allowed = headers.get("origin"), self.options.origins
        if origin is not None and allowed is not None and origin not in allowed:
            raise Refused(Problem.of(ORIGIN_NOT_ALLOWED))
        parameters = read_parameters(match.route.parameters, match.parameters, query, headers)
        handshake = Handshake(path, parameters, match.parameters, query, headers, peer)
        try:
            principal = await self.server.authenticate(handshake)
        except Refused:
            raise
        except Exception:
            raise Refused(_incident("authenticate failed for a handshake from %s", peer)) from None
        if self.draining:
            raise Refused(self.restarting)
        return Admission(match.route, handshake, principal)

    async def converse(self, transport: Transport, admission: Admission) -> None:
        """Serve a connection until it ends. Raises nothing."""
        connection = admission.route.connection(
            transport, admission, error_message=self.server.error_message, options=self.options
        )
        conversation = Conversation(self, connection, transport, admission.route)
        options = self.options
        keep_alive = asyncio.create_task(transport.keep_alive(options.ping_interval, options.ping_timeout))
        self._conversations.add(conversation)
        try:
            await conversation.run()
        finally:
            keep_alive.cancel()
            self._conversations.discard(conversation)

    async def drain(self) -> None:
        """Refuse new connections and end the others: tell them, let running handlers finish, close, and cancel."""
        self.draining = True
        dismissed = list(self._conversations)
        await asyncio.gather(*(conversation.dismiss(self.restarting) for conversation in dismissed))
        leftovers = [conversation.task for conversation in dismissed if conversation in self._conversations]
        for task in leftovers:
            task.cancel()
        if leftovers:
            await asyncio.wait(leftovers, timeout=self.options.close_timeout)


class Conversation:
    """One connection being served: reads frames, and runs one handler at a time, in the order of the messages."""

    def __init__(self, dispatcher: Dispatcher, connection: Connection[Any], transport: Transport, route: Route) -> None:
        self.task: Final = _current_task()
        self._dispatcher = dispatcher
        self._connection = connection
        self._transport = transport
        self._route = route
        self._session = Session(route, max_faults=dispatcher.options.max_faults, receiving=dispatcher.options.receiving)
        self._idle = asyncio.Event()

    async def run(self) -> None:
        """Converse until the connection ends."""
        token = current.set(self._connection)
        try:
            if self._dispatcher.draining:
                self._idle.set()
                await self.dismiss(self._dispatcher.restarting)
            else:
                await self._serve()
        except ConnectionClosed:
            pass
        finally:
            self._idle.set()
            current.reset(token)

    async def dismiss(self, problem: Problem) -> None:
        """Say goodbye: the problem, time for a running handler to finish, and the close code. Never raises."""
        await self._connection.send_problem(problem)
        try:
            async with asyncio.timeout(self._dispatcher.options.drain_timeout):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("connection %s: a handler did not finish in time", self._connection.id)
        await self._close(problem)

    async def _close(self, problem: Problem) -> None:
        await self._transport.close(problem.kind.close or INTERNAL_ERROR, problem.kind.title)

    async def _serve(self) -> None:
        try:
            if await self._attempt(self._route.opened):
                await self._read()
        finally:
            # Also when `opened` failed halfway: it may have entered the connection somewhere.
            await self._attempt(self._route.closed)

    async def _read(self) -> None:
        goes_on = True
        while goes_on:
            self._idle.set()
            frame = await self._transport.receive()
            if self._dispatcher.draining:
                continue  # what comes after the goodbye is not handled; the close is on its way
            self._idle.clear()
            goes_on = await self._take(frame)

    async def _take(self, frame: str | bytes) -> bool:
        """Act on a frame; says whether the connection goes on."""
        correlation: object = None
        try:
            decision = self._session.receive(frame)
            if isinstance(decision, Refusal):
                return await self._refuse(decision)
            correlation = decision.correlation
            await self._call(decision)
        except Refused as refused:
            return await self._refuse(refusal(refused.problem.about(correlation)))
        except Exception as error:
            if isinstance(error, ConnectionClosed) and not self._transport.is_open:
                raise
            problem = _incident("connection %s: a message could not be handled", self._connection.id)
            return await self._refuse(refusal(problem.about(correlation)))
        return True

    async def _call(self, call: Call) -> None:
        reply = await getattr(self._dispatcher.server, call.handler.method)(self._connection, call.message)
        if not call.handler.replies:
            return
        outgoing = self._route.outgoing
        if call.correlation is not None and outgoing.correlation_of(reply) != call.correlation:
            reply = outgoing.correlate(reply, call.correlation)
        await self._connection.send(reply)

    async def _refuse(self, decision: Refusal) -> bool:
        _log.info("connection %s: %s", self._connection.id, decision.problem.type)
        await self._connection.send_problem(decision.problem)
        if decision.close is None:
            return True
        await self._transport.close(decision.close, decision.problem.kind.title)
        return False

    async def _attempt(self, hook: str) -> bool:
        """Run a hook of the application; says whether the connection goes on."""
        if not hook:
            return True
        try:
            await getattr(self._dispatcher.server, hook)(self._connection)
        except ConnectionClosed:
            return False
        except Exception as error:
            problem = error.problem if isinstance(error, Refused) else _incident("%s failed", hook)
            if self._transport.is_open:
                await self._refuse(Refusal(problem, problem.kind.close or INTERNAL_ERROR))
            return False
        return True


def _incident(event: str, *arguments: object) -> Problem:
    """Log the exception being handled under a fresh id, and make the problem that tells only the id."""
    incident = os.urandom(6).hex()
    _log.exception("incident %s: " + event, incident, *arguments)
    return unexpected(incident)


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None, "a conversation runs in a task"
    return task
