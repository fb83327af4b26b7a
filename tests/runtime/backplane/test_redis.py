"""What is particular to the backplane on Redis: how it breaks and comes back, replicas, sentinels and clusters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
import redis
from redis.asyncio import Redis, RedisCluster

from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.conformance.fleet import LONG, SOON, Fleet
from sockspec.runtime.backplane.line import BackplaneError, Position
from sockspec.runtime.backplane.redis import RedisBackplane
from tests.runtime.backplane import engines

Start: TypeAlias = Callable[..., engines.Redis]


def scenario(backplane: RedisBackplane, check: Callable[[Fleet], Awaitable[None]]) -> None:
    """Run nodes on a backplane."""
    asyncio.run(conformance.run(check, backplane))


def tell(engine: engines.Redis, *command: str | int) -> Any:
    """Tell an engine something directly."""
    with redis.Redis(port=engine.port, protocol=2) as client:
        return client.execute_command(*command)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask until something is so."""
    async with asyncio.timeout(SOON):
        while not await condition():
            await asyncio.sleep(0.02)


async def failing(call: Awaitable[object]) -> BackplaneError:
    """How something fails that has to, in time."""
    async with asyncio.timeout(SOON):
        with pytest.raises(BackplaneError) as caught:
            await call
    return caught.value


async def back(line_works: Callable[[], Awaitable[object]]) -> None:
    """Wait until the engine answers a line again."""

    async def works() -> bool:
        try:
            await line_works()
        except BackplaneError:
            return False
        return True

    await until(works)


# --- breaking, and coming back ------------------------------------------------------------------------------------------


def test_scripts_that_the_engine_has_forgotten_are_sent_again(start_redis: Start) -> None:
    engine = start_redis()

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        await a.line.subscribe(["s"])
        await a.publish("s", b"1")
        assert tell(engine, "SCRIPT", "FLUSH") in (b"OK", True)
        await asyncio.gather(a.publish("s", b"2"), a.publish("s", b"3"), a.line.renew(LONG))
        assert [entry.data for entry in await a.inbox.has("s", 3)] == [b"1", b"2", b"3"]
        assert a.inbox.interruptions == 0

    scenario(RedisBackplane(engine.url), check)


def test_an_engine_that_comes_back_with_its_data_goes_on(start_redis: Start) -> None:
    engine = start_redis()

    async def check(fleet: Fleet) -> None:
        a, b = await fleet.alive("a", "b")
        await b.line.subscribe(["s", "t"])
        before = await a.publish("s", b"1", "one")
        registered = await a.line.renew(LONG)
        await b.inbox.has("s", 1)
        engine.kill()
        await a.inbox.until(lambda: a.inbox.interruptions == 1)
        await b.inbox.until(lambda: b.inbox.interruptions == 1)
        assert not (await failing(a.publish("s", b"2"))).doubtful
        assert not (await failing(b.line.subscribe(["u"]))).doubtful
        await b.line.unsubscribe(["t"])
        engine.start()
        await b.inbox.until(lambda: b.inbox.restorations == 1)
        assert await a.publish("s", b"1", "one") == before
        after = await a.publish("s", b"2")
        assert after == Position(before.epoch, before.offset + 1)
        for stream in ("t", "u", "s"):
            await a.publish(stream, b"3")
        await b.inbox.has("s", 3)
        assert {name for name, _, _ in b.inbox.received} == {"s"}
        again = await a.line.renew(LONG)
        assert (again.known, again.engine) == (True, registered.engine)
        assert (b.inbox.interruptions, b.inbox.restorations) == (1, 1)

    scenario(RedisBackplane(engine.url), check)


