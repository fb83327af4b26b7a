"""A conversation that is sure of what answers what: over as many connections as that takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from sockspec.contract.plan import MALFORMED, UNKNOWN, Plan
from sockspec.contract.settings import NoConnection, Settings
from sockspec.contract.target import Target
from sockspec.contract.wire import Journal, Pace, Received, Refusal, Wire, dial, is_too_early
from sockspec.runtime.problems import MALFORMED_MESSAGE, Problem

_MOST_FAULTS: Final = 20
"""Invalid messages in a row that servers put up with, where the document does not say otherwise."""
_TIMES: Final = 5


class Lost(Exception):
    """No connection can be had any more; the message says how it was refused."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came after a frame was sent."""

    errors: tuple[Received, ...]
    others: tuple[Received, ...]
    closed: int | None
    """The close code, where the server ended the connection over it."""

    def told(self) -> str:
        """The same in words."""
        said = [f"{e.problem.type}: {e.problem.message}" for e in self.errors if e.problem is not None]
        if self.closed is not None:
            said.append(f"the connection was closed with {self.closed}")
        return "; ".join(said) or "no error message came"


@dataclass(slots=True)
class Talk:
    """Sends frames of one channel and says what came of each."""

    plan: Plan
    target: Target
    settings: Settings
    pace: Pace
    journal: Journal
    wire: Wire | None = None
    _fence: tuple[str, str] | None = None
    """What the server says to a text that is not JSON, once that is known to tell it from all else.

    Such a text is sent after each message: once it is answered, all that the message gives rise to has come.
    """
    _misses: int = 0
    _answers_pings: bool = False

    async def connected(self) -> Wire:
        """A connection that can still be made mistakes on. Raises Lost."""
        wire = self.wire
        limit = int(self.plan.limits.get("maxFaults", _MOST_FAULTS))
        if wire is not None and wire.closed is None and wire.faults + 3 <= limit:
            return wire
        await self.leave()
        try:
            opened = await dial(self.target, self.journal, self.pace, self.settings.timeout)
        except NoConnection as none:
            raise Lost(str(none)) from None
        if isinstance(opened, Refusal):
            raise Lost(f"the handshake was refused with {opened.status or opened.why}")
        self.wire = opened
        for name in self.settings.first:
            for case in self.plan.cases:
                if case.message.name == name and case.frames:
                    await self._once(opened, case.frames[0], wants_error=False)
        return opened

    async def leave(self) -> None:
        """Close the connection, if there is one."""
        if self.wire is not None:
            await self.wire.leave()
            self.wire = None

    async def learn(self) -> tuple[Exchange | None, Exchange | None]:
        """What comes of a text that is not JSON, and of an unknown type; None where the document allows such."""
        malformed = unknown = None
        self._answers_pings = await (await self.connected()).pong()
        if not self.plan.takes(MALFORMED):
            malformed = await self.exchange(MALFORMED, wants_error=True)
        if not self.plan.takes(UNKNOWN):
            unknown = await self.exchange(UNKNOWN, wants_error=True)
        if malformed is not None and unknown is not None and malformed.closed is None:
            ours, theirs = map(_signatures, (malformed, unknown))
            sure = bool(ours) and ours[0][0] == MALFORMED_MESSAGE
            if len(ours) == 1 and (theirs or sure) and ours[0] not in theirs:
                self._fence = ours[0]
        return malformed, unknown

    async def exchange(self, frame: str | bytes, *, wants_error: bool) -> Exchange:
        """Send a frame, on a fresh connection where needed, and wait for all that it gives rise to.

        A frame that came too early for the server is sent again when it asks for that. Raises Lost.
        """
        found = Exchange((), (), None)
        for _ in range(_TIMES):
            found = await self._once(await self.connected(), frame, wants_error=wants_error)
            early = next((error for error in found.errors if is_too_early(error)), None)
            if early is None:
                break
            await self.pace.back_off(early.problem.retry_after if early.problem is not None else None)
        return found

    async def _once(self, wire: Wire, frame: str | bytes, *, wants_error: bool) -> Exchange:
        await wire.send(frame)
        wire.faults = wire.faults + 1 if wants_error else 0
        if self._fence is not None:
            await wire.send(MALFORMED)
            wire.faults += 1
        elif self._answers_pings and not wants_error:
            await wire.pong()  # from then on the silence counts, however far away the server is
        return await self._collect(wire, wants_error=wants_error)

    async def _collect(self, wire: Wire, *, wants_error: bool) -> Exchange:
        errors: list[Received] = []
        others: list[Received] = []
        deadline = time.monotonic() + self.settings.timeout
        fenced = self._fence is not None
        while True:
            left = max(0.0, deadline - time.monotonic())
            patient = fenced or (wants_error and not errors and self._misses < 2)
            received = await wire.next(left if patient else min(left, self.settings.quiet))
            if received is None:
                break
            if received.problem is None:
                others.append(received)
            elif fenced and _signature(received.problem) == self._fence:
                return Exchange(tuple(errors), tuple(others), wire.closed)
            else:
                errors.append(received)
                fenced = fenced and not is_too_early(received)
        if wire.closed is None and fenced:
            self._fence = None  # it is no sign any more
        if wants_error and not errors:
            self._misses += 1
        return Exchange(tuple(errors), tuple(others), wire.closed)

    async def reply(self, frame: str | bytes, replies: tuple[type, ...]) -> tuple[list[Received], list[Received]]:
        """Send a request; the replies that came until there was one, and the error messages. Raises Lost."""
        for _ in range(_TIMES):
            wire = await self.connected()
            await wire.send(frame)
            wire.faults = 0
            found: list[Received] = []
            errors: list[Received] = []
            deadline = time.monotonic() + self.settings.timeout
            while not found and not errors:
                received = await wire.next(max(0.0, deadline - time.monotonic()))
                if received is None:
                    break
                if self.plan.is_one_of(received, replies):
                    found.append(received)
                elif received.problem is not None:
                    errors.append(received)
            if not (errors and is_too_early(errors[0])):
                return found, errors
            await self.pace.back_off(errors[0].problem.retry_after if errors[0].problem is not None else None)
        return [], []


def _signatures(exchange: Exchange) -> list[tuple[str, str]]:
    return [_signature(error.problem) for error in exchange.errors if error.problem is not None]


def _signature(problem: Problem) -> tuple[str, str]:
    return problem.type, problem.message
