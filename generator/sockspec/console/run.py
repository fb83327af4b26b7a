"""One run: a conversation at the keyboard, in a pipe, or from a record."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from sockspec.console import lines, replay
from sockspec.console.batch import FAILED, Batch, Line, Stop
from sockspec.console.keyboard import keyboard
from sockspec.console.look import Look
from sockspec.console.record import Record, Recorder, read
from sockspec.console.secrets import Secrets
from sockspec.console.session import Session
from sockspec.console.target import Target
from sockspec.console.vocabulary import Vocabulary
from sockspec.console.wire import Wire

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be said, and when it ends."""

    send: str | None = None
    """A file whose lines are sent; `-` for standard input."""
    replay: Path | None = None
    speed: float = 1.0
    record: Path | None = None
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        if self.replay is None:
            return
        if self.send is not None or self.stop.count or self.stop.until or self.stop.seconds is not None:
            raise ValueError(
                "a record says itself what is sent and when it ends: --replay goes without --send, --count, --until and --for"
            )
        if self.record is not None and self.replay.resolve() == self.record.resolve():
            raise ValueError("--record would write over what --replay reads; name another file")

    @property
    def is_automatic(self) -> bool:
        """Whether nobody at a keyboard is needed."""
        return self.send is not None or self.replay is not None or self.stop != Stop(wait=self.stop.wait)


class Run:
    """A conversation that is prepared: every file is open, and what can be wrong with the plan is known not to be."""

    def __init__(
        self,
        plan: Plan,
        vocabulary: Vocabulary,
        target: Target,
        secrets: Secrets,
        *,
        channel: str,
        is_at_terminal: bool,
    ) -> None:
        """Raises ValueError for a plan that cannot be, and OSError for its files."""
        self.is_interactive = is_at_terminal and not plan.is_automatic
        self._plan = plan
        self._vocabulary = vocabulary
        self._target = target
        self._files = ExitStack()
        self.make_wire()  # what is wrong with the target is said before anything is written
        if plan.stop.until is not None:
            name = vocabulary.find(plan.stop.until, vocabulary.receivable).name
            self._plan = replace(plan, stop=replace(plan.stop, until=name))
        self._before: Record | None = read(plan.replay) if plan.replay is not None else None
        self._source = self._opened()
        self._recorder: Recorder | None = None
        if plan.record is not None:
            self._recorder = Recorder(plan.record, channel, secrets)
            self._files.callback(self._recorder.close)

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def make_wire(self) -> Wire:
        """What connects to the target."""
        incoming, outgoing = self._vocabulary.incoming, self._vocabulary.outgoing
        return Wire(self._target, incoming=incoming, outgoing=outgoing, reconnects=self.is_interactive)

    async def talk(self, *, say: Say, complain: Say, look: Look) -> int:
        """Hold the conversation; returns the exit code. Raises Unreachable, and OSError of output and files."""
        if self.is_interactive:
            session = Session(self.make_wire, self._vocabulary, say=say, look=look, recorder=self._recorder)
            with keyboard(session.suggest, say) as keys:
                return await session.run(keys)
        before = self._before
        if before is None:
            return await self._batch(self._plan.stop, say, complain).run(self._lines())
        stop = replay.patience(before, self._plan.speed, self._plan.stop.wait)
        batch = self._batch(stop, say, complain)
        code = await batch.run(replay.lines(before, self._plan.speed))
        comparison = replay.compared(before, batch.received)
        for line in comparison.lines:
            complain(line)
        return code if comparison.same else FAILED

    def _batch(self, stop: Stop, say: Say, complain: Say) -> Batch:
        before = self._before
        return Batch(
            self.make_wire(),
            self._vocabulary,
            stop,
            output=say,
            complain=complain,
            recorder=self._recorder,
            expected_close=before.close if before is not None else None,
            # The problems of a record are meant to come again; others are differences.
            judges_problems=before is None,
        )

    def _opened(self) -> BinaryIO | None:
        """What is to be sent; None for nothing."""
        plan = self._plan
        if plan.replay is not None or self.is_interactive:
            return None
        if plan.send is not None and plan.send != "-":
            return self._files.enter_context(open(plan.send, "rb"))
        # At a terminal, who only says when to stop wants to listen.
        return None if plan.send is None and plan.is_automatic and sys.stdin.isatty() else sys.stdin.buffer

    async def _lines(self) -> AsyncIterator[Line]:
        if self._source is not None:
            name = self._plan.send if self._plan.send not in (None, "-") else "standard input"
            async for line in lines.read(self._source, str(name)):
                yield line
