"""`sockspec connect` at the keyboard: what it says, completes, sends and refuses, and how it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from io import StringIO

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.input.base import PipeInput
from prompt_toolkit.output import DummyOutput
from websockets.asyncio.server import ServerConnection

from chat import codecs
from sockspec.console.completion import Place, place, suggestions
from sockspec.console.keyboard import PromptKeyboard
from sockspec.console.look import Look, is_coloured
from sockspec.console.session import COMMANDS, Session
from sockspec.console.target import target
from sockspec.console.vocabulary import Vocabulary
from sockspec.console.wire import Unreachable, Wire
from sockspec.pipeline import examine
from sockspec.runtime import ClientOptions
from tests.connecting import CHAT, PATIENCE, Terminal, chat_server, serving

AT = '"timestamp": "2025-03-01T10:05:12Z"'


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    """The URL of the example's server."""
    with chat_server() as running:
        yield running


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """The messages of the chat."""
    api, _ = examine(CHAT, wholly=False)
    assert api is not None
    return Vocabulary(api, api.channels[0], incoming=codecs.ROOM_FROM_SERVER, outgoing=codecs.ROOM_FROM_CLIENT)


class Talk:
    """A session with somebody at the keyboard, and what it said."""

    def __init__(self, keys: PipeInput) -> None:
        self.said: list[str] = []
        self._keys = keys
        self._seen = 0
        self._changed = asyncio.Event()

    def say(self, text: str) -> None:
        self.said.extend(text.splitlines())
        self._changed.set()

    def types(self, line: str) -> None:
        """Type a line, and press Enter."""
        self._keys.send_text(f"{line}\r")

    async def says(self, text: str) -> str:
        """Wait for a line that has the text in it; returns the line."""
        while True:
            for at in range(self._seen, len(self.said)):
                if text in self.said[at]:
                    self._seen = at + 1
                    return self.said[at]
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def talking(vocabulary: Vocabulary, url: str) -> AsyncGenerator[tuple[Talk, asyncio.Task[int]]]:
    """A session on prompt_toolkit, whose terminal is a pipe."""
    api = vocabulary.api
    where = target(api, api.channels[0], url=url, parameters=[("room", "typed")], token="ann")

    def wires() -> Wire:
        options = ClientOptions(backoff_base=0.01)
        return Wire(where, incoming=vocabulary.incoming, outgoing=vocabulary.outgoing, reconnects=True, options=options)

    with create_pipe_input() as keys:
        talk = Talk(keys)
        session = Session(wires, vocabulary, say=talk.say, look=Look())
        keyboard = PromptKeyboard(session.suggest, input=keys, output=DummyOutput())
        async with asyncio.timeout(PATIENCE):
            running = asyncio.create_task(session.run(keyboard))
            try:
                yield talk, running
            finally:
                running.cancel()
                await asyncio.wait([running])


def test_messages_are_listed_sent_and_shown(vocabulary: Vocabulary, url: str) -> None:
    async def scenario() -> None:
        async with talking(vocabulary, url) as (talk, running):
            assert await talk.says("connected to") == f"connected to {url}/rooms/typed"
            await talk.says("you can send:")
            assert await talk.says("Join") == "  Join         Enters the room under a nickname."
            await talk.says("you may receive:")
            await talk.says("PresenceChanged  Tells everybody in the room who came, left or stepped away.")
            talk.types('Join {"data": {"nickname": "ann"}}')
            await talk.says("→ Join")
            assert '"nickname": "ann"' in await talk.says("nickname")
            await talk.says("← PresenceChanged")
            talk.types(f'{{"type": "sendMessage", {AT}, "data": {{"text": "hello"}}}}')
            await talk.says("→ SendMessage")
            await talk.says("← MessagePosted")
            talk.types("/quit")
            assert await running == 0
            assert talk.said[-1] == "the connection ended with code 1000"

    asyncio.run(scenario())


def test_what_is_invalid_is_not_sent_and_the_place_is_said(vocabulary: Vocabulary, url: str) -> None:
    async def scenario() -> None:
        async with talking(vocabulary, url) as (talk, running):
            talk.types('Join {"data": {"nickname": ""}}')
            assert await talk.says("! ") == "! not sent: the payload is not a valid Join message"
            assert await talk.says("/data") == "    /data/nickname: expected one that is not empty"
            talk.types("Jion {}")
            assert await talk.says("! ") == "! not sent: there is no message 'Jion' here; did you mean 'Join'?"
            talk.types('SendMessage {"data": {"text": "hi"}}')
            await talk.says("→ SendMessage")
            await talk.says("← Error")
            assert "the server tells a problem, /problems/forbidden: join the room first" in await talk.says("✗")
            assert not any("→ Join" in line for line in talk.said)
            talk.types("/quit")
            assert await running == 0

    asyncio.run(scenario())


def test_commands_show_close_and_open_again(vocabulary: Vocabulary, url: str) -> None:
    async def scenario() -> None:
        async with talking(vocabulary, url) as (talk, running):
            talk.types("/show gethistory")
            await talk.says("GetHistory  Asks for messages posted earlier.")
            await talk.says("data.limit")
            await talk.says("for example (The latest page, of the usual size.):")
            await talk.says('GetHistory {"type": "getHistory"')
            talk.types("/show Histori")
            assert await talk.says("! ") == "! there is no message 'Histori' here; did you mean 'History'?"
            talk.types("/close 1005")
            assert "'1005' is no code to close with" in await talk.says("! ")
            talk.types("/close 4001")
            await talk.says("the connection ended with code 4001")
            talk.types("Leave")
            assert await talk.says("! ") == "! not sent: there is no connection; /reconnect opens it again"
            talk.types("/reconnect")
            await talk.says("connected to")
            talk.types("/clsoe")
            assert await talk.says("! ") == "! there is no '/clsoe'; did you mean '/close'?"
            talk.types("/help")
            await talk.says("/reconnect  opens the connection again")
            talk.types("\x04")  # Control-D
            assert await running == 0

    asyncio.run(scenario())


