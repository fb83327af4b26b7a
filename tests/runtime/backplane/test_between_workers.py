"""Several workers on one machine and one Redis: each is a node, and what one sends reaches the clients of all."""

from __future__ import annotations

import signal

from tests.runtime.chatting import scenario, told
from tests.runtime.test_workers import FAREWELL, clients, farewell, node, supervised


def test_what_is_sent_by_one_worker_reaches_the_clients_of_another(redis_url: str) -> None:
    @scenario
    async def test() -> None:
        async with supervised(2, redis=redis_url) as fleet, clients(fleet, await fleet.begun(2)) as connected:
            one, other = connected.values()
            first = await node(one)
            assert (await told(other))["text"] == first
            second = await node(other)
            assert (await told(one))["text"] == second
            assert first != second
            fleet.process.send_signal(signal.SIGTERM)
            assert [await farewell(one), await farewell(other)] == [FAREWELL] * 2
            assert await fleet.ended() == 0

    test()
