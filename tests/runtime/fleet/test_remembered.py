"""What a node remembers of a stream, so that not each client that comes back makes it read from history."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sockspec.runtime.backplane.line import Entry, Position, Slice
from sockspec.runtime.fleet.delivery import Delivery
from sockspec.runtime.fleet.feed import Feed
from sockspec.runtime.fleet.publication import pack
from sockspec.runtime.transport import Frame


class Alone:
    """A node without an engine: nothing is to be asked of it here."""

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        raise AssertionError("there is no history")

    def delivering(self, feed: Feed, delivery: Delivery) -> AbstractContextManager[object]:
        return nullcontext()

    def emptied(self, feed: Feed) -> None:
        pass

    def missed(self, feed: Feed, entries: int, *, lost: bool) -> None:
        raise AssertionError("nothing was missed")

    async def renounce(self, stream: str, position: Position) -> None:
        raise AssertionError("nothing was lost")

    def start_soon(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        raise AssertionError("there is nothing to do")


def entry(offset: int) -> Entry:
    return Entry(offset, offset - 1, str(offset), pack(Frame(b"%d" % offset), (), None, {}))


def read(first: int, last: int, *, epoch: str = "e", top: int = 9) -> Slice:
    return Slice(Position(epoch, top), tuple(map(entry, range(first, last + 1))), complete=True)


def feed_at(offset: int) -> Feed:
    feed = Feed("s", Alone())
    feed.open_at(Position("e", offset))
    return feed


def offsets(feed: Feed, since: int) -> list[int] | None:
    found = feed.since(Position("e", since))
    return None if found is None else [delivery.offset for delivery in found]


def test_what_one_client_made_a_node_read_is_remembered_for_the_next() -> None:
    feed = feed_at(9)
    assert offsets(feed, 6) is None
    sent = feed.deliveries_of(read(7, 9))
    again = feed.since(Position("e", 6))
    assert again is not None
    assert [id(delivery) for delivery in again] == [id(delivery) for delivery in sent]
    assert offsets(feed, 7) == [8, 9]
    assert offsets(feed, 5) is None


def test_a_longer_part_is_put_before_what_is_remembered_already() -> None:
    feed = feed_at(8)
    feed.receive("e", entry(9))
    feed.deliveries_of(read(5, 9))
    feed.deliveries_of(read(7, 9))
    feed.deliveries_of(read(3, 6))
    assert offsets(feed, 2) == [3, 4, 5, 6, 7, 8, 9]


def test_a_part_that_does_not_lead_up_to_what_is_remembered_is_not() -> None:
    feed = feed_at(9)
    assert [delivery.offset for delivery in feed.deliveries_of(read(1, 7))] == [1, 2, 3, 4, 5, 6, 7]
    assert offsets(feed, 0) is None
    feed.deliveries_of(read(8, 9, epoch="other"))
    assert offsets(feed, 7) is None


def test_what_the_node_has_still_to_receive_itself_is_not_remembered_ahead() -> None:
    feed = feed_at(8)
    feed.deliveries_of(read(8, 9))
    assert offsets(feed, 7) == [8]
    feed.receive("e", entry(9))
    assert offsets(feed, 7) == [8, 9]


def test_no_more_is_remembered_than_a_node_has_room_for() -> None:
    feed = feed_at(300)
    feed.deliveries_of(read(1, 300, top=300))
    assert offsets(feed, 43) is None
    assert offsets(feed, 44) == list(range(45, 301))
    feed.receive("e", entry(301))
    assert offsets(feed, 44) is None
    assert offsets(feed, 45) == list(range(46, 302))
