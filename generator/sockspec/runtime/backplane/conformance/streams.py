"""Streams: order, history, fan-out."""

from __future__ import annotations

import asyncio
from typing import Final

from sockspec.runtime.backplane.conformance.fleet import HISTORY, SOON, Check, Fleet, Member
from sockspec.runtime.backplane.line import Entry, History, Position, Slice

DATA: Final = (bytes(range(256)), b"", b"\r\n\r\n", "ä€😀".encode(), b"\0" * 3, b"x" * 256 * 1024)


def _follow(entries: list[Entry] | tuple[Entry, ...], after: int = 0) -> None:
    """Each of the entries comes right after the one before it."""
    for entry in entries:
        assert entry.after == after
        assert entry.offset > entry.after
        after = entry.offset


async def offsets_rise_and_each_entry_knows_the_one_before_it(fleet: Fleet) -> None:
    """`Entry.offset` and `Entry.after`, as received and as read."""
    a = await fleet.open()
    await a.line.subscribe(["s"])
    tops = [await a.publish("s", b"%d" % number) for number in range(5)]
    received = await a.inbox.has("s", 5)
    kept = await a.everything("s")
    _follow(received)
    _follow(kept)
    assert [entry.offset for entry in kept] == [top.offset for top in tops]
    assert [entry.data for entry in kept] == [b"0", b"1", b"2", b"3", b"4"]


async def publishing_says_where_the_entry_stands(fleet: Fleet) -> None:
    """The position that `publish` gives is that of the entry, as it is received, read, and as the stream stands."""
    a = await fleet.open()
    before = await a.line.subscribe(["s"])
    position = await a.publish("s", b"x", "one")
    await a.inbox.has("s", 1)
    name, epoch, entry = a.inbox.received[0]
    assert (name, Position(epoch, entry.offset)) == ("s", position)
    assert before["s"].epoch == position.epoch
    assert await a.line.positions(["s"]) == {"s": position}
    assert await a.line.read("s", before["s"], 10) == Slice(position, (entry,), complete=True)
    assert entry == Entry(position.offset, 0, "one", b"x")


async def data_comes_as_it_was_published(fleet: Fleet) -> None:
    """All bytes, none, and 256 KiB of them."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await b.line.subscribe(["s"])
    for data in DATA:
        await a.publish("s", data)
    assert [entry.data for entry in await b.inbox.has("s", len(DATA))] == list(DATA)
    assert [entry.data for entry in await b.everything("s")] == list(DATA)


async def an_id_published_twice_is_there_once(fleet: Fleet) -> None:
    """The second time only says where it stands, whoever asks and whatever came between."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.subscribe(["s"])
    first = await a.publish("s", b"1", "one")
    second = await a.publish("s", b"2", "two")
    assert await a.publish("s", b"1", "one") == first
    assert await b.publish("s", b"changed", "one") == first
    assert await a.line.positions(["s"]) == {"s": second}
    await a.publish("s", b"3", "three")
    assert [entry.id for entry in await a.inbox.has("s", 3)] == ["one", "two", "three"]
    assert [entry.data for entry in await a.everything("s")] == [b"1", b"2", b"3"]


async def an_id_published_twice_at_once_is_there_once(fleet: Fleet) -> None:
    """By several nodes at the same time."""
    members = [await fleet.open(node) for node in "abc"]
    tries = [member.publish("s", b"x", f"id {number}") for number in range(10) for member in members for _ in range(2)]
    positions = await asyncio.gather(*tries)
    assert len(set(positions)) == 10
    kept = await members[0].everything("s")
    assert sorted(entry.id for entry in kept) == sorted(f"id {number}" for number in range(10))
    assert {entry.id: entry.offset for entry in kept} == {
        f"id {number // 6}": position.offset for number, position in enumerate(positions)
    }


async def an_id_published_again_is_known_though_no_history_is_kept(fleet: Fleet) -> None:
    """The ids of the last minute are remembered apart from history."""
    a = await fleet.open()
    nothing = History(size=0)
    first = await a.publish("s", b"1", "one", nothing)
    second = await a.publish("s", b"2", "two", nothing)
    assert await a.publish("s", b"1", "one", nothing) == first
    assert await a.line.positions(["s"]) == {"s": second}


