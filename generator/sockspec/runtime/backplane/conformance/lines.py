"""Lines: closing them, and callers that give up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sockspec.runtime.backplane.conformance.fleet import HISTORY, LONG, Check, Fleet
from sockspec.runtime.backplane.line import BackplaneError, Line, Position

CALLS: Final[tuple[Callable[[Line], Awaitable[object]], ...]] = (
    lambda line: line.publish("s", b"x", id="x", history=HISTORY),
    lambda line: line.subscribe(["s"]),
    lambda line: line.positions(["s"]),
    lambda line: line.read("s", Position("x", 0), 1),
    lambda line: line.renew(LONG),
    lambda line: line.retire(),
    lambda line: line.place("t", "k", b"x"),
    lambda line: line.drop("t", "k"),
    lambda line: line.records("t"),
    lambda line: line.reap("other", 1),
    lambda line: line.keep({"k": b"x"}, LONG),
    lambda line: line.kept("k"),
    lambda line: line.discard("k"),
    lambda line: line.take("b", 1, rate=1.0, burst=1),
    lambda line: line.renounce("s", Position("x", 0)),
)


async def a_line_that_is_closed_does_nothing(fleet: Fleet) -> None:
    """All that it is asked for is refused, and surely not done. It can be closed again."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.close()
    await a.line.close()
    answers = await asyncio.gather(*(call(a.line) for call in CALLS), return_exceptions=True)
    assert [isinstance(answer, BackplaneError) and not answer.doubtful for answer in answers] == [True] * len(CALLS)
    assert (await b.line.positions(["s"]))["s"].offset == 0
    assert (await b.line.renew(LONG)).nodes == {"b"}


async def a_line_that_is_closed_receives_nothing(fleet: Fleet) -> None:
    """Nor is it told that it is interrupted. Others receive."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.subscribe(["s"])
    await b.line.subscribe(["s"])
    await a.line.close()
    await b.publish("s", b"x")
    await b.inbox.has("s", 1)
    assert a.inbox.received == []
    assert (a.inbox.interruptions, a.inbox.restorations) == (0, 0)


async def callers_that_give_up_do_no_harm(fleet: Fleet) -> None:
    """Each of the others gets the answer that is its own."""
    (a,) = await fleet.alive("a")
    await a.line.keep({str(number): b"%d" % number for number in range(50)}, LONG)
    for turns in range(4):
        given_up = [asyncio.ensure_future(call(a.line)) for call in CALLS if call is not CALLS[5]]
        given_up += [asyncio.ensure_future(a.line.kept(str(number))) for number in range(20)]
        others = [asyncio.ensure_future(a.line.kept(str(number))) for number in range(50)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        assert await asyncio.gather(*others) == [b"%d" % number for number in range(50)]
        await asyncio.gather(*given_up, return_exceptions=True)
    since = await a.line.subscribe(["after"])
    await a.publish("after", b"x")
    assert [entry.data for entry in await a.inbox.has("after", 1)] == [b"x"]
    assert (await a.line.read("after", since["after"], 10)).complete


async def a_caller_that_gives_up_takes_no_subscription_away(fleet: Fleet) -> None:
    """From another one that subscribes to the same stream at the same time."""
    a = await fleet.open()
    for turns in range(6):
        stream = f"s{turns}"
        given_up = asyncio.ensure_future(a.line.subscribe([stream]))
        other = asyncio.ensure_future(a.line.subscribe([stream]))
        last = asyncio.ensure_future(a.line.subscribe([stream]))
        for _ in range(turns):
            await asyncio.sleep(0)
        given_up.cancel()
        last.cancel()
        await other
        await asyncio.gather(given_up, last, return_exceptions=True)
        await a.publish(stream, b"x")
        await a.inbox.has(stream, 1)


async def a_line_opens_again_by_the_same_name(fleet: Fleet) -> None:
    """As when a node starts anew: the new line receives only what it subscribes to itself."""
    first = await fleet.open("a")
    await first.line.subscribe(["s"])
    await first.line.close()
    again, b = await fleet.open("a"), await fleet.open("b")
    await again.line.subscribe(["t"])
    await b.publish("s", b"x")
    await b.publish("t", b"y")
    await again.inbox.has("t", 1)
    assert [name for name, _, _ in again.inbox.received] == ["t"]


CHECKS: Final[tuple[Check, ...]] = (
    a_line_that_is_closed_does_nothing,
    a_line_that_is_closed_receives_nothing,
    callers_that_give_up_do_no_harm,
    a_caller_that_gives_up_takes_no_subscription_away,
    a_line_opens_again_by_the_same_name,
)
