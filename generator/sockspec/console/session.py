"""A conversation with somebody at the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sockspec.console import completion, description
from sockspec.console.batch import WELL
from sockspec.console.keyboard import Keyboard
from sockspec.console.look import Look, shown
from sockspec.console.record import Recorder
from sockspec.console.target import without_query
from sockspec.console.vocabulary import Mistyped, Vocabulary, explained
from sockspec.console.wire import AllSent, Closed, Event, Failed, GaveUp, Opened, Passed, Unreachable, Waiting, Wire
from sockspec.runtime.backoff import Ending
from sockspec.runtime.problems import PayloadError
from sockspec.runtime.transport import ConnectionClosed
from sockspec.spec.walk import nearest

COMMANDS: Final = {
    "/messages": "lists the messages",
    "/show": "shows what a message carries: /show NAME",
    "/close": "closes the connection, with a code if you like: /close 4000",
    "/reconnect": "opens the connection again",
    "/help": "lists what can be typed",
    "/quit": "closes the connection and ends",
}
_NORMAL: Final = 1000
_RESERVED: Final = {1004, 1005, 1006, 1015}


class Session:
    """Reads lines, sends them, and shows what passes."""

    def __init__(
        self,
        wires: Callable[[], Wire],
        vocabulary: Vocabulary,
        *,
        say: Callable[[str], object],
        look: Look,
        recorder: Recorder | None = None,
    ) -> None:
        """`wires` makes what connects, anew for each `/reconnect`; `say` prints."""
        self._wires = wires
        self._vocabulary = vocabulary
        self._say = say
        self._look = look
        self._recorder = recorder
        self._wire: Wire | None = None
        self._listener: asyncio.Task[None] | None = None

    def suggest(self, line: str) -> Iterable[completion.Suggestion]:
        """What may follow a line that is being typed."""
        return completion.suggestions(self._vocabulary, COMMANDS, line)

    async def run(self, keyboard: Keyboard) -> int:
        """Talk until the end of the input or `/quit`; returns the exit code. Raises Unreachable and OSError."""
        await self._open()
        try:
            self._say_all(description.listed(self._vocabulary, self._look))
            self._say('type MessageName {"json": ...}, or /help')
            while (line := await keyboard.line()) is not None:
                if line.strip() and not await self._obey(line.strip()):
                    break
        finally:
            await self._close()
        return WELL

    # --- what is typed ----------------------------------------------------------------------------------------------

    async def _obey(self, line: str) -> bool:
        """Do what a line says; false when it says to end."""
        command, _, argument = line.partition(" ")
        match command, argument.strip():
            case "/quit", _:
                return False
            case "/messages", _:
                self._say_all(description.listed(self._vocabulary, self._look))
            case "/show", name:
                self._show(name)
            case "/close", code:
                await self._close_with(code)
            case "/reconnect", _:
                await self._reconnect()
            case "/help", _:
                self._say_all(_help())
            case _ if command.startswith("/"):
                near = nearest(command, COMMANDS)
                self._warn(f"there is no {command!r}; " + (f"did you mean {near!r}?" if near else "see /help"))
            case _:
                await self._send(line)
        return True

    async def _send(self, line: str) -> None:
        try:
            composed = self._vocabulary.compose(line)
            if self._wire is None:
                raise ConnectionClosed(reason="not connected")
            await self._wire.send(composed.frame)
        except Mistyped as error:
            self._warn(f"not sent: {error}")
        except PayloadError as error:
            first, *faults = explained(error.problem)
            self._warn(f"not sent: {first}")
            self._say_all(f"    {shown(fault)}" for fault in faults)
        except ConnectionClosed:
            self._warn("not sent: there is no connection; /reconnect opens it again")

    def _show(self, name: str) -> None:
        try:
            self._say_all(description.shown(self._vocabulary, self._vocabulary.find(name), self._look))
        except Mistyped as error:
            self._warn(str(error))

    async def _close_with(self, text: str) -> None:
        code = int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else _NORMAL if not text else 0
        if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in _RESERVED:
            self._warn(f"{text!r} is no code to close with: expected 1000 to 1014, or 3000 to 4999")
        elif self._wire is None:
            self._warn("there is no connection")
        else:
            await self._close(code)

    async def _reconnect(self) -> None:
        await self._close()
        try:
            await self._open()
        except (Unreachable, ValueError) as error:
            self._warn(f"could not connect: {error}")

    # --- the connection ---------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        wire = self._wires()
        await wire.open()
        self._note(await anext(wire), wire)  # that it is open
        self._wire = wire
        self._listener = asyncio.create_task(self._listen(wire))

    async def _close(self, code: int = _NORMAL) -> None:
        wire, listener = self._wire, self._listener
        self._wire = self._listener = None
        if wire is not None and listener is not None:
            await wire.close(code)
            await listener

    async def _listen(self, wire: Wire) -> None:
        async for event in wire:
            self._note(event, wire)

    def _note(self, event: Event, wire: Wire) -> None:
        name = self._tell(event, wire)
        if self._recorder is None:
            return
        try:
            self._recorder.note(event, name)
        except OSError as error:  # a full disk ends the record, not the conversation
            self._recorder = None
            self._warn(f"nothing more is recorded: {error.strerror or error}")

    def _tell(self, event: Event, wire: Wire) -> str | None:
        """Show an event; returns the name of its message."""
        match event:
            case Passed(sender, frame):
                vocabulary = self._vocabulary
                what = vocabulary.sent(frame) if sender == "client" else vocabulary.received(frame)
                self._say(self._look.passed(event, what))
                return what.name
            case Opened():
                self._say(self._look.paint(f"connected to {without_query(wire.url)}", "quiet"))
            case Closed(ending):
                self._say(self._look.paint(f"the connection ended with code {_how(ending)}", "quiet"))
            case Waiting():
                self._say(self._look.paint("connecting again", "quiet"))
            case Failed(ending):
                self._warn(f"could not connect: {ending.reason}")
            case GaveUp():
                self._warn("not connected; /reconnect opens the connection again")
            case AllSent():
                pass
        return None

    # --- what is said -----------------------------------------------------------------------------------------------

    def _say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(line)

    def _warn(self, what: str) -> None:
        self._say(self._look.paint(f"! {shown(what)}", "bad"))


def _how(ending: Ending) -> str:
    return shown(f"{ending.code}: {ending.reason}" if ending.reason else str(ending.code))


def _help() -> Iterator[str]:
    yield 'MessageName {"json": ...}  sends a message; JSON alone does, too'
    width = max(map(len, COMMANDS))
    yield from (f"{name.ljust(width)}  {about}" for name, about in COMMANDS.items())
