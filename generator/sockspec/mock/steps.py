"""What a script says: for each endpoint the steps, and the actions of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sockspec.spec.source import Json


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message of the server."""

    message: str
    payload: Json
    """Valid by its schema."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Send a message with the correlation id of the one that is answered."""

    message: str
    payload: Json


@dataclass(frozen=True, slots=True)
class Tell:
    """Send the error message of the API."""

    problem: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Send a text as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Raw:
    """Send bytes past the framing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection in an orderly way."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """End the connection without a close frame: with a reset of TCP, or with its end."""

    resets: bool


@dataclass(frozen=True, slots=True)
class Slow:
    """Send so many bytes a second from now on; None for as fast as can be."""

    rate: int | None


@dataclass(frozen=True, slots=True)
class Stall:
    """Read nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """Do actions again and again; None for as long as the connection lasts."""

    times: int | None
    actions: tuple[Action, ...]


Action = Send | Reply | Tell | Text | Raw | Delay | Close | Drop | Slow | Stall | Repeat


@dataclass(frozen=True, slots=True)
class Step:
    """What is done when a client has connected, or when a message of a client came."""

    message: str | None
    """Which message; None when a client has connected."""
    actions: tuple[Action, ...]
    where: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Members that the message has to have."""
    times: int | None = None
    """How often the step is taken, over all connections; None for always."""

    def fits(self, payload: Json) -> bool:
        """Whether a message has the members that are asked for."""
        return not self.where or _has(payload, dict(self.where))


Script = Mapping[str, tuple[Step, ...]]
"""The steps of each endpoint, by the name of its channel. The first one that fits is taken."""


def _has(value: Json, wanted: Json) -> bool:
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(name in value and _has(value[name], inner) for name, inner in wanted.items())
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
