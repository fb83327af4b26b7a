"""Running an ASGI application by uvicorn in such a way that clients are told when it stops."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from sockspec.runtime.security.cleartext import InsecureTransport, is_loopback
from sockspec.runtime.security.redaction import RedactingFilter
from sockspec.runtime.serving.asgi import AsgiApplication
from sockspec.runtime.serving.ending import Deadline, run_to_the_end
from sockspec.runtime.serving.listening import listen

_LOGGERS: Final = ("uvicorn.error", "uvicorn.access", "uvicorn.asgi")

_NO_HTTP: Final = object()
"""In place of the last request on a stream that speaks WebSocket by now."""


class DrainingServer(uvicorn.Server):
    """Uvicorn, which says goodbye to the clients of our applications before it closes their sockets.

    Left to itself it closes them before the application hears of it, and ends with the signal's exit code.
    """

    def __init__(self, config: uvicorn.Config, *drained: AsgiApplication, deadline: Deadline | None = None) -> None:
        """`deadline` starts to count when the server stops."""
        super().__init__(config)
        self._drained = drained
        self._deadline = deadline
        self._open_timeout = min(application.options.open_timeout for application in drained) if drained else None
        self._waiting: dict[Any, tuple[object, float]] = {}
        for name in _LOGGERS:
            for application in drained:
                dispatcher = application.dispatcher
                redacting = RedactingFilter(dispatcher.secrets_in_query, dispatcher.secret_headers)
                logging.getLogger(name).addFilter(redacting)

    async def on_tick(self, counter: int) -> bool:
        """What uvicorn does several times a second, and cut off those whose request takes too long."""
        if self._open_timeout is not None:
            self._cut_off_slow(self._open_timeout)
        return await super().on_tick(counter)

    def _cut_off_slow(self, timeout: float) -> None:
        """End streams on which no whole head of a request has come in time, which uvicorn would wait for for ever."""
        now = time.monotonic()
        waiting: dict[Any, tuple[object, float]] = {}
        protocols: list[Any] = list(self.server_state.connections)
        for protocol in protocols:
            last: Any = getattr(protocol, "cycle", _NO_HTTP)
            if last is _NO_HTTP or (last is not None and not last.response_complete):
                continue
            known = self._waiting.get(protocol)
            since = known[1] if known is not None and known[0] is last else now
            if now - since < timeout + (0 if last is None else self.config.timeout_keep_alive):
                waiting[protocol] = last, since
            else:
                protocol.transport.abort()
        self._waiting = waiting

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, and then what uvicorn does."""
        if self._deadline is not None:
            self._deadline.start()
        await asyncio.gather(*(application.drain() for application in self._drained))
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on SIGTERM and SIGINT, and let the process end well afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM, signal.SIGINT)
        previous = {number: signal.signal(number, self._stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler or signal.SIG_DFL)

    def _stop(self, *_: object) -> None:
        # A second signal must not cut the goodbyes short, as uvicorn's own handler would.
        self.should_exit = True


def run(
    application: AsgiApplication,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    app: Callable[..., Any] | None = None,
    ready: Callable[[str], None] | None = None,
    **configuration: Any,
) -> None:
    """Serve by uvicorn until SIGTERM or SIGINT, then drain, and return.

    `app` is the application that `application` is mounted in, where it is. `ready` gets the URL once the socket listens.
    `configuration` is passed on to `uvicorn.Config`; the bounds of the options are its defaults. Raises InsecureTransport
    for clear text beyond loopback.
    """
    options = application.options
    is_secure = "ssl_certfile" in configuration
    if not (is_secure or options.behind_tls_proxy or is_loopback(host)):
        raise InsecureTransport(f"refusing to listen on {host!r} in clear text: pass ssl_certfile=… and ssl_keyfile=…")
    listener = listen(host, port, dead_after=options.ping_interval + options.ping_timeout)
    config = uvicorn.Config(app or application, **{**defaults(application), **configuration})
    if ready is not None:
        name = f"[{host}]" if ":" in host else host
        ready(f"{'wss' if is_secure else 'ws'}://{name}:{listener.getsockname()[1]}")
    deadline = Deadline(options.drain_timeout + options.close_timeout)
    server = DrainingServer(config, application, deadline=deadline)
    run_to_the_end(server.serve(sockets=[listener]), deadline)


def defaults(application: AsgiApplication) -> dict[str, Any]:
    """The arguments of `uvicorn.Config` that carry out the options of an application."""
    options = application.options
    return {
        "ws": "websockets-sansio",
        "ws_max_size": application.dispatcher.limits.max_message,
        "ws_max_queue": application.dispatcher.limits.max_inbound,
        "ws_ping_interval": options.ping_interval,
        "ws_ping_timeout": options.ping_timeout,
        "ws_per_message_deflate": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": round(options.close_timeout) or 1,
    }
