"""A server in a process of its own, for the scenarios that send it signals. Prints its URL when it is ready."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sockspec.runtime import Options
from sockspec.runtime.options import Library
from tests.runtime.chatting import Chat, RoomConnection
from tests.runtime.hosts import MOUNTS


class Stubborn(Chat):
    """Has a handler that finishes by itself only when the server stops, or never."""

    async def post(self, connection: RoomConnection, message: Any) -> None:
        if message.text == "/finish":
            await connection.send_posted(room="lobby", text="started")
            await self.release.wait()
            await connection.send_posted(room="lobby", text="finished")
            return
        if message.text in ("/thread", "/swallow"):
            await connection.send_posted(room="lobby", text="started")
        if message.text == "/thread":
            await asyncio.to_thread(threading.Event().wait, 60)
        while message.text == "/swallow":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
        await super().post(connection, message)


def main(way: str, drain_timeout: float) -> None:
    """Serve in one of the ways until there is a signal."""
    options = Options(drain_timeout=drain_timeout, close_timeout=1, retry_after=0.5)
    if way in ("websockets", "picows"):
        library: Library = "picows" if way == "picows" else "websockets"
        options = replace(options, library=library)
        Stubborn().run(port=0, options=options, ready=lambda running: print(running.url, flush=True))
        return
    from sockspec.runtime.serving import uvicorn

    application = Stubborn().asgi(options=options)
    prefix = "" if way == "uvicorn" else "/mounted"
    app = MOUNTS[way](application)
    uvicorn.run(application, port=0, app=app, log_level="error", ready=lambda url: print(url + prefix, flush=True))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    main(sys.argv[1], float(sys.argv[2]))
    print("returned", flush=True)
