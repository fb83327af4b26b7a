"""What is kept of sessions, while their connections go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest

from chat import RoomConnection
from sockspec.runtime.backplane.line import Line
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.fleet import sessions
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import Person, fleet


class Slow:
    """A line that takes so long to keep something that somebody joins a room meanwhile."""

    def __init__(self, line: Line, meanwhile: Person) -> None:
        self.line = line
        self.meanwhile: Person | None = meanwhile

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        if self.meanwhile is not None:
            person, self.meanwhile = self.meanwhile, None
            await person.enter()
        await self.line.keep(values, seconds)


@scenario
async def test_who_joins_a_group_while_others_are_kept_is_kept_with_that_group() -> None:
    async with fleet(MemoryBackplane(), nodes=1) as nodes, nodes.person("ann") as ann, nodes.person("bob") as bob:
        await ann.enter()
        hall = nodes.halls[0]
        assert hall.node is not None
        line = hall.node.hub.uplink.local
        assert line is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sessions, "_KEPT_AT_ONCE", 1)
            await hall.node.sessions.keep(cast(Any, Slow(line, bob)))
        here = {connection.principal.id: connection for connection in hall.group(RoomConnection, "lobby")}
        kept = await line.kept(f"session {here['bob'].session}")
        assert kept is not None
        assert list(msgspec.msgpack.decode(kept, type=sessions.Stored).groups) == ["lobby"]
