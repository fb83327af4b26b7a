"""What is left in an engine."""

from __future__ import annotations

from typing import Final

_RECORDS: Final = (":table:", ":counts:", ":owned:")
_LASTING: Final = ("sockspec:{nodes}:leases", "sockspec:{nodes}:engine")


async def remains(url: str) -> set[str]:
    """The names of records, and of whatever else would stay for ever, though no client is connected."""
    return await (_in_nats(url) if url.startswith("nats:") else _in_redis(url))


async def _in_redis(url: str) -> set[str]:
    from redis.asyncio import Redis

    async with Redis.from_url(url, decode_responses=True) as redis:
        found: set[str] = set()
        async for key in redis.scan_iter():
            if any(kind in key for kind in _RECORDS) or (key not in _LASTING and await redis.pttl(key) == -1):
                found.add(key)
        return found


async def _in_nats(url: str) -> set[str]:
    import nats

    connection = await nats.connect(url)
    try:
        stream = connection.jetstream()
        info = await stream.stream_info("sockspec_state", subjects_filter="sockspec.state.record.>")
        return set(info.state.subjects or ())
    finally:
        await connection.close()
