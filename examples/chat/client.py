"""A chat client for the terminal.

    PYTHONPATH=generated python examples/chat/client.py --nickname ann --room lobby

What you type is said in the room; `/history` shows what was said before, `/quit` leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncIterator

from chat import RoomClient, messages
from sockspec.runtime import ConnectionLost, PayloadError, State


async def hear(room: RoomClient) -> None:
    """Print what arrives."""
    async for message in room:
        match message:
            case messages.MessagePosted(data=said):
                print(f"{said.author}: {said.text}")
            case messages.PresenceChanged(data=who):
                print(f"* {who.nickname} is {who.presence}")
            case messages.Error(error=error):
                print(f"! {error.message} ({error.type})")
            case messages.History():
                pass  # asked for and printed by `talk`


async def talk(room: RoomClient) -> None:
    """Send what is typed, until there is no more."""
    async for line in typed():
        match line.strip():
            case "":
                pass
            case "/quit":
                return
            case "/history":
                page = await room.get_history(data=messages.GetHistoryData(limit=20))
                for said in page.data.messages:
                    print(f"  {said.posted_at:%H:%M} {said.author}: {said.text}")
            case text:
                try:
                    await room.send_message(data=messages.SendMessageData(text=text))
                except PayloadError as refused:
                    print(f"! not sent: {refused.problem.errors[0].message}")


async def typed() -> AsyncIterator[str]:
    """The lines of standard input, read by a thread so that nothing waits for the keyboard."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "/quit")

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield await lines.get()


async def chat(arguments: argparse.Namespace) -> None:
    """Join the room, then talk and listen at once."""
    room = RoomClient(room=arguments.room, url=arguments.url, token=arguments.token or arguments.nickname)

    async def join(state: State) -> None:
        # Also after a break: the server knows nothing of an earlier connection.
        if state is State.OPEN:
            await room.send_join(data=messages.JoinData(nickname=arguments.nickname))

    room.on_state(join)
    async with room:
        hearing = asyncio.create_task(hear(room))
        talking = asyncio.create_task(talk(room))
        await asyncio.wait([hearing, talking], return_when=asyncio.FIRST_COMPLETED)
        for task in (hearing, talking):
            task.cancel()
        for ending in await asyncio.gather(hearing, talking, return_exceptions=True):
            if isinstance(ending, Exception):
                raise ending


def main() -> None:
    """Chat until the input ends."""
    parser = argparse.ArgumentParser(description="A chat client for the terminal.")
    parser.add_argument("--url", default="ws://127.0.0.1:8765/v1")
    parser.add_argument("--room", default="lobby")
    parser.add_argument("--nickname", required=True)
    parser.add_argument("--token", help="who you are; your nickname where it is left out")
    arguments = parser.parse_args()
    try:
        asyncio.run(chat(arguments))
    except (ConnectionLost, OSError) as error:
        sys.exit(f"no connection to {arguments.url}: {error}")


if __name__ == "__main__":
    main()
