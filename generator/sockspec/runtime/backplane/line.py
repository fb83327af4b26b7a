"""The interface of a backplane: streams with a bounded history, records that end with their node, and what is kept.

A backplane knows nothing of connections and messages. It orders bytes by stream, fans them out, keeps the latest of them
for a while, and remembers small things on behalf of nodes. Whoever writes another one implements `Backplane` and `Line`, and
runs `sockspec.runtime.backplane.conformance` over it.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from msgspec import Struct

from sockspec.runtime import checks


class BackplaneError(Exception):
    """The backplane did not do what it was asked for, or nobody knows whether it did."""

    def __init__(self, why: str, *, doubtful: bool = False) -> None:
        super().__init__(why)
        self.doubtful = doubtful
        """Whether it may have been done all the same. Else it was not."""


class Position(Struct, frozen=True, gc=False):
    """A place in a stream: everything up to `offset` is before it."""

    epoch: str
    """Which life of the stream the offset is of. It changes when what was there is forgotten. Never empty."""
    offset: int


class Entry(Struct, frozen=True, gc=False):
    """What was published once."""

    offset: int
    """Where it stands: greater than that of the entry before it."""
    after: int
    """The offset of the entry before it in the stream; 0 where there was none, or it is no longer known."""
    id: str
    """What its publisher named it."""
    data: bytes


class Slice(Struct, frozen=True):
    """A part of a stream's history."""

    top: Position
    """The end of the stream when this was read."""
    entries: tuple[Entry, ...]
    """In order."""
    complete: bool
    """Whether nothing is missing between what was asked for and the first entry: of that epoch, and still kept.

    The last entry stands before `top` where there was a limit, and reading goes on from it."""


class Placed(enum.Enum):
    """What became of a record."""

    NEW = "new"
    KNOWN = "known"
    """There was one by this key. It has the new value now, and the new node."""
    FULL = "full"
    """There are as many as there may be. Nothing was changed."""


class Record(Struct, frozen=True, gc=False):
    """A small thing that is remembered for as long as its node lives."""

    table: str
    key: str
    value: bytes
    node: str


