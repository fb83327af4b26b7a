"""Lines from a file or a pipe, read beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from io import RawIOBase
from typing import BinaryIO, Final, cast

from sockspec.console.batch import Line

_CHUNK: Final = 65_536
_AHEAD: Final = 100


async def read(stream: BinaryIO, name: str) -> AsyncIterator[Line]:
    """The lines of a stream that have something in them, each with its place. Raises OSError.

    A thread reads them that may be left behind, since nothing can stop it while the pipe is silent.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Line | OSError | None] = asyncio.Queue()
    room = threading.Semaphore(_AHEAD)

    def put(item: Line | OSError | None) -> None:
        room.acquire()
        loop.call_soon_threadsafe(queue.put_nowait, item)

    def run() -> None:
        try:
            for number, line in enumerate(_split(stream), 1):
                if line.strip():
                    put(Line(f"{name}:{number}", line.decode("utf-8", "surrogateescape")))
            put(None)
        except OSError as error:
            put(error)
        except RuntimeError:
            pass  # the loop is closed: nobody wants the rest

    threading.Thread(target=run, daemon=True).start()
    while (item := await queue.get()) is not None:
        room.release()
        if isinstance(item, OSError):
            raise item
        yield item


def _split(stream: BinaryIO) -> Iterator[bytes]:
    # Past the buffer of the stream, whose lock a thread would still hold when the program ends.
    raw = cast("RawIOBase", getattr(stream, "raw", stream))
    rest = b""
    while chunk := raw.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.rstrip(b"\r") for line in whole)
    if rest:
        yield rest
