"""How an engine is reached by redis-py: connections of our own, without its retries, and what its errors mean.

We drive connections ourselves. A client's pool would hand one to each of many concurrent callers, a caller that is cancelled
would take its connection along, and a command that is tried again silently cannot be told from one that was surely not done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import unquote, urlsplit

from sockspec.runtime.backplane.line import BackplaneError

if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster
    from redis.asyncio.connection import AbstractConnection

_log: Final = logging.getLogger("sockspec.backplane")

Client: TypeAlias = "Redis | RedisCluster"

_OF_ITS_OWN = (
    "retry retry_on_error retry_on_timeout maint_notifications_config maint_notifications_pool_handler".split()
)
"""Arguments of a client's connections that ours do without."""


def check_url(url: str) -> None:
    """Raises ValueError for what is no address of a Redis. It does not quote it, for it may have a password."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix", "redis+sentinel"):
        raise ValueError("url= has to begin with redis://, rediss://, unix:// or redis+sentinel://")
    if parts.scheme == "redis+sentinel" and not (_sentinels(url) and parts.path.strip("/")):
        raise ValueError("url= has to name sentinels and a service: redis+sentinel://host:port,host:port/service")


def _sentinels(url: str) -> list[tuple[str, int]]:
    addresses = urlsplit(url).netloc.rpartition("@")[2].split(",")
    found: list[tuple[str, int]] = []
    for address in filter(None, addresses):
        host, _, port = address.rpartition(":") if not address.endswith("]") else (address, "", "")
        found.append(((host or address).strip("[]"), int(port) if host and port else 26379))
    return found


def client_of(url: str, timeout: float) -> Client:
    """A client for an address."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff

    times: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    if not url.startswith("redis+sentinel:"):
        return Redis.from_url(url, **times)
    parts = urlsplit(url)
    service, _, database = parts.path.strip("/").partition("/")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    once: dict[str, Any] = {**times, "retry": Retry(NoBackoff(), 0), "protocol": 2}
    make: Callable[..., Sentinel] = Sentinel  # its arguments have no types
    sentinel = make(_sentinels(url), sentinel_kwargs=once)
    secrets: dict[str, Any] = {"username": unquote(user) or None, "password": unquote(password) or None}
    client: Redis = sentinel.master_for(service, db=int(database or 0), **secrets, **times)
    return client


def is_cluster(client: Client) -> bool:
    """Whether a client is one of a cluster."""
    return not hasattr(client, "connection_pool")


def connector(client: Client, timeout: float) -> Callable[[], AbstractConnection]:
    """Makes connections as a client would make them; in a cluster, to any of its servers."""
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    def make() -> AbstractConnection:
        source: Any
        if is_cluster(client):
            source = cast("RedisCluster", client).get_random_node()
        else:
            source = cast("Redis", client).connection_pool
        options = {name: value for name, value in source.connection_kwargs.items() if name not in _OF_ITS_OWN}
        options |= {"retry": Retry(NoBackoff(), 0), "protocol": 2, "decode_responses": False}
        options |= {"socket_timeout": None, "socket_connect_timeout": timeout, "health_check_interval": 0}
        connection: AbstractConnection = source.connection_class(**options)
        return connection

    return make


async def connected(make: Callable[[], AbstractConnection], timeout: float) -> AbstractConnection:
    """A connection that is open. Raises BackplaneError."""
    connection = make()
    connect: Callable[[], Awaitable[None]] = connection.connect
    try:
        async with asyncio.timeout(timeout):
            await connect()
    except Exception as error:
        await hang_up(connection)
        raise failure(error, doubtful=False) from error
    except BaseException:
        await hang_up(connection)
        raise
    return connection


async def hang_up(connection: AbstractConnection) -> None:
    """Close a connection without waiting for the other end. Never raises."""
    try:
        await connection.disconnect(nowait=True)
    except Exception as error:  # it is given up in any case
        _log.debug("closing a connection to Redis failed: %s", type(error).__name__)


def has_ended(connection: AbstractConnection) -> bool:
    """Whether the other end has closed a connection meanwhile: then what is asked for has to go over another one.

    redis-py itself notices that from 8.0 on; the stream that it reads from is the same in all versions.
    """
    reader: asyncio.StreamReader | None = getattr(connection, "_reader", None)
    return reader is None or reader.at_eof()


async def close(client: Client, timeout: float) -> None:
    """Close a client, and those that it asks for its address. Never raises."""
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    for one in (client, *getattr(manager, "sentinels", ())):
        try:
            async with asyncio.timeout(timeout):
                await one.aclose()
        except Exception as error:  # it is given up in any case
            _log.debug("closing a client of Redis failed: %s", type(error).__name__)


def is_refusal(error: BaseException) -> bool:
    """Whether the engine said that it did not do something, rather than saying nothing.

    Some of its answers are a ConnectionError in redis-py: that it loads its data, or that it wants to know who asks.
    """
    from redis.exceptions import AuthenticationError, BusyLoadingError, ResponseError

    return isinstance(error, ResponseError | AuthenticationError | BusyLoadingError)


def failure(error: BaseException, *, doubtful: bool) -> BackplaneError:
    """What an error means to who asked. Texts of redis-py name hosts and commands, and no values."""
    if isinstance(error, BackplaneError):
        return BackplaneError(str(error), doubtful=doubtful and error.doubtful)
    if is_refusal(error):
        return BackplaneError(f"Redis refused: {error}")
    if isinstance(error, TimeoutError):
        return BackplaneError("Redis did not answer in time", doubtful=doubtful)
    return BackplaneError(f"Redis cannot be reached: {error or type(error).__name__}", doubtful=doubtful)
