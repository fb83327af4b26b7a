"""What goes on at a mock: lines for the log, and the messages that came."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any, Final

import msgspec

from sockspec.mock.endpoints import Endpoint
from sockspec.runtime import Connection, Observer, Problem
from sockspec.runtime.transport import Frame

_log: Final = logging.getLogger("sockspec.mock")


class Traffic:
    """Keeps what clients sent, and logs the names of what goes to and fro; payloads only where that is wanted.

    Nothing of a handshake gets into the log, as it may carry credentials.
    """

    def __init__(self, *, with_payloads: bool = False, keeps: bool = True) -> None:
        """`keeps` is for tests: what runs for days must not keep all that it gets."""
        self._with_payloads = with_payloads
        self._keeps = keeps
        self._changed = threading.Condition()
        self._messages: list[msgspec.Struct] = []

    @property
    def messages(self) -> list[msgspec.Struct]:
        """The valid messages of all clients, in the order in which they came."""
        with self._changed:
            return list(self._messages)

    def wait(self, count: int, timeout: float) -> list[msgspec.Struct]:
        """The messages, once there are so many. Raises TimeoutError after so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._messages) >= count, timeout):
                raise TimeoutError(f"{len(self._messages)} messages came within {timeout:g} s; {count} were expected")
            return list(self._messages)

    def took(self, connection: Connection[Any, Any], endpoint: Endpoint, name: str, message: Any) -> None:
        """A valid message came."""
        if self._keeps:
            with self._changed:
                self._messages.append(message)
                self._changed.notify_all()
        payload = endpoint.incoming.encode(message, check=False) if self._with_payloads else ""
        self._line(connection, endpoint, f"< {name}", payload)

    def sent(self, connection: Connection[Any, Any], endpoint: Endpoint, name: str, frame: Frame) -> None:
        """A message is sent."""
        self._line(connection, endpoint, f"> {name}", frame.payload if self._with_payloads else "")

    def did(self, connection: Connection[Any, Any], endpoint: Endpoint, what: str) -> None:
        """An action of a script was done that is no message."""
        self._line(connection, endpoint, f"> ({what})", "")

    def _line(self, connection: Connection[Any, Any], endpoint: Endpoint, what: str, payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.hex(" ")
        # What clients send has to stay within its line, and must do nothing to a terminal.
        shown = text if text.isprintable() else json.dumps(text)
        _log.info("%s %s %s%s", connection.id, endpoint.route.path, what, f" {shown}" if shown else "")


class Ears(Observer):
    """Logs what the runtime does by itself: connections, and the problems that clients are told of."""

    def opened(self, connection: Connection[Any, Any]) -> None:
        """A connection was opened."""
        _log.info("%s opened", connection.id)

    def closed(self, connection: Connection[Any, Any], seconds: float) -> None:
        """A connection has ended."""
        _log.info("%s closed after %.3f s", connection.id, seconds)

    def told(self, connection: Connection[Any, Any], problem: Problem) -> None:
        """A client was told of a problem."""
        _log.info("%s > %s", connection.id, problem.type)

    def refused(self, problem: Problem) -> None:
        """A handshake was refused."""
        _log.info("refused: %s", problem.type)
