"""When a client connects again: pure decisions over times that are given, with randomness that is given."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sockspec.runtime.options import ClientOptions
from sockspec.runtime.problems import Problem, Reaction, reaction_to_close, reaction_to_status

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended, or an attempt to open one failed."""

    code: int = 1006
    reason: str = ""
    problem: Problem | None = None
    """What the server told just before, or in its refusal."""
    status: int | None = None
    """The HTTP status of a handshake that was refused."""
    uptime: float = 0.0
    """How long the connection was open, in seconds."""
    hopeless: bool = False
    """Whether no later attempt can do better, as with a certificate that is not trusted."""
    retry_after: float | None = None
    """How long the server asked to wait by a `Retry-After` header, in seconds."""

    @property
    def reaction(self) -> Reaction:
        """What a client does about it, by the table of problems."""
        if self.hopeless:
            return Reaction.STOP
        if self.status is not None:
            return reaction_to_status(self.status, self.problem)
        return reaction_to_close(self.code, self.problem)

    @property
    def asked_delay(self) -> float:
        """How long the server asked to wait, in seconds; zero when it did not."""
        asked = self.problem.retry_after if self.problem is not None else None
        asked = asked if asked is not None else self.retry_after
        return asked if asked is not None and math.isfinite(asked) and asked > 0 else 0.0


class Backoff:
    """The delays between attempts: exponential with full jitter, and never more than so many attempts in a window.

    The jitter spreads clients that lost their connections together. The window bounds what one client does to a
    server that accepts and closes at once, whatever the jitter draws.
    """

    def __init__(self, options: ClientOptions, random: Random) -> None:
        self._options = options
        self._random = random
        self._failures = 0
        self._attempts: deque[float] = deque(maxlen=max(1, options.max_attempts))

    def attempted(self, now: float) -> None:
        """Note that an attempt starts now."""
        self._attempts.append(now)

    def delay(self, now: float, *, uptime: float = 0.0, asked: float = 0.0) -> float:
        """How long to wait after the end of a connection that was open this long, in seconds.

        `asked` is the wait that the server asked for: the delay is that and a jitter on top, at most as long again.
        """
        if uptime >= self._options.stable_after:
            self._failures = 0
        ceiling = min(self._options.backoff_cap, self._options.backoff_base * 2.0 ** min(self._failures, 64))
        self._failures += 1
        asked = min(asked, self._options.max_retry_after)
        jitter = self._random.uniform(0.0, max(ceiling, asked))
        return max(asked, self._until_allowed(now)) + jitter

    def _until_allowed(self, now: float) -> float:
        if len(self._attempts) < (self._attempts.maxlen or 1):
            return 0.0
        return max(0.0, self._attempts[0] + self._options.attempts_window - now)


class Reconnection:
    """Whether and when a client connects again."""

    def __init__(self, options: ClientOptions, random: Random, *, renewable_token: bool) -> None:
        self._options = options
        self._backoff = Backoff(options, random)
        self._renewable_token = renewable_token
        self._renewed = False

    def attempted(self, now: float) -> None:
        """Note that an attempt starts now."""
        self._backoff.attempted(now)

    def after(self, ending: Ending, now: float) -> float | None:
        """The seconds to wait before the next attempt; None when there is to be none."""
        if ending.uptime >= self._options.stable_after:
            self._renewed = False
        reaction = ending.reaction
        if not reaction.retriable:
            return None
        if reaction is Reaction.RENEW_TOKEN:
            if self._renewed or not self._renewable_token:
                return None
            self._renewed = True
        return self._backoff.delay(now, uptime=ending.uptime, asked=ending.asked_delay)
