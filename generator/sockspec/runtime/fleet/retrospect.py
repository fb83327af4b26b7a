"""What was sent before, for those who ask for it and not for what they missed."""

from __future__ import annotations

from collections import deque

from sockspec.runtime.backplane.line import Position, Slice
from sockspec.runtime.fleet.continuity import PART
from sockspec.runtime.fleet.publication import unpack
from sockspec.runtime.fleet.uplink import Uplink


async def latest(uplink: Uplink, stream: str, most: int, seconds: float) -> list[tuple[bytes, bool]]:
    """The latest payloads of a stream that were for everybody, and whether each is text. Raises Unavailable."""
    top = (await uplink.attempt(lambda line: line.positions([stream]), seconds))[stream]
    found: deque[tuple[bytes, bool]] = deque(maxlen=most)
    since = Position(top.epoch, 0)
    while True:
        part = await _part(uplink, stream, since, seconds)
        for entry in part.entries:
            publication = unpack(entry.data)
            if publication is not None and not publication.exclude:
                found.append((publication.data, publication.is_text))
        if not part.entries or part.entries[-1].offset >= top.offset:
            return list(found)
        since = Position(top.epoch, part.entries[-1].offset)


async def _part(uplink: Uplink, stream: str, since: Position, seconds: float) -> Slice:
    return await uplink.attempt(lambda line: line.read(stream, since, PART), seconds)
