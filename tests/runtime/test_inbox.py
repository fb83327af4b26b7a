"""The queue of what was received, and the requests that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from sockspec.runtime import ConnectionLost, Problem, ProblemError
from sockspec.runtime.backoff import Ending
from sockspec.runtime.inbox import Ended, Inbox
from sockspec.runtime.replies import Request, Requests
from tests.runtime.chatting import GetHistory, History, Posted, scenario


async def settled(awaitable: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A task that has run as far as it can."""
    task = asyncio.create_task(awaitable)
    for _ in range(5):
        await asyncio.sleep(0)
    return task


@scenario
async def test_an_inbox_that_nobody_takes_from_forgets_its_oldest_items() -> None:
    inbox: Inbox[int] = Inbox(2)
    for number in range(4):
        await inbox.put(number)
    assert inbox.dropped == 2
    assert [await inbox.take(), await inbox.take()] == [2, 3]


@scenario
async def test_an_inbox_that_is_taken_from_makes_the_sender_wait_when_it_is_full() -> None:
    inbox: Inbox[int] = Inbox(1)
    taker = await settled(inbox.take())
    await inbox.put(0)
    assert await taker == 0
    await inbox.put(1)
    putter = await settled(inbox.put(2))
    assert not putter.done()
    assert await inbox.take() == 1
    await putter
    assert len(inbox) == 1
    assert await inbox.take() == 2


@scenario
async def test_a_stretched_inbox_takes_more_and_never_without_end() -> None:
    inbox: Inbox[int] = Inbox(1)
    await settled(inbox.take())
    await inbox.put(-1)
    await inbox.put(0)
    putter = await settled(inbox.put(1))
    assert not putter.done()
    inbox.stretch(True)
    await putter
    more = [await settled(inbox.put(number)) for number in range(2, 20)]
    assert (len(inbox), sum(task.done() for task in more)) == (16, 14)
    for task in more:
        task.cancel()


@scenario
async def test_what_is_there_can_be_taken_after_the_end() -> None:
    inbox: Inbox[int] = Inbox(2)
    await inbox.put(1)
    inbox.end(ConnectionLost(Ending(1008)))
    inbox.end()
    assert await inbox.take() == 1
    with pytest.raises(ConnectionLost):
        await inbox.take()


@scenario
async def test_the_end_wakes_whoever_waits() -> None:
    inbox: Inbox[int] = Inbox(1)
    taker = await settled(inbox.take())
    inbox.end()
    with pytest.raises(Ended):
        await taker


def request(correlation: str | None) -> Request:
    return Request((History,), correlation, asyncio.get_running_loop().create_future())


@scenario
async def test_a_reply_goes_to_the_request_with_its_id() -> None:
    requests, one, other = Requests(), request("1"), request("2")
    requests.add(one)
    requests.add(other)
    assert requests.answer(History(id="2", texts=[]), "2")
    assert (one.reply.done(), await other.reply, len(requests)) == (False, History(id="2", texts=[]), 1)
    assert not requests.answer(History(id="2", texts=[]), "2")


@scenario
async def test_a_reply_without_an_id_goes_to_the_oldest_request_for_its_class() -> None:
    requests, one, other = Requests(), request(None), request(None)
    requests.add(one)
    requests.add(other)
    assert not requests.answer(Posted(room="", text=""), None)
    assert requests.answer(History(texts=["a"]), None)
    assert requests.answer(History(texts=["b"]), None)
    assert [(await waiting.reply).texts for waiting in (one, other)] == [["a"], ["b"]]


@scenario
async def test_a_message_of_another_class_is_no_reply_even_with_the_id() -> None:
    requests, one = Requests(), request("1")
    requests.add(one)
    assert not requests.answer(GetHistory(id="1"), "1")
    assert not requests.answer(History(texts=[]), ["unhashable"])


@scenario
async def test_two_requests_with_one_id_cannot_wait_together() -> None:
    requests = Requests()
    requests.add(request("1"))
    with pytest.raises(ValueError, match="another request with the id '1' still waits"):
        requests.add(request("1"))


@scenario
async def test_a_problem_fails_the_request_it_is_about_and_a_loss_fails_all() -> None:
    requests, one, other = Requests(), request("1"), request(None)
    requests.add(one)
    requests.add(other)
    assert not requests.fail(Problem("/problems/forbidden", "no"))
    assert not requests.fail(Problem("/problems/forbidden", "no", id="9"))
    assert requests.fail(Problem("/problems/forbidden", "no", id="1"))
    with pytest.raises(ProblemError):
        await one.reply
    requests.fail_all(ConnectionLost(Ending()))
    with pytest.raises(ConnectionLost):
        await other.reply
    assert len(requests) == 0