def test_an_engine_that_comes_back_empty_begins_anew(start_redis: Start) -> None:
    engine = start_redis()

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        await a.line.subscribe(["s"])
        before = await a.publish("s", b"1", "one")
        registered = await a.line.renew(LONG)
        engine.kill()
        engine.forget()
        await a.inbox.until(lambda: a.inbox.interruptions == 1)
        engine.start()
        await a.inbox.until(lambda: a.inbox.restorations == 1)
        after = (await a.line.positions(["s"]))["s"]
        assert (after.epoch == before.epoch, after.offset) == (False, 0)
        assert not (await a.line.read("s", before, 10)).complete
        again = await a.line.renew(LONG)
        assert (again.known, again.engine == registered.engine) == (False, False)
        await a.publish("s", b"1", "one")
        await a.inbox.until(lambda: len(a.inbox.received) == 2)
        assert [epoch for _, epoch, _ in a.inbox.received] == [before.epoch, after.epoch]

    scenario(RedisBackplane(engine.url), check)


def test_an_engine_that_holds_still_is_noticed_in_time(start_redis: Start) -> None:
    engine = start_redis()

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        await a.line.subscribe(["s"])
        await a.publish("s", b"1")
        await a.inbox.has("s", 1)
        engine.pause()
        errors = await asyncio.gather(
            *(failing(a.publish("s", b"2", "two")) for _ in range(3)), failing(a.line.subscribe(["late"]))
        )
        assert [error.doubtful for error in errors] == [True] * 4
        await a.inbox.until(lambda: a.inbox.interruptions == 1)
        assert not (await failing(a.publish("s", b"3", "three"))).doubtful
        engine.resume()
        await a.inbox.until(lambda: a.inbox.restorations == 1)
        await a.publish("s", b"2", "two")
        await a.publish("late", b"x")
        await a.publish("s", b"4", "four")
        received = await a.inbox.has("s", 2)
        kept = await a.everything("s")
        assert [entry.data for entry in kept] == [b"1", b"2", b"4"]
        assert received[-1] == kept[-1]
        assert a.inbox.of("late") == []
        assert (a.inbox.interruptions, a.inbox.restorations) == (1, 1)

    scenario(RedisBackplane(engine.url, timeout=0.5), check)


def test_many_subscriptions_come_back_together(start_redis: Start) -> None:
    engine = start_redis()
    names = [f"s{number}" for number in range(1200)]

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        await a.line.subscribe(names)
        assert tell(engine, "CLIENT", "KILL", "TYPE", "pubsub") == 1
        await a.inbox.until(lambda: a.inbox.restorations == 1)
        assert len(tell(engine, "PUBSUB", "CHANNELS")) == 1200
        await a.line.unsubscribe(names[1:])

        async def is_alone() -> bool:
            return len(tell(engine, "PUBSUB", "CHANNELS")) == 1

        await until(is_alone)
        await a.publish("s0", b"x")
        await a.inbox.has("s0", 1)

    scenario(RedisBackplane(engine.url), check)


def test_an_engine_that_is_not_there_is_told_at_once() -> None:
    async def check() -> None:
        for url in (f"redis://127.0.0.1:{engines.free_port()}", "unix:///nowhere/redis.sock"):
            error = await failing(RedisBackplane(url).open("a", conformance.Inbox()))
            assert not error.doubtful

    asyncio.run(check())


def test_what_the_engine_refuses_was_not_done(start_redis: Start) -> None:
    engine = start_redis("--requirepass", "secret")
    with_password = engine.url.replace("//", "//:secret@")

    def as_admin(*command: str) -> None:
        with redis.Redis(port=engine.port, password="secret", protocol=2) as client:
            client.execute_command(*command)

    async def check(fleet: Fleet) -> None:
        refused = await failing(RedisBackplane(engine.url).open("b", conformance.Inbox()))
        assert not refused.doubtful
        (a,) = await fleet.alive("a")
        as_admin("CONFIG", "SET", "maxmemory", "1")
        assert not (await failing(a.publish("s", b"x"))).doubtful
        as_admin("CONFIG", "SET", "maxmemory", "0")
        as_admin("REPLICAOF", "127.0.0.1", "1")
        assert not (await failing(a.publish("s", b"x"))).doubtful
        as_admin("REPLICAOF", "NO", "ONE")
        assert (await a.publish("s", b"y")).offset == 1

    scenario(RedisBackplane(with_password), check)