async def an_id_is_of_its_stream_alone(fleet: Fleet) -> None:
    """The same id in another stream is another entry."""
    a = await fleet.open()
    await a.publish("s", b"1", "one")
    await a.publish("t", b"2", "one")
    assert [entry.data for entry in await a.everything("t")] == [b"2"]


async def everything_after_the_position_of_a_subscription_is_received(fleet: Fleet) -> None:
    """While another node publishes all the time."""
    a, b = await fleet.open("a"), await fleet.open("b")
    done = asyncio.Event()

    async def publish() -> None:
        while not done.is_set():
            await a.publish("s", b"x")
            await asyncio.sleep(0)

    publishing = asyncio.create_task(publish())
    async with asyncio.timeout(SOON):
        while (await a.line.positions(["s"]))["s"].offset < 20:
            await asyncio.sleep(0.001)
        since = (await b.line.subscribe(["s"]))["s"]
        while (await a.line.positions(["s"]))["s"].offset < since.offset + 20:
            await asyncio.sleep(0.001)
        done.set()
        await publishing
    history = await a.line.read("s", since, 100_000)
    assert history.complete
    await b.inbox.until(lambda: any(entry.offset == history.top.offset for entry in b.inbox.of("s")))
    received = [entry for entry in b.inbox.of("s") if entry.offset > since.offset]
    assert received == list(history.entries)
    _follow(received, since.offset)


async def nodes_receive_the_same_sequence_of_several_publishers(fleet: Fleet) -> None:
    """Three nodes publish at the same time, and receive what all of them publish, their own included."""
    members = [await fleet.open(node) for node in "abc"]
    for member in members:
        await member.line.subscribe(["s", "t"])
    await asyncio.gather(
        *(
            member.publish(stream, b"%d" % number, f"{member.node}{number}")
            for number in range(40)
            for stream in "st"
            for member in members
        )
    )
    for stream in "st":
        kept = await members[0].everything(stream)
        _follow(kept)
        assert {entry.id for entry in kept} == {f"{member.node}{number}" for member in members for number in range(40)}
        for member in members:
            assert await member.inbox.has(stream, 120) == kept


async def one_publisher_s_entries_stay_in_its_order(fleet: Fleet) -> None:
    """What is published after the one before returned comes after it."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await b.line.subscribe(["s"])
    for number in range(30):
        await a.publish("s", b"x", str(number))
    assert [entry.id for entry in await b.inbox.has("s", 30)] == [str(number) for number in range(30)]


async def only_what_is_subscribed_to_is_received(fleet: Fleet) -> None:
    """And nothing of another stream."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.subscribe(["s"])
    await b.line.subscribe(["t"])
    for stream in ("s", "t", "u"):
        await a.publish(stream, b"x")
    await a.inbox.has("s", 1)
    await b.inbox.has("t", 1)
    assert {name for name, _, _ in a.inbox.received} == {"s"}
    assert {name for name, _, _ in b.inbox.received} == {"t"}


