"""What ends a connection without a word of its client: credentials that expire, heartbeats that are missed, silence."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sockspec.runtime.heartbeat import Beats
from sockspec.runtime.limits import Limits
from sockspec.runtime.problems import IDLE_TIMEOUT, TOKEN_EXPIRED, Problem
from sockspec.runtime.routing import Route

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection

_LONGEST_TIMER: Final = 86_400.0


class Lifetime:
    """The timers of one connection."""

    def __init__(
        self,
        connection: Connection[Any, Any],
        route: Route,
        limits: Limits,
        *,
        heard: Callable[[], float],
        is_idle: Callable[[], bool],
        end: Callable[[Problem], None],
    ) -> None:
        """`heard` says when the latest message came, by the clock of `time.monotonic`; `is_idle` whether no handler runs.

        `end` ends the connection because of a problem.
        """
        self._connection = connection
        self._route = route
        self._most_idle = limits.idle_timeout
        self._heard = heard
        self._is_idle = is_idle
        self._end = end
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._beats: Beats | None = None

    def begin(self) -> None:
        """Start all timers."""
        self._connection.on_renewal(self._expire_in_time)
        self._expire_in_time()
        self._look_for_idleness()
        self._send_heartbeats()

    def after(self, name: str, delay: float, action: Callable[[], None]) -> None:
        """Do something later, in place of what was to be done by that name."""
        self._cancel(name)
        self._timers[name] = asyncio.get_running_loop().call_later(delay, action)

    def stop(self) -> None:
        """Stop all timers."""
        for timer in self._timers.values():
            timer.cancel()
        if self._beats is not None:
            self._beats.stop()

    def _expire_in_time(self) -> None:
        """End the connection when the credentials expire, unless they are renewed before."""
        expires = self._connection.identity.expires
        if expires is None:
            self._cancel("expiry")
            return
        left = (expires - dt.datetime.now(dt.UTC)).total_seconds()
        if left <= 0:
            self._end(Problem.of(TOKEN_EXPIRED))
        else:
            self.after("expiry", min(left, _LONGEST_TIMER), self._expire_in_time)

    def _send_heartbeats(self) -> None:
        """Ask for signs of life by messages, where the document has the server do so."""
        beat, outgoing = self._route.heartbeat, self._route.outgoing
        if beat is not None and beat.ping in outgoing.messages:
            self._beats = Beats(
                beat,
                send=lambda message: self._connection.post(outgoing.frame(message)),
                heard=self._heard,
                missed=lambda: self._end(Problem.of(IDLE_TIMEOUT)),
            )

    def _look_for_idleness(self) -> None:
        most = self._most_idle
        if most is None:
            return
        left = self._heard() + most - time.monotonic()
        if left <= 0 and self._is_idle():
            self._end(Problem.of(IDLE_TIMEOUT))
        else:
            self.after("idle", max(left, most / 10), self._look_for_idleness)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
