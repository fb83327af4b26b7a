"""A server on one core for a crowd of idle connections. Prints its port when it is ready."""

from __future__ import annotations

import os
import resource

from sockspec.runtime import Limits, Options
from tests.runtime.chatting import Chat

if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    limits = Limits(
        max_connections=None, max_connections_per_address=None, connections_per_second=None, max_handshakes=20_000
    )
    options = Options(
        limits=limits, ping_interval=5, ping_timeout=20, drain_batch=1000, drain_pause=0.02, loop="asyncio"
    )
    Chat().run(port=0, options=options, ready=lambda running: print(running.port, flush=True))
