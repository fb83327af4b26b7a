"""What NATS and JetStream say, and how names are written for them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from sockspec.runtime.backplane.line import BackplaneError, Entry, History

if TYPE_CHECKING:
    from nats.aio.msg import Msg

_LONGEST_TOKEN: Final = 200
NO_STREAM: Final = 10059
"""The number of the refusal that says that there is no such JetStream stream."""

KEEP: Final = "Sockspec-Keep"
"""The header that says how much history the publisher asked for: the size, and the seconds."""

T = TypeVar("T")


class Refusal(Struct, frozen=True):
    """Why JetStream did not do something."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class Answer(Struct, frozen=True):
    """What JetStream says to a publish, and to most requests."""

    seq: int = 0
    error: Refusal | None = None


class Extent(Struct, frozen=True):
    """From where to where a JetStream stream reaches. Everything before `first_seq` is gone."""

    first_seq: int
    last_seq: int
    messages: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing was ever taken away."""
        return self.first_seq <= 1 and self.messages == self.last_seq


class Condition(Struct, frozen=True):
    """What JetStream says about one of its streams."""

    config: dict[str, Any]
    created: str
    ts: str
    state: Extent


class Last(Struct, frozen=True):
    """A stored message, as the leader of its JetStream stream gives it."""

    seq: int
    data: bytes = b""


class Found(Struct, frozen=True):
    """The answer that has one."""

    message: Last


class Rejection(Struct, frozen=True):
    """An answer of which only a refusal matters."""

    error: Refusal | None = None


class Refused(BackplaneError):
    """JetStream did not do it, and says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"NATS refused: {refusal.description}")
        self.err_code: Final = refusal.err_code


def token_of(name: str) -> str:
    """Any text as one token of a subject. A very long one is known by its digest."""
    token = quote(name, safe="", errors="surrogatepass").replace(".", "%2E")
    if len(token) > _LONGEST_TOKEN:
        return "%%" + hashlib.sha256(token.encode()).hexdigest()
    return token or "%"


def life_of(condition: Condition) -> str:
    """Which life of a JetStream stream this is: it was made at some nanosecond."""
    return hashlib.sha256(condition.created.encode()).hexdigest()[:12]


def headers_of(message: Msg) -> dict[str, str]:
    """The headers of a message, none where there are none."""
    return message.headers or {}


def sequence_of(message: Msg) -> int:
    """Where a stored message stands. Raises BackplaneError."""
    try:
        return int(headers_of(message)["Nats-Sequence"])
    except (KeyError, ValueError) as error:
        raise BackplaneError("NATS answers what cannot be read") from error


def seconds_of(moment: str) -> float:
    """A time as JetStream writes it, in seconds of the epoch. Raises ValueError."""
    return datetime.fromisoformat(moment).timestamp()


def read(data: bytes, kind: type[T]) -> T:
    """What JetStream answers. Raises BackplaneError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise BackplaneError("NATS answers what cannot be read", doubtful=True) from error


def written(message: Msg) -> float:
    """When a message was stored, in seconds of the engine's clock. Raises ValueError and KeyError."""
    return seconds_of(headers_of(message)["Nats-Time-Stamp"])


def id_of(headers: Mapping[str, str]) -> str:
    """What the publisher named an entry."""
    return unquote(headers.get("Nats-Msg-Id", "").partition(":")[2], errors="surrogatepass")


def entries_of(
    found: Sequence[tuple[int, Msg]], before: int, rest: int, last: Msg | None, now: float
) -> tuple[Entry, ...]:
    """What is stored as entries, as many of the latest as their publishers wanted to be kept.

    `rest` more come after them, of which the `last` is known.
    """
    first = 0 if last is None else len(found) + rest - _size_of(last)
    for index, (_, message) in enumerate(found):
        first = max(first, index + 1 - _size_of(message), 0 if _is_young(message, now) else index + 1)
    ends = [before, *(offset for offset, _ in found)]
    return tuple(
        Entry(offset, ends[index], id_of(headers_of(message)), message.data)
        for index, (offset, message) in enumerate(found)
        if index >= first
    )


def _kept_of(message: Msg) -> tuple[int, float]:
    """How much history the publisher of an entry asked for."""
    try:
        size, seconds = headers_of(message)[KEEP].split()
        return int(size), float(seconds)
    except (KeyError, ValueError):
        return History().size, History().seconds


def _size_of(message: Msg) -> int:
    return _kept_of(message)[0]


def _is_young(message: Msg, now: float) -> bool:
    return now < written(message) + _kept_of(message)[1]
