"""What is particular to NATS: an engine that ends, holds still or forgets, and one JetStream stream for all streams."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import nats
import pytest

from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.conformance.fleet import HISTORY, LONG, SOON
from sockspec.runtime.backplane.line import BackplaneError, History, Line, Placed, Position
from sockspec.runtime.backplane.nats import NatsBackplane
from tests.runtime.backplane.engines import Engine, Nats, free_port, nats_server

T = TypeVar("T")
StartNats = Callable[..., Nats]

TIMEOUT = 1.0
"""Short, for engines that do not answer."""


@asynccontextmanager
async def fleet_of(url: str, **options: Any) -> AsyncGenerator[conformance.Fleet]:
    """Nodes that are closed at the end."""
    fleet = conformance.Fleet(NatsBackplane(url, **options))
    try:
        yield fleet
    finally:
        await fleet.close()


@asynccontextmanager
async def jetstream(url: str) -> AsyncGenerator[Callable[..., Any]]:
    """Asks JetStream itself, past the backplane."""
    client = await nats.connect(url, allow_reconnect=False)

    async def ask(what: str, **body: Any) -> Any:
        answer = json.loads((await client.request(f"$JS.API.{what}", json.dumps(body).encode(), timeout=SOON)).data)
        assert "error" not in answer, answer
        return answer

    try:
        yield ask
    finally:
        await client.close()


async def refusal(line: Line, stream: str = "s", id: str = "x") -> BackplaneError:
    """The error with which a publish fails."""
    with pytest.raises(BackplaneError) as caught:
        await line.publish(stream, b"x", id=id, history=HISTORY)
    return caught.value


async def until_refused(line: Line) -> tuple[str, BackplaneError]:
    """The first publish that fails. A process that is told to hold still may answer some more."""
    number = 0
    while True:
        try:
            await line.publish("s", b"x", id=f"number {number}", history=HISTORY)
        except BackplaneError as error:
            return f"number {number}", error
        number += 1


async def interrupted(member: conformance.Member) -> None:
    """Wait until a line is told that there is no answer."""
    await member.inbox.until(lambda: member.inbox.interruptions >= 1)


async def restored(member: conformance.Member, times: int = 1) -> None:
    """Wait until a line is there again."""
    await member.inbox.until(lambda: member.inbox.restorations >= times)


def run(test: Any) -> None:
    """Run a test that waits, but not for ever."""

    async def in_time() -> None:
        async with asyncio.timeout(60):
            await test

    asyncio.run(in_time())


# --- an engine that ends --------------------------------------------------------------------------------------------


def test_everything_is_there_again_when_the_engine_is_started_again_with_its_store(start_nats: StartNats) -> None:
    async def test() -> None:
        engine = start_nats()
        async with fleet_of(engine.url, timeout=TIMEOUT) as fleet:
            a, b = await fleet.alive("a", "b")
            before = await a.line.renew(LONG)
            await b.line.subscribe(["s"])
            first = await a.publish("s", b"1", "one")
            await a.line.place("t", "k", b"x")
            await a.line.keep({"k": b"kept"}, LONG)
            await b.inbox.has("s", 1)
            engine.stop()
            await asyncio.gather(interrupted(a), interrupted(b))
            engine.start()
            await asyncio.gather(restored(a), restored(b))
            assert await a.publish("s", b"1", "one") == first
            second = await a.publish("s", b"2", "two")
            assert second.epoch == first.epoch
            assert [entry.data for entry in await b.inbox.has("s", 2)] == [b"1", b"2"]
            found = await b.line.read("s", first, 10)
            assert ([entry.id for entry in found.entries], found.complete) == (["two"], True)
            assert await a.line.renew(LONG) == before.__class__(before.nodes | {"b"}, before.dead, True, before.engine)
            assert [record.key for record in await b.line.records("t")] == ["k"]
            assert await b.line.kept("k") == b"kept"
            assert (b.inbox.interruptions, b.inbox.restorations) == (1, 1)

    run(test())


def test_an_engine_that_lost_its_store_is_another_one(start_nats: StartNats) -> None:
    async def test() -> None:
        engine = start_nats()
        async with fleet_of(engine.url, timeout=TIMEOUT) as fleet:
            a, b = await fleet.alive("a", "b")
            await b.line.subscribe(["s"])
            before = await a.publish("s", b"1", "one")
            engine.kill()
            engine.forget()
            engine.start()
            await asyncio.gather(restored(a), restored(b))
            after = await a.publish("s", b"1", "one")
            assert after.epoch != before.epoch
            await b.inbox.until(lambda: b.inbox.received[-1][1] == after.epoch)
            found = await a.line.read("s", before, 10)
            assert (found.complete, found.top) == (False, after)
            assert not (await a.line.renew(LONG)).known

    run(test())


@pytest.mark.parametrize("check", conformance.FORGETTING, ids=conformance.sentence)
def test_what_holds_when_everything_was_forgotten(nats_url: str, check: Any) -> None:
    """Though the server and its connections stay: somebody removed what the backplane made there."""

    async def test() -> None:
        prefix = conformance.unused()
        members: list[conformance.Member] = []

        class Watched(conformance.Fleet):
            async def open(self, node: str = "a") -> conformance.Member:
                members.append(await super().open(node))
                return members[-1]

        async def forget() -> None:
            async with jetstream(nats_url) as ask:
                await ask(f"STREAM.DELETE.{prefix}_streams")
                await ask(f"STREAM.DELETE.{prefix}_state")
            for member in members:
                await restored(member)

        fleet = Watched(NatsBackplane(nats_url, prefix=prefix, storage="memory", timeout=TIMEOUT))
        try:
            await check(fleet, forget)
        finally:
            await fleet.close()

    run(test())


def test_all_that_was_acknowledged_is_there_once_and_in_order_after_the_engine_was_killed_under_load(
    start_nats: StartNats,
) -> None:
    async def test() -> None:
        engine = start_nats()
        history = History(size=100_000)
        async with fleet_of(engine.url, timeout=TIMEOUT) as fleet:
            members = [await fleet.open(node) for node in "abc"]
            watcher = members[0]
            since = await watcher.line.subscribe(["s"])
            acknowledged: dict[str, int] = {}
            ending = asyncio.Event()

            async def publish(member: conformance.Member, number: int = 0) -> None:
                while not ending.is_set():
                    id, number = f"{member.node}{number}", number + 1
                    top = await insisted(partial(member.publish, "s", b"x", id, history))
                    acknowledged[id] = top.offset

            publishers = [asyncio.create_task(publish(member)) for member in members]
            for kills in (1, 2):
                seen = len(watcher.inbox.of("s"))
                await watcher.inbox.has("s", seen + 200)
                await asyncio.to_thread(engine.kill)
                await asyncio.to_thread(engine.start)
                await asyncio.gather(*(restored(member, kills) for member in members))
            ending.set()
            await asyncio.gather(*publishers)
            found = await watcher.line.read("s", since["s"], 100_000)
            assert found.complete
            assert {entry.id: entry.offset for entry in found.entries} == acknowledged
            assert len(found.entries) == len(acknowledged)
            for node in "abc":
                offsets = [offset for id, offset in acknowledged.items() if id.startswith(node)]
                assert offsets == sorted(offsets)

    run(test())


# --- an engine that does not answer ---------------------------------------------------------------------------------


def test_nothing_is_sent_later_that_was_published_while_there_was_no_engine(start_nats: StartNats) -> None:
    async def test() -> None:
        engine = start_nats()
        async with fleet_of(engine.url, timeout=TIMEOUT) as fleet:
            a = await fleet.open("a")
            await a.publish("s", b"before")
            engine.stop()
            await interrupted(a)
            began = time.monotonic()
            errors = [await refusal(a.line, id=str(number)) for number in range(100)]
            assert time.monotonic() - began < TIMEOUT
            assert [error.doubtful for error in errors] == [False] * 100
            engine.start()
            await restored(a)
            await a.publish("s", b"after")
            assert [entry.data for entry in await a.everything("s")] == [b"before", b"after"]

    run(test())


def test_an_engine_that_holds_still_is_noticed_and_what_was_in_doubt_is_there_once(start_nats: StartNats) -> None:
    async def test() -> None:
        engine = start_nats()
        async with fleet_of(engine.url, timeout=TIMEOUT) as fleet:
            a, b = await fleet.open("a"), await fleet.open("b")
            await b.line.subscribe(["s"])
            await a.publish("s", b"1")
            engine.pause()
            in_doubt, error = await until_refused(a.line)
            assert error.doubtful
            await asyncio.gather(interrupted(a), interrupted(b))
            assert not (await refusal(a.line, id="refused")).doubtful
            engine.resume()
            await asyncio.gather(restored(a), restored(b))
            again = await insisted(partial(a.publish, "s", b"x", in_doubt))
            kept = await insisted(partial(a.everything, "s"))
            assert [entry.id for entry in kept if entry.offset >= again.offset] == [in_doubt]
            assert len({entry.id for entry in kept}) == len(kept)
            await insisted(partial(a.publish, "s", b"2", "2"))
            await b.inbox.until(lambda: any(entry.data == b"2" for entry in b.inbox.of("s")))

    run(test())


def test_a_line_is_closed_in_time_though_the_engine_holds_still(start_nats: StartNats) -> None:
    async def test() -> None:
        engine = start_nats()
        async with fleet_of(engine.url, timeout=TIMEOUT) as fleet:
            a = await fleet.open("a")
            await a.publish("s", b"x")
            engine.pause()
            flood = [a.line.publish("s", bytes(500_000), id=str(number), history=HISTORY) for number in range(40)]
            results = await asyncio.gather(*flood, return_exceptions=True)
            assert {result.doubtful for result in results if isinstance(result, BackplaneError)} == {False, True}
            async with asyncio.timeout(4 * TIMEOUT):
                await a.line.close()

    run(test())


# --- servers that will not do ---------------------------------------------------------------------------------------


async def opening(url: str) -> str:
    """Why a node cannot be connected."""
    with pytest.raises(BackplaneError) as caught:
        await NatsBackplane(url, timeout=TIMEOUT).open("a", conformance.Inbox())
    return str(caught.value)


def test_a_server_that_is_too_old_is_refused_by_its_version() -> None:
    async def test() -> None:
        async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            info = {"server_id": "x", "version": "2.10.29", "headers": True, "max_payload": 1000, "jetstream": True}
            writer.write(f"INFO {json.dumps(info)}\r\n".encode())
            while line := await reader.readline():
                if line == b"PING\r\n":
                    writer.write(b"PONG\r\n")
            writer.close()

        server = await asyncio.start_server(old, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            why = await opening(f"nats://127.0.0.1:{port}")
        assert why == "NATS 2.11 or newer is needed, and this is 2.10"

    run(test())


def test_a_server_without_jetstream_is_refused(request: pytest.FixtureRequest, tmp_path: Any) -> None:
    request.getfixturevalue("start_nats")  # leaves this out where there is no server to start
    executable, port = nats_server(), free_port()
    engine = Engine([str(executable), "-a", "127.0.0.1", "-p", str(port)], port, tmp_path / "nats", b"", (b"INFO",))
    try:
        run(refused_without_jetstream(port))
    finally:
        engine.remove()


async def refused_without_jetstream(port: int) -> None:
    assert await opening(f"nats://127.0.0.1:{port}") == "NATS has no such stream at the moment; is JetStream enabled?"


def test_where_nobody_listens_it_says_so() -> None:
    async def test() -> None:
        why = await opening(f"nats://127.0.0.1:{free_port()}")
        assert why.startswith("NATS cannot be reached: ")

    run(test())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeout", 0),
        ("replicas", 0),
        ("storage", "tape"),
        ("remember", 5.0),
        ("servers", []),
        ("prefix", "a.b"),
        ("prefix", ""),
        ("prefix", "a*"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_said(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option}="):
        NatsBackplane(**{option: value})


# --- one JetStream stream for all -----------------------------------------------------------------------------------


def test_a_quiet_stream_is_known_to_be_complete_though_a_busy_one_is_trimmed(nats_url: str) -> None:
    async def test() -> None:
        async with fleet_of(nats_url, prefix=conformance.unused(), storage="memory") as fleet:
            a = await fleet.open("a")
            quiet = await a.line.subscribe(["never", "once"])
            once = await a.publish("once", b"x")
            for _ in range(4):
                await asyncio.gather(*(a.publish("busy", b"x", history=History()) for _ in range(200)))
            assert len(await a.everything("busy")) == 256
            never = await a.line.read("never", quiet["never"], 10)
            assert (never.entries, never.complete) == ((), True)
            assert (await a.line.read("once", once, 10)).complete
            assert (await a.line.positions(["once"]))["once"] == once
            late = (await a.line.positions(["late"]))["late"]
            assert (await a.line.read("late", late, 10)).complete

    run(test())


def test_nothing_is_said_to_be_complete_once_the_server_has_thrown_away_what_came_since(nats_url: str) -> None:
    async def test() -> None:
        prefix = conformance.unused()
        async with fleet_of(nats_url, prefix=prefix, storage="memory") as fleet:
            a = await fleet.open("a")
            since = await a.line.subscribe(["s", "t"])
            top = await a.publish("s", b"x")
            await a.publish("s", b"thrown away")
            async with jetstream(nats_url) as ask:
                await ask(f"STREAM.PURGE.{prefix}_streams")
            for stream, position in (("s", since["s"]), ("s", top), ("t", since["t"])):
                found = await a.line.read(stream, position, 10)
                assert (stream, found.entries, found.complete) == (stream, (), False)
                assert (await a.line.read(stream, found.top, 10)).complete
            after = await a.publish("s", b"y")
            found = await a.line.read("s", top, 10)
            assert ([entry.offset for entry in found.entries], found.complete) == ([after.offset], False)

    run(test())


def test_more_history_is_kept_when_somebody_asks_for_it(nats_url: str) -> None:
    async def test() -> None:
        prefix = conformance.unused()
        async with fleet_of(nats_url, prefix=prefix, storage="memory") as fleet:
            a, b = await fleet.open("a"), await fleet.open("b")
            tops = [await a.publish("s", b"x", history=History(size=1)) for _ in range(3)]
            more = History(size=300, seconds=90_000.0)
            await asyncio.gather(*(b.publish("t", b"x", history=more) for _ in range(290)))
            found = await a.line.read("t", Position(tops[0].epoch, 0), 1000)
            assert (len(found.entries), found.complete) == (290, True)
            async with jetstream(nats_url) as ask:
                config = (await ask(f"STREAM.INFO.{prefix}_streams"))["config"]
            assert (config["max_msgs_per_subject"], config["max_age"]) == (300, 90_000 * 10**9)
            assert [entry.offset for entry in await a.everything("s")] == [tops[-1].offset]

    run(test())


def test_what_others_write_to_its_subjects_is_left_out(nats_url: str) -> None:
    """Neither a stranger's entry nor a stranger's record ends anything."""

    async def test() -> None:
        prefix = conformance.unused()
        async with fleet_of(nats_url, prefix=prefix, storage="memory") as fleet:
            (a,) = await fleet.alive("a")
            await a.line.subscribe(["s"])
            await a.line.place("t", "k", b"x")
            stranger = await nats.connect(nats_url, allow_reconnect=False)
            await stranger.publish(f"{prefix}.out.s", b"not stored")
            await stranger.publish(f"{prefix}.out.s", b"", headers={"Nats-Sequence": "x", "Nats-Last-Sequence": "y"})
            for subject in ("record.t.other.a", "node.other", "rate.b", "kept.v"):
                await stranger.request(f"{prefix}.state.{subject}", b"\xc1", timeout=SOON)
            await stranger.close()
            assert await a.line.take("b", 1, rate=1.0, burst=1) == 0
            assert await a.line.kept("v") is None
            assert [record.key for record in await a.line.records("t")] == ["k"]
            assert (await a.line.renew(LONG)).nodes == {"a"}
            await a.publish("s", b"1")
            assert [entry.data for entry in await a.inbox.has("s", 1)] == [b"1"]
            await a.line.retire()
            assert [record.key for record in await a.line.reap("a", 10)] == ["k"]
            assert await a.line.reap("a", 10) == ()

    run(test())


def test_thousands_of_streams_are_subscribed_to_at_once(nats_url: str) -> None:
    async def test() -> None:
        async with fleet_of(nats_url, prefix=conformance.unused(), storage="memory") as fleet:
            a = await fleet.open("a")
            names = [f"stream {number}" for number in range(3000)]
            tops = {name: await a.publish(name, b"x") for name in names[::500]}
            found = await a.line.subscribe(names)
            assert found == {name: tops.get(name, Position(found[name].epoch, 0)) for name in names}
            for name in names[::700]:
                await a.publish(name, b"y")
                await a.inbox.has(name, 1)
            await a.line.unsubscribe(names)

    run(test())


def test_seats_are_given_exactly_though_records_are_written_anew_meanwhile(nats_url: str) -> None:
    async def test() -> None:
        async with fleet_of(nats_url, prefix=conformance.unused(), storage="memory") as fleet:
            members = await fleet.alive("a", "b", "c")
            held = [await members[0].line.place("t", f"held {number}", b"x", most=5) for number in range(3)]
            assert held == [Placed.NEW] * 3

            async def again(member: conformance.Member, number: int) -> Placed:
                return await member.line.place("t", f"held {number % 3}", os.urandom(4), most=5)

            placed = await asyncio.gather(
                *(
                    member.line.place("t", f"{member.node}{number}", b"x", most=5)
                    for number in range(10)
                    for member in members
                ),
                *(again(member, number) for number in range(10) for member in members),
            )
            assert placed[:30].count(Placed.NEW) == 2
            assert placed[:30].count(Placed.FULL) == 28
            assert placed[30:] == [Placed.KNOWN] * 30
            assert len(await members[1].line.records("t")) == 5

    run(test())


# --- a cluster ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_nothing_that_was_acknowledged_is_lost_with_one_of_three_servers(start_nats: StartNats) -> None:
    """And what was just written is found, whichever replica is asked."""

    async def test() -> None:
        routes = [f"nats://127.0.0.1:{free_port()}" for _ in range(3)]
        options = ["--cluster_name", "three", "--routes", ",".join(routes)]
        servers = {f"n{n}": start_nats("-n", f"n{n}", "--cluster", route, *options) for n, route in enumerate(routes)}
        backplane = NatsBackplane([server.url for server in servers.values()], replicas=3, timeout=1.0)
        fleet = conformance.Fleet(backplane)
        a, b = [await insisted(partial(fleet.open, node)) for node in "ab"]
        try:
            await b.line.renew(LONG)
            since = await b.line.subscribe(["s"])
            for number in range(50):
                key = str(number)
                assert await b.line.place("t", key, b"x", most=1) is Placed.NEW
                await a.line.keep({key: b"x"}, LONG)
                assert await b.line.kept(key) == b"x"
                assert await b.line.drop("t", key)
                top = await a.publish("s", b"x", key)
                assert (await b.line.read("s", top, 10)).top == top
            async with jetstream(servers["n0"].url) as ask:
                leader = (await ask("STREAM.INFO.sockspec_streams"))["cluster"]["leader"]
            servers[leader].kill()
            tops = [await insisted(partial(a.publish, "s", b"x", str(number))) for number in range(50, 100)]
            offsets = [top.offset for top in tops]
            assert offsets == sorted(set(offsets))
            found = await insisted(lambda: b.line.read("s", since["s"], 1000))
            assert ([entry.id for entry in found.entries], found.complete) == ([str(n) for n in range(100)], True)
            assert found.entries[-1].offset == offsets[-1]
        finally:
            await fleet.close()

    run(test())


async def insisted(ask: Callable[[], Awaitable[T]]) -> T:
    """What is answered in the end."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask()
            except BackplaneError:
                await asyncio.sleep(0.02)