class Registration(Struct, frozen=True):
    """What a node learns when it says that it lives."""

    nodes: frozenset[str]
    """The nodes that live, this one included."""
    dead: frozenset[str]
    """The nodes that live no more, and whose records nobody has taken away yet."""
    known: bool
    """Whether this node was registered before. It was not when it is new, when it was taken for dead, or when everything
    was forgotten: then its records are gone, too."""
    engine: str
    """Which life of everything this is: another one once everything was forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How much of each stream is kept."""

    size: int = 256
    """So many entries at most, the latest ones; 0 keeps none."""
    seconds: float = 300.0
    """And none that is older. A stream that nobody publishes to for longer may begin a new epoch, unless it is subscribed to."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        checks.above_zero(self, "seconds")
        if self.size != 0:
            checks.whole(self, "size")


class Receiver(Protocol):
    """What a node does with what comes over its line. Called in the event loop; it neither waits nor raises."""

    def receive(self, stream: str, epoch: str, entry: Entry, /) -> None:
        """An entry was published to a stream that the node is subscribed to.

        In order as a rule. An entry may come twice, may be missing, and may come after a later one: whoever receives looks
        at `offset` and `after`.
        """
        ...

    def interrupted(self) -> None:
        """The engine cannot be reached, or does not answer. The line goes on trying by itself."""
        ...

    def restored(self) -> None:
        """The engine answers, and all subscriptions are there again. What was published meanwhile may have been missed.

        It may have lost some of what it had. This may also be called when nothing was interrupted.
        """
        ...


class Line(ABC):
    """One node's connection to a backplane. It comes back by itself when it breaks.

    Everything raises BackplaneError when the engine cannot be reached or does not answer in time; nothing waits for longer
    than the backplane's `timeout`. Names of streams, tables and keys are any text; values are small.
    """

    @abstractmethod
    async def close(self) -> None:
        """Give the connection up: nothing is received any more. Never raises. The node's records stay; see `retire`."""

    # --- streams ----------------------------------------------------------------------------------------------------

    @abstractmethod
    async def publish(self, stream: str, data: bytes, *, id: str, history: History) -> Position:
        """Append to a stream and fan out, both or neither; the position of the entry.

        The entry is safe once this returns, as far as the engine keeps its word. With an `id` that was published to the
        stream within the last minute nothing is done but to say where it stands: so it can be tried again.
        """

    @abstractmethod
    async def subscribe(self, streams: Collection[str]) -> Mapping[str, Position]:
        """Receive what is published to these streams; where each of them stands.

        Everything after that position is received, as far as fan-out goes. What comes before this returns may be received.
        """

    @abstractmethod
    async def unsubscribe(self, streams: Collection[str]) -> None:
        """Receive no more of these streams."""

    @abstractmethod
    async def positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        """Where streams stand. One that does not exist yet begins at 0, and has its epoch from now on."""

    @abstractmethod
    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        """The entries after a position, `limit` of them at most. `complete` is false when some are no longer kept."""

    @abstractmethod
    async def renounce(self, stream: str, position: Position) -> None:
        """Give up an epoch: the stream was seen to stand at this position, and has lost what it was given by then.

        As after a failover to a replica that was behind, or a power cut before what was acknowledged was on the disk: it
        stands before the position now, or has something else there. Unless the stream has left that epoch already, it begins
        another one, at this position or after it, without history and without the ids of what was published before. However
        many nodes say so at once, it is one. Other streams may begin another epoch as well.
        """

    # --- records ----------------------------------------------------------------------------------------------------

    @abstractmethod
    async def renew(self, lease: float) -> Registration:
        """Say that this node lives, and will for `lease` seconds. The clock is the engine's."""

    @abstractmethod
    async def retire(self) -> None:
        """Say that this node lives no more. Its records are left for `reap`, by whoever asks first, itself included."""

    @abstractmethod
    async def place(self, table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
        """Keep a record on behalf of this node, in place of one by the same key, whosesoever that is.

        With `most`, only if there are not as many records of living nodes in the table already. This node has to be
        registered.
        """

    @abstractmethod
    async def drop(self, table: str, key: str) -> bool:
        """Forget a record, if it is this node's; says whether it was."""

    @abstractmethod
    async def records(self, table: str) -> tuple[Record, ...]:
        """All records of a table whose nodes live, by key."""

    @abstractmethod
    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        """Take away records of a node that lives no more, `limit` at most. Each is given to one asker only.

        None at all means that there are no more, and that the node is forgotten. Those that another node has placed
        meanwhile are that one's. A node that lives has none to take.
        """

    # --- what is kept -----------------------------------------------------------------------------------------------

    @abstractmethod
    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Remember values by their keys, for so long from now."""

    @abstractmethod
    async def kept(self, key: str) -> bytes | None:
        """The value by a key; None where there is none any more."""

    @abstractmethod
    async def discard(self, key: str) -> None:
        """Forget a value."""

    # --- rates ------------------------------------------------------------------------------------------------------

    @abstractmethod
    async def take(self, bucket: str, amount: int, *, rate: float, burst: int) -> float:
        """Take from a bucket that holds `burst` at most and fills by `rate` a second: 0 when it was there.

        Else the seconds until it is, and nothing is taken.
        """


class Backplane(ABC):
    """Where a backplane is, and how to reach it. It holds nothing: it can be shared, and given to other processes."""

    name: ClassVar[str]
    """For logs and metrics."""
    is_shared: ClassVar[bool]
    """Whether other processes reach it, too."""

    @abstractmethod
    async def open(self, node: str, receiver: Receiver) -> Line:
        """Connect a node. Raises BackplaneError when it cannot be reached."""