async def nothing_more_is_received_after_unsubscribing(fleet: Fleet) -> None:
    """Neither is another stream lost by it, nor another node's subscription."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.subscribe(["s", "t"])
    await b.line.subscribe(["s"])
    await b.publish("s", b"1")
    await a.inbox.has("s", 1)
    await a.line.unsubscribe(["s", "never subscribed to"])
    await b.publish("s", b"2")
    await b.publish("t", b"3")
    await a.inbox.has("t", 1)
    await b.inbox.has("s", 2)
    assert [entry.data for entry in a.inbox.of("s")] == [b"1"]


async def subscribing_again_receives_again(fleet: Fleet) -> None:
    """After unsubscribing; and a second time does no harm."""
    a = await fleet.open()
    await a.line.subscribe(["s"])
    await a.line.unsubscribe(["s"])
    await a.publish("s", b"missed")
    since = await a.line.subscribe(["s"])
    await a.publish("s", b"1")
    await a.line.subscribe(["s"])
    top = await a.publish("s", b"2")
    await a.inbox.until(lambda: top.offset in [entry.offset for entry in a.inbox.of("s")])
    assert [entry.data for entry in a.inbox.of("s") if entry.offset > since["s"].offset] == [b"1", b"2"]


async def streams_are_subscribed_to_by_several_callers_at_once(fleet: Fleet) -> None:
    """Many streams in one call, and many calls at the same time."""
    a = await fleet.open()
    before = {f"s{number}": await a.publish(f"s{number}", b"x") for number in range(0, 600, 100)}
    calls = [[f"s{number}" for number in range(start, start + 200)] for start in (0, 100, 200, 300, 400)]
    found = await asyncio.gather(*(a.line.subscribe(names) for names in calls))
    for names, positions in zip(calls, found, strict=True):
        assert positions.keys() == set(names)
        assert positions == {name: before.get(name, Position(positions[name].epoch, 0)) for name in names}
    for name in ("s0", "s250", "s599"):
        await a.publish(name, b"y")
        await a.inbox.has(name, 1)
    await asyncio.gather(*(a.line.unsubscribe(names) for names in calls))
    assert await a.line.subscribe([]) == {}
    assert await a.line.positions([]) == {}
    await a.line.unsubscribe([])


async def history_keeps_no_more_than_its_size(fleet: Fleet) -> None:
    """The latest ones, exactly. Reading from before them is not complete, reading from where they begin is."""
    a = await fleet.open()
    tops = [await a.publish("s", b"%d" % number, history=History(size=5)) for number in range(12)]
    found = await a.line.read("s", Position(tops[0].epoch, 0), 100)
    assert [entry.data for entry in found.entries] == [b"7", b"8", b"9", b"10", b"11"]
    assert (found.complete, found.top) == (False, tops[-1])
    assert not (await a.line.read("s", tops[5], 100)).complete
    just = await a.line.read("s", tops[6], 100)
    assert (just.complete, just.entries) == (True, found.entries)
    await a.publish("s", b"12", history=History(size=2))
    assert [entry.data for entry in await a.everything("s")] == [b"11", b"12"]


async def history_of_no_size_keeps_nothing_and_fans_out(fleet: Fleet) -> None:
    """Receivers see gaps all the same."""
    a = await fleet.open()
    since = await a.line.subscribe(["s"])
    for data in (b"1", b"2"):
        await a.publish("s", data, history=History(size=0))
    received = await a.inbox.has("s", 2)
    _follow(received)
    top = Position(since["s"].epoch, received[-1].offset)
    assert await a.line.read("s", since["s"], 10) == Slice(top, (), complete=False)
    assert await a.line.read("s", top, 10) == Slice(top, (), complete=True)


async def history_keeps_nothing_that_is_older_than_its_seconds(fleet: Fleet) -> None:
    """What a subscribed stream stands at stays, and what comes later is kept."""
    a = await fleet.open()
    since = await a.line.subscribe(["s"])
    await a.publish("s", b"old", history=History(seconds=0.3))
    async with asyncio.timeout(SOON):
        while (found := await a.line.read("s", since["s"], 10)).entries:
            assert found.complete
            await asyncio.sleep(0.02)
    assert (found.complete, found.top.epoch) == (False, since["s"].epoch)
    later = await a.publish("s", b"new")
    assert later.epoch == since["s"].epoch
    assert [entry.data for entry in (await a.line.read("s", found.top, 10)).entries] == [b"new"]
    assert not (await a.line.read("s", since["s"], 10)).complete


async def old_entries_go_while_new_ones_come(fleet: Fleet) -> None:
    """A stream that is always published to forgets what is too old, too."""
    a = await fleet.open()
    first = await a.publish("s", b"first", history=History(seconds=0.3))
    async with asyncio.timeout(SOON):
        while b"first" in [entry.data for entry in await a.everything("s")]:
            await a.publish("s", b"x", history=History(seconds=0.3))
            await asyncio.sleep(0)
    assert not (await a.line.read("s", Position(first.epoch, 0), 10)).complete


async def reading_goes_on_from_the_last_entry(fleet: Fleet) -> None:
    """With a limit, in parts that are complete by themselves."""
    a = await fleet.open()
    tops = [await a.publish("s", b"%d" % number) for number in range(10)]
    since, entries = Position(tops[0].epoch, 0), list[Entry]()
    sizes: list[int] = []
    while True:
        part = await a.line.read("s", since, 4)
        assert (part.complete, part.top) == (True, tops[-1])
        if not part.entries:
            break
        sizes.append(len(part.entries))
        entries += part.entries
        since = Position(part.top.epoch, part.entries[-1].offset)
    assert sizes == [4, 4, 2]
    assert since == tops[-1]
    _follow(entries)
    assert [entry.data for entry in entries] == [b"%d" % number for number in range(10)]


async def reading_of_what_never_was_is_not_complete(fleet: Fleet) -> None:
    """Of another epoch, and beyond the end of the stream."""
    a = await fleet.open()
    top = await a.publish("s", b"x")
    for since in (Position("another", 0), Position("another", top.offset), Position(top.epoch, top.offset + 1)):
        found = await a.line.read("s", since, 10)
        assert (since, found.complete, found.top) == (since, False, top)
    assert not (await a.line.read("not there", top, 10)).complete


async def a_stream_begins_when_it_is_asked_for(fleet: Fleet) -> None:
    """It stands at 0, has an epoch, and keeps it, whoever asks and publishes later."""
    a, b = await fleet.open("a"), await fleet.open("b")
    begun = (await a.line.positions(["s"]))["s"]
    assert begun.offset == 0
    assert begun.epoch
    assert await b.line.positions(["s"]) == {"s": begun}
    assert await b.line.read("s", begun, 10) == Slice(begun, (), complete=True)
    assert (await b.publish("s", b"x")).epoch == begun.epoch
    assert [entry.data for entry in (await a.line.read("s", begun, 10)).entries] == [b"x"]


async def nodes_that_begin_a_stream_at_once_learn_the_same_epoch(fleet: Fleet) -> None:
    """By asking, subscribing and publishing at the same time. Another stream has another epoch, or the same; both will do."""
    members = [await fleet.open(node) for node in "abc"]

    async def epoch_of(member: Member, how: int) -> str:
        match how:
            case 0:
                return (await member.line.positions(["s"]))["s"].epoch
            case 1:
                return (await member.line.subscribe(["s"]))["s"].epoch
            case _:
                return (await member.publish("s", b"x", history=HISTORY)).epoch

    epochs = await asyncio.gather(*(epoch_of(member, how) for how in range(3) for member in members))
    assert len(set(epochs)) == 1


CHECKS: Final[tuple[Check, ...]] = (
    offsets_rise_and_each_entry_knows_the_one_before_it,
    publishing_says_where_the_entry_stands,
    data_comes_as_it_was_published,
    an_id_published_twice_is_there_once,
    an_id_published_twice_at_once_is_there_once,
    an_id_published_again_is_known_though_no_history_is_kept,
    an_id_is_of_its_stream_alone,
    everything_after_the_position_of_a_subscription_is_received,
    nodes_receive_the_same_sequence_of_several_publishers,
    one_publisher_s_entries_stay_in_its_order,
    only_what_is_subscribed_to_is_received,
    nothing_more_is_received_after_unsubscribing,
    subscribing_again_receives_again,
    streams_are_subscribed_to_by_several_callers_at_once,
    history_keeps_no_more_than_its_size,
    history_of_no_size_keeps_nothing_and_fans_out,
    history_keeps_nothing_that_is_older_than_its_seconds,
    old_entries_go_while_new_ones_come,
    reading_goes_on_from_the_last_entry,
    reading_of_what_never_was_is_not_complete,
    a_stream_begins_when_it_is_asked_for,
    nodes_that_begin_a_stream_at_once_learn_the_same_epoch,
)
