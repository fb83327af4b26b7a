"""Where lines are typed: with completion and history where prompt_toolkit is installed, plainly where not."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from sockspec.console.completion import Suggestion

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

Suggest = Callable[[str], Iterable[Suggestion]]
PROMPT = "> "


class Keyboard(Protocol):
    """Gives the lines that somebody types."""

    async def line(self) -> str | None:
        """The next line; None at the end."""
        ...


@contextmanager
def keyboard(suggest: Suggest, say: Callable[[str], object]) -> Generator[Keyboard]:
    """The best keyboard that there is. Whatever is printed meanwhile stands above the line that is being typed."""
    if importlib.util.find_spec("prompt_toolkit") is None:
        say("completion and history need prompt_toolkit: pip install 'sockspec[connect]'")
        yield PlainKeyboard()
        return
    from prompt_toolkit.patch_stdout import patch_stdout

    with patch_stdout(raw=True):
        yield PromptKeyboard(suggest)


class PlainKeyboard:
    """Lines as the terminal itself edits them."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._reader: threading.Thread | None = None

    async def line(self) -> str | None:
        """The next line; None at the end."""
        if self._reader is None:
            loop = asyncio.get_running_loop()
            self._reader = threading.Thread(target=self._read, args=(loop,), daemon=True)
            self._reader.start()
        return await self._lines.get()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for line in sys.stdin:
                loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\n"))
            loop.call_soon_threadsafe(self._lines.put_nowait, None)
        except RuntimeError:
            pass  # the session is over


class PromptKeyboard:
    """Lines with completion and, for as long as the session lasts, history."""

    def __init__(self, suggest: Suggest, *, input: Input | None = None, output: Output | None = None) -> None:
        """`input` and `output` are for tests; the terminal's where they are None."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer
        from prompt_toolkit.history import InMemoryHistory

        class Names(Completer):
            def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
                return _completions(suggest(document.text_before_cursor))

        # A file of history would keep what was typed, credentials perhaps.
        self._session: PromptSession[str] = PromptSession(
            PROMPT, completer=Names(), history=InMemoryHistory(), input=input, output=output
        )

    async def line(self) -> str | None:
        """The next line, empty where it was given up by Control-C; None at the end."""
        try:
            return await self._session.prompt_async()
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None


def _completions(suggested: Iterable[Suggestion]) -> Iterator[Completion]:
    from prompt_toolkit.completion import Completion

    for one in suggested:
        yield Completion(one.text, start_position=-one.replaces, display_meta=one.about)
