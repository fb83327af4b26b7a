"""A server in a process of its own, whose memory can be looked at: `python -m tests.runtime.serve_way HOST`.

HOST is one of the ways of serving that `tests.runtime.hosts` knows. Prints its URL when it listens.
"""

from __future__ import annotations

import asyncio
import sys

from tests.runtime import hosts
from tests.runtime.chatting import serving


async def main(way: str) -> None:
    """Serve until the process is ended."""
    hosts.chosen.set(way)
    async with serving() as running:
        print(running.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
