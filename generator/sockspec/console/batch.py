"""A conversation without anybody at the keyboard: sends what it is given, prints what comes, and knows when to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from sockspec.console.look import as_line, shown
from sockspec.console.record import Recorder
from sockspec.console.vocabulary import Composed, Mistyped, Vocabulary, explained
from sockspec.console.wire import AllSent, Closed, Event, Passed, Wire
from sockspec.runtime.backoff import Ending
from sockspec.runtime.problems import PayloadError
from sockspec.runtime.transport import ConnectionClosed

WELL: Final = 0
FAILED: Final = 1
UNREACHABLE: Final = 3
_NORMAL: Final = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """Something to send; `where` says what it is and where it stands."""

    where: str
    text: str | bytes
    at: float = 0.0
    """Seconds after the connection was opened at which it is to be sent."""
    is_raw: bool = False
    """Whether it is a frame as it is, and not a line that may begin with the name of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When to stop. Where nothing is said, it is `wait` seconds after the last message, when everything is sent."""

    count: int | None = None
    until: str | None = None
    seconds: float | None = None
    wait: float = 1.0
    after: float = 0.0
    """The quiet of `wait` does not count before so many seconds."""


class Batch:
    """One such conversation."""

    def __init__(
        self,
        wire: Wire,
        vocabulary: Vocabulary,
        stop: Stop,
        *,
        output: Callable[[str], object],
        complain: Callable[[str], object],
        recorder: Recorder | None = None,
        expected_close: int | None = None,
        judges_problems: bool = True,
    ) -> None:
        """`output` gets the lines of JSON, `complain` what went wrong.

        `judges_problems` says whether a problem that the server tells is a failure.
        """
        self.received: list[str | None] = []
        """The names of what came, in order."""
        self._wire = wire
        self._vocabulary = vocabulary
        self._stop = stop
        self._output = output
        self._complain = complain
        self._recorder = recorder
        self._accepted = {_NORMAL, expected_close}
        self._judges_problems = judges_problems
        self._failed = False
        self._all_sent = False
        self._ending: Ending | None = None
        self._opened = self._active = 0.0

    async def run(self, lines: AsyncIterator[Line]) -> int:
        """Hold the conversation; returns the exit code. Raises Unreachable, and OSError of output and record."""
        await self._wire.open()
        loop = asyncio.get_running_loop()
        self._opened = self._active = loop.time()
        feeder = asyncio.create_task(self._feed(lines))
        closed_early = False
        try:
            closed_early = await self._listen()
        finally:
            feeder.cancel()
            closing = asyncio.create_task(self._wire.close())
            async for event in self._wire:
                self._note(event)
            await closing
            await asyncio.wait([feeder])
        if not feeder.cancelled() and (error := feeder.exception()) is not None:
            raise error
        self._conclude(closed_early)
        return FAILED if self._failed else WELL

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _feed(self, lines: AsyncIterator[Line]) -> None:
        try:
            async for line in lines:
                await asyncio.sleep(max(0.0, self._opened + line.at - asyncio.get_running_loop().time()))
                composed = self._composed(line)
                if composed is not None:
                    await self._wire.send(composed.frame)
            self._all_sent = True
        except ConnectionClosed:
            pass  # the listener hears of it as well, and knows why
        finally:
            await self._wire.post(AllSent())

    def _composed(self, line: Line) -> Composed | None:
        try:
            if line.is_raw or isinstance(line.text, bytes):
                return Composed(type(self._vocabulary.outgoing.decode(line.text)).__name__, line.text)
            return self._vocabulary.compose(line.text)
        except Mistyped as error:
            self._fail(f"{line.where} is not sent: {error}")
        except PayloadError as error:
            self._fail(f"{line.where} is not sent: {'; '.join(explained(error.problem))}")
        return None

    # --- receiving --------------------------------------------------------------------------------------------------

    async def _listen(self) -> bool:
        """Take what comes until it is time to stop; says whether the connection ended before."""
        while not self._is_met():
            try:
                async with asyncio.timeout_at(self._deadline()):
                    event = await anext(self._wire)
            except TimeoutError:
                return False
            self._note(event, prints=True)
            match event:
                case Closed():
                    return True
                case AllSent() if not self._all_sent:
                    return True
                case AllSent():
                    self._active = asyncio.get_running_loop().time()
                case _:
                    pass
        return False

    def _is_met(self) -> bool:
        return self._all_sent and self._has_come()

    def _has_come(self) -> bool:
        """Whether there is what was waited for; what comes behind it is not of interest."""
        stop = self._stop
        return (stop.count is not None and len(self.received) >= stop.count) or (
            stop.until is not None and stop.until in self.received
        )

    def _deadline(self) -> float | None:
        stop = self._stop
        if stop.seconds is not None:
            return self._opened + stop.seconds
        if stop.count is not None or stop.until is not None or not self._all_sent:
            return None
        return max(self._active, self._opened + stop.after) + stop.wait

    def _note(self, event: Event, *, prints: bool = False) -> None:
        name = None
        match event:
            case Passed(sender="client", frame=frame):
                name = self._vocabulary.sent(frame).name
            case Passed():
                name = self._take(event, prints=prints)
            case Closed(ending):
                self._ending = self._ending or ending
            case _:
                pass
        if self._recorder is not None:
            self._recorder.note(event, name)

    def _take(self, event: Passed, *, prints: bool) -> str | None:
        what = self._vocabulary.received(event.frame)
        if not prints or self._has_come():
            return what.name
        self._active = asyncio.get_running_loop().time()
        self.received.append(what.name)
        self._output(as_line(event, what))
        if what.told is not None:
            line = f"the server tells a problem, {what.told.type}: {'; '.join(explained(what.told))}"
            self._complain(shown(line))
            self._failed = self._failed or self._judges_problems
        if what.invalid is not None:
            self._fail(f"received what is invalid: {'; '.join(explained(what.invalid))}")
        return what.name

    # --- the end ----------------------------------------------------------------------------------------------------

    def _conclude(self, closed_early: bool) -> None:
        """Say what did not come to its end."""
        ending, stop = self._ending, self._stop
        if closed_early and ending is not None and ending.code not in self._accepted:
            why = f": {ending.reason}" if ending.reason else ""
            self._fail(f"the connection was lost with code {ending.code}{why}")
        elif closed_early and not self._all_sent:
            self._fail("the server closed the connection before everything was sent")
        wanted = [f"{stop.count} messages"] if stop.count is not None else []
        wanted += [f"a message {stop.until!r}"] if stop.until is not None else []
        if wanted and not self._has_come():
            self._fail(f"{' or '.join(wanted)} did not come: {len(self.received)} messages came")

    def _fail(self, why: str) -> None:
        self._failed = True
        self._complain(shown(why))
