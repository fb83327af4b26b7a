"""What is done about what does not come as it was published: it is refilled, once and in order, or said to be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from chat import RoomConnection
from sockspec.runtime.backplane.line import Entry, History, Position, Slice
from sockspec.runtime.fleet.delivery import Delivery
from sockspec.runtime.fleet.feed import Feed
from sockspec.runtime.fleet.publication import pack
from sockspec.runtime.fleet.recovery import Recovery
from sockspec.runtime.transport import Frame
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import Person, fleet, posted
from tests.runtime.fleet.wavering import Wavering

SOON = {"lease": 0.3, "check_interval": 0.01}
"""Nodes that look often whether they have missed something."""


class Story:
    """A stream that is told by a test, and what of it was delivered and said to be lost."""

    def __init__(self, *, size: int = 100) -> None:
        self.epoch = "first"
        self.stored: list[Entry] = []
        self.size = size
        self.heard: list[int] = []
        self.read_since: list[int] = []
        self.renounced: list[Position] = []
        self.allows = True
        """Whether it begins another epoch when it is told to."""
        self.begin = 0
        self.lost = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.feed = Feed("stream", self)

    @property
    def top(self) -> Position:
        return Position(self.epoch, self.stored[-1].offset if self.stored else self.begin)

    def publish(self, count: int = 1) -> list[Entry]:
        """Store entries; they are handed out by the test, or not."""
        new: list[Entry] = []
        for _ in range(count):
            after = self.top.offset
            new.append(Entry(after + 1, after, f"{self.epoch} {after + 1}", pack(Frame(b"x"), (), None, {})))
            self.stored.append(new[-1])
        return new

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        self.read_since.append(since.offset)
        await asyncio.sleep(0)
        kept = self.stored[len(self.stored) - self.size :] if self.size < len(self.stored) else self.stored
        kept = kept if self.size else []
        if since.epoch != self.epoch or since.offset > self.top.offset:
            return Slice(self.top, (), complete=False)
        found = tuple(entry for entry in kept if entry.offset > since.offset)[:limit]
        return Slice(self.top, found, complete=found[0].after <= since.offset if found else since == self.top)

    async def renounce(self, stream: str, position: Position) -> None:
        self.renounced.append(position)
        await asyncio.sleep(0)
        if self.allows and position.epoch == self.epoch:
            self.begin = max(self.top.offset, position.offset)
            self.epoch, self.stored = f"after {self.epoch}", []

    def emptied(self, feed: Feed) -> None: ...

    def missed(self, feed: Feed, entries: int, *, lost: bool) -> None:
        self.lost += lost

    def start_soon(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def delivering(self, feed: Feed, delivery: Delivery) -> AbstractContextManager[None]:
        self.heard.append(delivery.offset)
        return nullcontext()

    async def settled(self) -> None:
        """Wait until nothing is read any more."""
        while self.tasks:
            await asyncio.wait(tuple(self.tasks))

    def come(self, *entries: Entry, epoch: str = "") -> None:
        """Entries come to the node."""
        for entry in entries:
            self.feed.receive(epoch or self.epoch, entry)


@scenario
async def test_entries_that_come_twice_late_or_not_at_all_are_delivered_once_and_in_order() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    one, two, three, four, five = story.publish(5)
    story.come(one, one, three, two, one)
    await story.settled()
    assert (story.heard, story.lost) == ([1, 2, 3, 4, 5], 0)
    story.come(four, five, *story.publish())
    assert story.heard == [1, 2, 3, 4, 5, 6]
    assert story.read_since == [0]  # with the entry that was delivered last, to see whether it is there still


@scenario
async def test_what_comes_before_a_node_is_subscribed_waits_for_that() -> None:
    story = Story()
    story.come(*story.publish(3))
    assert story.heard == []
    story.feed.open_at(Position("first", 1))
    assert story.heard == [2, 3]


@scenario
async def test_more_than_can_wait_is_read_from_history() -> None:
    story = Story(size=3000)
    story.come(*story.publish(1500))
    story.feed.open_at(Position("first", 0))
    await story.settled()
    assert (story.heard, story.lost) == (list(range(1, 1501)), 0)


@scenario
async def test_an_entry_that_is_in_no_history_is_left_out_and_keeps_nothing_from_others() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    invented = Entry(900, 899, "invented", b"")
    story.come(invented, *story.publish(2))
    stale = Entry(7, 6, "stale", b"")
    story.come(stale, epoch="an epoch that is over")
    await story.settled()
    assert (story.heard, story.lost) == ([1, 2], 0)
    assert len(story.read_since) < 20, "it is not read for them for ever"
    story.come(*story.publish())
    assert story.heard == [1, 2, 3]


@scenario
async def test_what_came_is_delivered_also_where_nothing_is_kept() -> None:
    story = Story(size=0)
    story.feed.open_at(Position("first", 0))
    one, _, three, four = story.publish(4)
    story.come(one, three, four)
    await story.settled()
    assert (story.heard, story.lost) == ([1, 3, 4], 1)


@scenario
async def test_a_new_epoch_is_begun_with_what_there_is_of_it_and_counts_as_a_loss() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    story.epoch, story.stored = "second", []
    _, two = story.publish(2)
    story.come(two)
    await story.settled()
    assert (story.heard, story.lost, story.feed.position) == ([1, 2, 3, 1, 2], 1, Position("second", 2))


@scenario
async def test_a_stream_that_stands_before_what_was_delivered_begins_another_epoch() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    del story.stored[1:]
    story.feed.look(story.top, Position("first", 3))
    await story.settled()
    assert (story.renounced, story.lost) == ([Position("first", 3)], 1)
    assert story.feed.position == Position("after first", 3)
    story.come(*story.publish(2))
    assert (story.heard, story.lost) == ([1, 2, 3, 4, 5], 1)


@scenario
async def test_another_entry_where_one_was_delivered_begins_another_epoch() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    del story.stored[1:]
    other = Entry(2, 1, "another one", b"")
    story.stored.append(other)
    story.come(other, other, Entry(3, 2, "yet another one", b""))
    await story.settled()
    assert (story.renounced, story.lost) == ([Position("first", 3)], 1)
    assert story.feed.position == Position("after first", 3)
    story.come(Entry(4, 3, "late", b""), epoch="first")
    story.come(*story.publish())
    await story.settled()
    assert (story.heard, len(story.renounced), story.lost) == ([1, 2, 3, 4], 1, 1)


@pytest.mark.parametrize("more", [0, 1, 300])
@scenario
async def test_what_was_published_instead_while_a_node_was_away_is_not_taken_for_what_follows(more: int) -> None:
    story = Story(size=1000)
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    story.stored[2:] = [Entry(3, 2, "another one", b"")]
    story.publish(more)
    story.feed.look(story.top, story.feed.position, closely=True)
    await story.settled()
    assert (story.renounced, story.lost) == ([Position("first", 3)], 1)
    story.come(*story.publish())
    assert story.heard == [1, 2, 3, 4 + more]


@scenario
async def test_an_engine_that_kept_everything_is_not_taken_for_one_that_lost_something() -> None:
    story = Story(size=5)
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    story.feed.look(story.top, story.feed.position, closely=True)
    await story.settled()
    story.publish(5)  # so that what was delivered last is no longer kept, but all that comes after it
    story.feed.look(story.top, story.feed.position, closely=True)
    await story.settled()
    assert (story.heard, story.renounced, story.lost) == (list(range(1, 9)), [], 0)


@scenario
async def test_an_engine_that_begins_no_other_epoch_is_followed_all_the_same() -> None:
    story = Story()
    story.allows = False
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    del story.stored[1:]
    story.feed.look(story.top, story.feed.position)
    await story.settled()
    assert (len(story.renounced), story.lost, story.feed.position) == (3, 1, Position("first", 1))
    story.come(*story.publish(2))
    assert story.heard == [1, 2, 3, 2, 3]


@scenario
async def test_an_engine_that_has_lost_the_other_epoch_as_well_begins_a_third() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    story.come(*story.publish(3))
    before = story.stored[:1]
    del story.stored[1:]
    story.feed.look(story.top, story.feed.position)
    await story.settled()
    story.come(*story.publish())
    story.epoch, story.stored = "first", before
    story.feed.look(story.top, story.feed.position, closely=True)
    await story.settled()
    assert story.renounced == [Position("first", 3), Position("first", 1)]
    assert (story.lost, story.feed.position) == (2, Position("after first", 1))
    story.come(*story.publish())
    assert story.heard == [1, 2, 3, 4, 2]


@scenario
async def test_what_was_delivered_in_one_epoch_is_not_delivered_again_in_the_next() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2) as nodes, nodes.person("ann") as ann:
        await ann.enter_quietly()
        room = nodes.halls[1].group(RoomConnection, "lobby")
        await room.broadcast(posted("one"))
        await ann.until(lambda: ann.heard == ["one"])
        line = backplane.lines[nodes.hub(1).node]
        top = (await line.positions([room.stream]))[room.stream]
        (one,) = (await line.read(room.stream, Position(top.epoch, 0), 10)).entries
        await line.renounce(room.stream, top)
        for again in (one.id, "another"):
            await line.publish(room.stream, one.data, id=again, history=History())
        await ann.until(lambda: len(ann.heard) == 2)
        await room.broadcast(posted("two"))
        await ann.until(lambda: "two" in ann.heard)
        assert ann.heard == ["one", "one", "two"]
        assert ann.recoveries == [Recovery(resumed=True, recovered=False)]


@scenario
async def test_a_position_that_was_asked_for_before_something_came_is_no_reason_to_read() -> None:
    story = Story()
    story.feed.open_at(Position("first", 0))
    before, top = story.feed.position, story.top
    story.come(*story.publish(3))
    story.feed.look(top, before)
    await story.settled()
    assert story.read_since == []
    story.publish()
    story.feed.look(story.top, story.feed.position)
    await story.settled()
    assert story.heard == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(4))
@scenario
async def test_nothing_is_lost_or_doubled_however_nodes_are_told_of_it(seed: int) -> None:
    async with fleet(Wavering(seed=seed, mischief=0.4), 3, presence_grace=0, **SOON) as nodes:
        people: list[Person] = []
        for number in range(6):
            one = await nodes.stack.enter_async_context(nodes.person(f"person {number}", at=number % 3))
            await one.enter_quietly()
            people.append(one)

        async def speak(at: int) -> None:
            for number in range(60):
                await nodes.halls[at].group(RoomConnection, "lobby").broadcast(posted(f"{at} {number}"))
                await asyncio.sleep(0)
                if number % 20 == 10:
                    people[at].cut(to=(at + number) % 3)

        await asyncio.gather(*map(speak, range(3)))
        for one in people:
            await one.hears_so_many(180)
        orders = [one.heard for one in people]
        assert all(order == orders[0] for order in orders)
        assert sorted(orders[0]) == sorted(f"{at} {number}" for at in range(3) for number in range(60))
        assert {recovery.recovered for one in people for recovery in one.recoveries} <= {True}
        for one in people:
            await one.client.close()
        assert await nodes.leftovers() == {}


@scenario
async def test_an_engine_that_comes_back_is_asked_for_what_was_missed_and_an_empty_one_for_the_truth() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2, lease=60, check_interval=60) as nodes, nodes.person("ann") as ann:
        await ann.enter_quietly()
        await nodes.subscribed(0, "all /v1/rooms/{room}", "principal /v1/rooms/{room} ann")
        room = nodes.halls[1].group(RoomConnection, "lobby")
        await room.broadcast(posted("one"))
        (line,) = (line for line in backplane.lines.values() if line.node == nodes.hub(0).node)
        line.streams.discard(room.stream)
        await line.to.unsubscribe([room.stream])
        await room.broadcast(posted("two"))  # which the other node does not get
        await line.to.subscribe([room.stream])
        await backplane.come_back()
        await ann.until(lambda: ann.heard == ["one", "two"])
        assert ann.recoveries == []
        line.streams.add(room.stream)
        backplane.leave()
        await backplane.come_back(empty=True)
        await ann.until(lambda: ann.recoveries)
        await room.broadcast(posted("three"))
        await ann.until(lambda: ann.heard == ["one", "two", "three"])
        # The room, everybody, and all that is hers have lost something: it is told once.
        assert ann.recoveries == [Recovery(resumed=True, recovered=False)]


@scenario
async def test_a_stream_that_cannot_be_subscribed_to_keeps_no_other_from_it() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1) as nodes:
        await nodes.until(lambda: "renew" in backplane.asked)
        backplane.refused.add("principal /v1/rooms/{room} bad")
        bad = await nodes.peer(name="bad")
        await bad.resume()
        good = await nodes.stack.enter_async_context(nodes.person("good"))
        await good.enter()
        await nodes.subscribed(0, "principal /v1/rooms/{room} good")
        await nodes.halls[0].everybody(RoomConnection).broadcast(posted("to all"))
        await bad.hear("to all")
        await nodes.halls[0].principal(RoomConnection, "good").broadcast(posted("to the good"))
        await good.until(lambda: "to the good" in good.heard)
        backplane.refused.clear()
        await nodes.subscribed(0, "principal /v1/rooms/{room} bad")
        await nodes.halls[0].principal(RoomConnection, "bad").broadcast(posted("to the bad"))
        await bad.hear("to the bad")


@scenario
async def test_a_node_gives_up_what_nobody_hears_and_takes_it_up_again() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1, lease=0.06, check_interval=60) as nodes, nodes.person("ann") as ann:
        (line,) = backplane.lines.values()
        for number in range(3):
            await ann.enter_quietly()
            stream = nodes.halls[0].group(RoomConnection, "lobby").stream
            assert stream in line.streams
            await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted(str(number)))
            await ann.hears_so_many(number + 1)
            await ann.leave_quietly()
            await nodes.until(lambda: "group /v1/rooms/{room} lobby" not in line.streams)
            assert nodes.hub(0).local_feed(stream) is None
        assert ann.heard == ["0", "1", "2"]


@scenario
async def test_history_that_is_short_for_a_resume_is_no_reason_to_lose_a_gap() -> None:
    async with fleet(Wavering(seed=5, mischief=0.3), 2, history=History(size=8), **SOON) as nodes:
        ann = await nodes.stack.enter_async_context(nodes.person("ann"))
        await ann.enter_quietly()
        for number in range(100):
            await nodes.halls[1].group(RoomConnection, "lobby").broadcast(posted(str(number)))
            for _ in range(4):
                await asyncio.sleep(0)
        await ann.until(lambda: len(ann.heard) >= 100 or ann.recoveries)
        assert (ann.heard, ann.recoveries) == ([str(number) for number in range(100)], [])


@scenario
async def test_no_client_has_a_stream_begin_another_epoch() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1) as nodes:
        peer = await nodes.peer()
        session = await peer.begin()
        await peer.join()
        await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted("one"))
        await peer.hear("one")
        claimed = [{**position, "offset": 1000} for position in peer.positions]
        peer.end.abort()
        again = await nodes.peer()
        await again.resume(session, *claimed)
        recovered = await again.next("sockspec.recovered")
        await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted("two"))
        await again.hear("two")
        assert (recovered["recovered"], len(claimed)) == (False, 3)
        assert "renounce" not in backplane.asked