def test_a_connection_that_breaks_comes_back_by_itself_and_one_that_is_refused_does_not(vocabulary: Vocabulary) -> None:
    codes = iter([1012, 4000])

    async def ends(connection: ServerConnection) -> None:
        await connection.send('{"type": "newer\x1b"}')
        await connection.recv()
        await connection.close(next(codes), "so\x1b[2J")

    async def scenario(url: str) -> None:
        async with talking(vocabulary, url) as (talk, running):
            await talk.says("← no message of the API")
            talk.types("Leave")
            assert await talk.says("ended") == "the connection ended with code 1012: so [2J"
            await talk.says("connecting again")
            await talk.says("connected to")
            talk.types("Leave")
            await talk.says("the connection ended with code 4000: so [2J")
            assert await talk.says("! ") == "! not connected; /reconnect opens the connection again"
            talk.types("/quit")
            assert await running == 0
            assert "\x1b" not in "".join(talk.said)

    with serving(ends) as url:
        asyncio.run(scenario(url))


def test_a_session_does_not_begin_where_nobody_is(vocabulary: Vocabulary) -> None:
    async def scenario() -> None:
        async with talking(vocabulary, "ws://127.0.0.1:1") as (_, running):
            with pytest.raises(Unreachable):
                await running

    asyncio.run(scenario())


# --- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "suggested"),
    [
        ("/re", ["/reconnect"]),
        ("/show Pre", ["PresenceChanged"]),
        ("", ["Join", "Leave", "SendMessage", "GetHistory"]),
        ("j", ["Join"]),
        ("Join ", []),
        ("Join {", ['"type": ', '"timestamp": ', '"data": ']),
        ("join {", ['"type": ', '"timestamp": ', '"data": ']),
        ('Join {"t', ['"type": ', '"timestamp": ']),
        ('Join {"type": ', ['"join"']),
        ('Join {"type": "join", ', ['"timestamp": ', '"data": ']),
        ('Join {"data": {', ['"nickname": ']),
        ('Join {"data": {"nickname": "a}{"}, "ti', ['"timestamp": ']),
        ('Join {"data": {"nickname": "a\\"', []),
        ('GetHistory {"data": {"limit": 5, ', ['"before": ']),
        ('Join {"data": [', []),
        ("Nobody {", []),
        ("Join }", []),
    ],
)
def test_names_members_and_values_are_completed(vocabulary: Vocabulary, line: str, suggested: list[str]) -> None:
    assert [one.text for one in suggestions(vocabulary, COMMANDS, line)] == suggested


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": [{"b": 1}, {', Place(("a", "[]"), "", True)),
        ('{"a": [1, ', Place(("a",), "", False, "[]")),
        ('{"a": true, "b', Place((), '"b', True, used=frozenset({"a"}))),
        ('{"a"', None),
        ('{"a": 1', None),
        ("", None),
        ("{}", None),
    ],
)
def test_the_place_in_an_unfinished_text_is_found(text: str, found: Place | None) -> None:
    assert place(text) == found


# --- terminals --------------------------------------------------------------------------------------------------------


def test_a_terminal_completes_sends_and_shows_in_colour(url: str) -> None:
    terminal = Terminal("connect", str(CHAT), "--url", url, "--param", "room=tty", SOCKSPEC_TOKEN="ann")
    terminal.shows("or /help")
    terminal.types("Jo")
    terminal.shows("Enters the room")
    terminal.types('\t {"data": {"ni')
    terminal.shows("nickname")
    terminal.types('ckname": "ann"}}\r')
    terminal.shows("\x1b[32m←\x1b[0m \x1b[1mPresenceChanged\x1b[0m")
    terminal.types("/quit\r")
    terminal.shows("the connection ended with code 1000")
    assert terminal.ends() == 0


def test_a_terminal_without_prompt_toolkit_says_how_to_get_it_and_works(url: str) -> None:
    program = "import sys; sys.modules['prompt_toolkit'] = None; from sockspec.cli import main; main()"
    terminal = Terminal(
        *("connect", str(CHAT), "--url", url, "--param", "room=plain"),
        program=("-c", program),
        SOCKSPEC_TOKEN="ann",
        NO_COLOR="1",
    )
    terminal.shows("completion and history need prompt_toolkit: pip install 'sockspec[connect]'")
    terminal.shows("or /help")
    terminal.types('Join {"data": {"nickname": "ann"}}\n')
    terminal.shows("← PresenceChanged")
    terminal.types("\x04")
    assert terminal.ends() == 0
    assert "\x1b" not in terminal.shown


class _Tty(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (_Tty, {}, True),
        (_Tty, {"NO_COLOR": "1"}, False),
        (_Tty, {"NO_COLOR": ""}, True),
        (_Tty, {"TERM": "dumb"}, False),
        (StringIO, {}, False),
    ],
)
def test_colours_are_for_terminals_whose_user_wants_them(
    stream: Callable[[], StringIO], environment: dict[str, str], coloured: bool
) -> None:
    assert is_coloured(stream(), environment) is coloured
    assert (Look(coloured).paint("x", "bad") == "x") is not coloured