def test_a_node_that_is_not_registered_places_nothing(redis_url: str) -> None:
    async def check(fleet: Fleet) -> None:
        a, b = await fleet.open("a"), await fleet.open("b")
        assert not (await failing(a.line.place("t", "k", b"x"))).doubtful
        await b.line.renew(LONG)
        await b.line.retire()
        assert await a.line.reap("b", 1) == ()
        await failing(b.line.place("t", "k", b"x"))

    scenario(RedisBackplane(redis_url, prefix=conformance.unused()), check)


def test_a_stream_is_known_as_long_as_it_is_subscribed_to(redis_url: str) -> None:
    async def check(fleet: Fleet) -> None:
        a, b = await fleet.open("a"), await fleet.open("b")
        before = await a.line.positions(["s", "t"])
        await b.line.subscribe(["s"])

        async def is_forgotten() -> bool:
            async with Redis.from_url(redis_url) as client:
                return not await client.exists(f"{prefix}:{{s:t}}:known")

        for _ in range(2):
            await until(is_forgotten)
            await a.line.positions(["t"])
        after = await a.line.positions(["s", "t"])
        assert after["s"] == before["s"]
        assert after["t"].epoch != before["t"].epoch

    prefix = conformance.unused()
    scenario(RedisBackplane(redis_url, prefix=prefix, remember=0.6), check)


# --- what a line costs, and what it leaves ------------------------------------------------------------------------------


def test_a_line_has_three_connections_however_many_call(start_redis: Start) -> None:
    engine = start_redis()

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        before = int(tell(engine, "INFO", "stats")["total_connections_received"])
        await asyncio.gather(*(a.publish("s", b"x") for _ in range(500)), *(a.line.kept("k") for _ in range(500)))
        after = int(tell(engine, "INFO", "stats")["total_connections_received"])
        assert after - before == 1 + 1  # the one for publishing, and the one that asks
        assert len(await a.everything("s")) == 500

    scenario(RedisBackplane(engine.url), check)


def test_nothing_is_left_of_a_line_that_was_closed(redis_url: str) -> None:
    async def check() -> None:
        for timeout in (0.2, 2.0):
            fleet = Fleet(RedisBackplane(redis_url, prefix=conformance.unused(), timeout=timeout))
            (a,) = await fleet.alive("a")
            await a.line.subscribe(["s"])
            publishing = asyncio.create_task(a.publish("s", b"x"))
            await asyncio.sleep(0)
            await fleet.close()
            await asyncio.gather(publishing, return_exceptions=True)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(check())


