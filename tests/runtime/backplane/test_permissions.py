"""What an engine has to allow a fleet: the rules that we publish are enough, and nothing in them is for nothing."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import redis
from redis.asyncio import RedisCluster

from sockspec.runtime.backplane.conformance.fleet import SOON, Fleet
from sockspec.runtime.backplane.line import Backplane, BackplaneError, History, Placed
from sockspec.runtime.backplane.nats import NatsBackplane
from sockspec.runtime.backplane.redis import RedisBackplane
from tests.runtime.backplane import engines

DEPLOY: Final = Path(__file__).parents[3] / "docs" / "deploy"

StartRedis: TypeAlias = Callable[..., engines.Redis]
StartNats: TypeAlias = Callable[..., engines.Nats]


async def everything(backplane: Backplane) -> None:
    """Ask for everything that there is to ask for."""
    fleet = Fleet(backplane)
    try:
        one, other = await fleet.alive("one", "other")
        await one.line.subscribe(["stream"])
        await other.publish("stream", b"first", "id")
        await other.publish("stream", b"first", "id", History(size=1000, seconds=200.0))
        await other.publish("stream", b"", history=History(size=0, seconds=60.0))
        assert [entry.data for entry in await one.inbox.has("stream", 2)] == [b"first", b""]
        await other.publish("short", b"old", history=History(size=10, seconds=0.02))
        await other.publish("short", b"new")
        async with asyncio.timeout(SOON):
            while len(await other.everything("short")) > 1:
                await asyncio.sleep(0.01)
        await one.line.unsubscribe(["stream"])
        await one.line.renounce("stream", (await other.line.positions(["stream"]))["stream"])
        assert await other.everything("stream") == []
        assert await one.line.place("table", "key", b"value", most=1) is Placed.NEW
        assert await other.line.place("table", "other key", b"value", most=1) is Placed.FULL
        assert await other.line.place("table", "key", b"value") is Placed.KNOWN
        assert len(await one.line.records("table")) == 1
        assert await one.line.place("table", "dropped", b"") is Placed.NEW
        assert await one.line.drop("table", "dropped")
        await other.line.retire()
        await one.finds_dead("other")
        assert len(await one.line.reap("other", 10)) == 1
        assert await one.line.reap("other", 10) == ()
        await one.line.keep({"key": b"value"}, 60.0)
        assert await one.line.kept("key") == b"value"
        await one.line.discard("key")
        assert await one.line.kept("key") is None
        assert await one.line.take("bucket", 1, rate=1.0, burst=10) == 0.0
    finally:
        await fleet.close()


# --- Redis ------------------------------------------------------------------------------------------------------------


def secured(start: StartRedis, tmp_path: Path) -> tuple[engines.Redis, str]:
    """A Redis with our rules, and an administrator beside them; and where our user finds it."""
    rules = tmp_path / "users.acl"
    rules.touch()
    engine = start("--aclfile", str(rules))  # it has to answer a ping until it is known to have started
    rules.write_text((DEPLOY / "users.acl").read_text() + "user admin on >admin ~* &* +@all\n")
    with redis.Redis(port=engine.port, protocol=2) as client:
        client.execute_command("ACL", "LOAD")
    return engine, f"redis://sockspec:change-me@127.0.0.1:{engine.port}"


def test_the_rule_for_redis_is_enough_and_nothing_in_it_is_for_nothing(start_redis: StartRedis, tmp_path: Path) -> None:
    engine, url = secured(start_redis, tmp_path)
    start_redis("--replicaof", "127.0.0.1", str(engine.port), "--masteruser", "admin", "--masterauth", "admin")
    with redis.Redis(port=engine.port, username="admin", password="admin", protocol=2, decode_responses=True) as admin:
        end = time.monotonic() + SOON
        while int(str(admin.execute_command("WAIT", 1, 100))) < 1:
            assert time.monotonic() < end
        admin.execute_command("CONFIG", "RESETSTAT")
        asyncio.run(everything(RedisBackplane(url, replicas=1)))
        assert admin.execute_command("ACL", "LOG") == []
        used = {name.removeprefix("cmdstat_").partition("|")[0] for name in admin.info("commandstats")}
    allowed = set(re.findall(r" \+([a-z]+)", (DEPLOY / "users.acl").read_text()))
    assert allowed - used == {"exists", "rename"}  # which come after a minute


def test_the_rule_for_redis_gives_nothing_else(start_redis: StartRedis, tmp_path: Path) -> None:
    _, url = secured(start_redis, tmp_path)
    with redis.Redis.from_url(url, protocol=2) as client:
        client.set("sockspec:kept:one", b"")
        others = (("GET", "other"), ("PUBLISH", "other", "x"), ("SUBSCRIBE", "other"), ("KEYS", "*"), ("FLUSHALL",))
        for command in (*others, ("CONFIG", "GET", "*"), ("EVAL", "return redis.call('GET', 'other')", "0")):
            with pytest.raises(redis.ResponseError, match=r"(?i)permission|can't access"):
                client.execute_command(*command)
    with (
        pytest.raises(redis.AuthenticationError),
        redis.Redis.from_url(url.replace("sockspec:change-me@", "")) as nobody,
    ):
        nobody.ping()


def test_a_cluster_has_to_allow_two_more_commands(start_redis: StartRedis) -> None:
    more = re.findall(r"A cluster needs `(.+?)`", (DEPLOY.parent / "fleet.md").read_text())[0].split()
    (rule,) = re.findall(r"^user (sockspec .+)", (DEPLOY / "users.acl").read_text(), re.MULTILINE)
    engine = start_redis("--cluster-enabled", "yes")

    def client() -> RedisCluster:
        return RedisCluster(host="127.0.0.1", port=engine.port, username="sockspec", password="change-me")

    with redis.Redis(port=engine.port, protocol=2, decode_responses=True) as admin:
        admin.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        end = time.monotonic() + SOON
        while "cluster_state:ok" not in str(admin.execute_command("CLUSTER", "INFO")):
            assert time.monotonic() < end
        for left_out in more:
            kept = [one for one in more if one != left_out]
            admin.execute_command("ACL", "SETUSER", *rule.split(), *kept)
            with pytest.raises(BackplaneError):
                asyncio.run(everything(RedisBackplane(client=client)))
            admin.execute_command("ACL", "DELUSER", "sockspec")
        admin.execute_command("ACL", "SETUSER", *rule.split(), *more)
        asyncio.run(everything(RedisBackplane(client=client)))


# --- NATS -------------------------------------------------------------------------------------------------------------


def guarded(start: StartNats, tmp_path: Path) -> engines.Nats:
    """A server with our configuration, in a folder of the test, which writes down what it is told."""
    path = tmp_path / "nats.conf"
    path.write_text((DEPLOY / "nats.conf").read_text().replace("store_dir: /data", ""))  # which the command line has
    return start("-c", str(path), "-V")


def to(engine: engines.Nats, **options: Any) -> NatsBackplane:
    return NatsBackplane(engine.url, user="sockspec", password="change-me", inbox_prefix=b"_INBOX_sockspec", **options)


def test_the_permissions_for_nats_are_enough_and_none_is_for_nothing(start_nats: StartNats, tmp_path: Path) -> None:
    engine = guarded(start_nats, tmp_path)
    asyncio.run(everything(to(engine)))
    log = (engine.folder / "log").read_text()
    assert "Violation" not in log
    published = set(re.findall(r"<<- \[H?PUB (\S+) ", log))
    subscribed = set(re.findall(r"<<- \[SUB (\S+) ", log))
    text = (DEPLOY / "nats.conf").read_text()
    for allowed, used in (("publish: [", published), ("subscribe: [", subscribed)):
        patterns = re.findall(r'"([^"]+)"', text.partition(allowed)[2].partition("]")[0])
        assert len(patterns) > 1
        unused = [one for one in patterns if not any(subject.startswith(one.removesuffix(">")) for subject in used)]
        # With replicas only: one may be behind, and the leader is asked.
        assert set(unused) <= {"$JS.API.STREAM.MSG.GET.sockspec_streams"}


def test_the_permissions_for_nats_give_nothing_else(start_nats: StartNats, tmp_path: Path) -> None:
    engine = guarded(start_nats, tmp_path)
    with pytest.raises(BackplaneError):
        asyncio.run(everything(to(engine, prefix="other", timeout=0.3)))
    with pytest.raises(BackplaneError, match=r"(?i)authorization"):
        asyncio.run(everything(NatsBackplane(engine.url)))
