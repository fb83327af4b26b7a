"""A server in a process of its own, for the scenarios that send it signals. Prints its port when it is ready."""

from __future__ import annotations

import logging
import sys
from typing import Any

from sockspec.runtime import Options
from tests.runtime.chatting import Chat, RoomConnection


class Stubborn(Chat):
    """Has a handler that finishes by itself only when the server stops, or never."""

    async def post(self, connection: RoomConnection, message: Any) -> None:
        if message.text == "/finish":
            await connection.send_posted(room="lobby", text="started")
            await self.release.wait()
            await connection.send_posted(room="lobby", text="finished")
            return
        await super().post(connection, message)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    options = Options(drain_timeout=float(sys.argv[1]), close_timeout=1, retry_after=0.5)
    Stubborn().run(port=0, options=options, ready=lambda running: print(running.port, flush=True))
    print("returned", flush=True)