def test_what_is_no_entry_is_left_out(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    prefix = conformance.unused()

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        await a.line.subscribe(["s"])
        async with Redis.from_url(redis_url) as client:
            for text in (b"", b"x", b"epoch x 1 y", b"epoch 1 1 \xff", "é 1 1 x".encode("latin-1")):
                await client.publish(f"{prefix}:stream:s", text)
        await a.publish("s", b"1")
        assert [entry.data for entry in await a.inbox.has("s", 1)] == [b"1"]
        async with Redis.from_url(redis_url) as client:
            await client.xadd(f"{prefix}:{{s:s}}:entries", {"until": "9" * 15, "entry": "secret"}, id="2-0")
            await client.hincrby(f"{prefix}:{{s:s}}:known", "offset", 1)
        await a.publish("s", b"3")
        assert [entry.data for entry in await a.everything("s")] == [b"1", b"3"]

    scenario(RedisBackplane(redis_url, prefix=prefix), check)
    assert len(caplog.messages) == 6
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "http://localhost"}, "url= has to begin with redis://"),
        ({"url": "redis+sentinel://localhost"}, "url= has to name sentinels and a service"),
        ({"prefix": "a{b}"}, "prefix='a{b}' has to be a text without braces"),
        ({"timeout": 0}, "timeout=0 is no number above 0"),
        ({"replicas": -1}, "replicas=-1 is no number from 0 on"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RedisBackplane(**options)


# --- replicas, sentinels, clusters --------------------------------------------------------------------------------------


def _replica_of(start_redis: Start, primary: engines.Redis) -> engines.Redis:
    return start_redis("--replicaof", "127.0.0.1", str(primary.port))


async def _replicated(primary: engines.Redis) -> None:
    async def is_online() -> bool:
        return bool(tell(primary, "INFO", "replication").get("slave0", {}).get("state") == "online")

    await until(is_online)


def test_publishing_waits_for_replicas(start_redis: Start) -> None:
    primary = start_redis()

    async def check(fleet: Fleet) -> None:
        (a,) = await fleet.alive("a")
        error = await failing(a.publish("s", b"1", "one"))
        assert error.doubtful
        assert "0 of 1 replicas" in str(error)
        replica = _replica_of(start_redis, primary)
        await _replicated(primary)
        first = await a.publish("s", b"1", "one")
        assert first.offset == 1
        assert (await a.publish("s", b"2", "two")).offset == 2
        replica.pause()
        errors = await asyncio.gather(failing(a.publish("s", b"3", "three")), failing(a.publish("t", b"4")))
        assert [error.doubtful for error in errors] == [True, True]
        assert (await failing(a.publish("s", b"3", "three"))).doubtful
        assert (await a.line.renew(LONG)).known
        replica.resume()
        assert (await a.publish("s", b"3", "three")).offset == 3

    scenario(RedisBackplane(primary.url, timeout=0.6, replicas=1), check)


def test_a_line_follows_a_failover(start_redis: Start) -> None:
    primary = start_redis()
    replica = _replica_of(start_redis, primary)
    asyncio.run(_replicated(primary))
    sentinel = start_redis(is_sentinel=True)
    tell(sentinel, "SENTINEL", "MONITOR", "ours", "127.0.0.1", primary.port, 1)
    tell(sentinel, "SENTINEL", "SET", "ours", "down-after-milliseconds", 300)

    async def check(fleet: Fleet) -> None:
        async def knows_the_replica() -> bool:
            return len(tell(sentinel, "SENTINEL", "REPLICAS", "ours")) == 1

        await until(knows_the_replica)
        a, b = await fleet.alive("a", "b")
        await b.line.subscribe(["s"])
        before = await a.publish("s", b"1", "one")
        await b.inbox.has("s", 1)
        primary.kill()
        await back(lambda: a.publish("s", b"2", "two"))
        await b.inbox.until(lambda: b.inbox.restorations == 1)
        assert await a.publish("s", b"1", "one") == before
        await a.publish("s", b"3", "three")
        assert (await b.inbox.has("s", 2))[-1].data == b"3"
        assert [entry.data for entry in await b.everything("s")] == [b"1", b"2", b"3"]
        assert tell(replica, "ROLE")[0] in (b"master", "master")

    scenario(RedisBackplane(f"redis+sentinel://127.0.0.1:{sentinel.port}/ours", timeout=1.0, replicas=0), check)


def _sees_all(nodes: bytes) -> bool:
    lines = nodes.splitlines()
    return len(lines) == 3 and all(b" connected" in line and b"handshake" not in line for line in lines)


@pytest.fixture(scope="module")
def cluster(start_shared_redis: Start) -> list[engines.Redis]:
    """Three servers that share the slots."""
    servers = [start_shared_redis("--cluster-enabled", "yes") for _ in range(3)]
    for number, server in enumerate(servers):
        tell(server, "CLUSTER", "ADDSLOTS", *range(number * 5462, min(16384, (number + 1) * 5462)))
        tell(server, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for server in servers[1:]:
        tell(server, "CLUSTER", "MEET", "127.0.0.1", servers[0].port)

    async def agree() -> bool:
        states = [tell(server, "CLUSTER", "INFO") for server in servers]
        views = [tell(server, "CLUSTER", "NODES") for server in servers]
        return all(b"cluster_state:ok" in state for state in states) and all(map(_sees_all, views))

    asyncio.run(until(agree))
    return servers


@pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.sentence)
def test_a_cluster_keeps_to(cluster: list[engines.Redis], check: conformance.Check) -> None:
    def client() -> RedisCluster:
        return RedisCluster(host="127.0.0.1", port=cluster[0].port)

    scenario(RedisBackplane(client=client, prefix=conformance.unused(), timeout=5.0), check)
