"""The backplane on Redis or Valkey, 6.2 or later: on one server, with replicas, behind sentinels, or as a cluster.

A stream is three keys and a channel of one hash slot; one script appends, trims, expires and publishes at once. Nodes and
records share another slot, so that places are counted exactly. What is kept and buckets have a slot each.

What Redis acknowledges is as safe as it is configured: with `appendonly yes` it survives a restart, and `replicas=1` waits
for a replica. An engine that comes back with less than it acknowledged goes on in the same epoch, from an earlier offset, until
a node renounces that which had more.
"""

from importlib.util import find_spec

from sockspec.runtime.backplane.redis.backplane import RedisBackplane

if find_spec("redis") is None:
    raise ModuleNotFoundError("RedisBackplane needs redis-py: pip install 'sockspec[redis]'", name="redis")

__all__ = ["RedisBackplane"]
