"""Counting, rates and queues: decided without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sockspec.runtime import ConnectionClosed, Limits
from sockspec.runtime.outbox import Outbox
from sockspec.runtime.policy import SlowConsumer
from sockspec.runtime.transport import Frame
from sockspec.runtime.turnstile import Bucket, Turnstile, network
from tests.runtime.chatting import scenario


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    bucket = Bucket(2.0, 3, 100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait == 0.5
    assert [bucket.take(moment) for moment in (100.4, 100.5, 100.6, 101.0)] == [False, True, False, True]
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]


def test_the_turnstile_counts_all_principals_and_addresses() -> None:
    turnstile = Turnstile(Limits(max_connections=3, max_connections_per_principal=2, max_connections_per_address=2))
    visits = [("ann", "1"), ("ann", "2"), ("ann", "3"), ("", "1"), ("", "1"), ("", "4")]
    refused = [turnstile.enter(who, where, 1.0) is not None for who, where in visits]
    assert refused == [False, False, True, False, True, True]
    turnstile.leave("ann", "1")
    assert turnstile.enter("bob", "1", 1.0) is None
    assert turnstile.connections == 3


def test_arrivals_are_limited_for_each_address() -> None:
    turnstile = Turnstile(Limits(connections_per_second=1.0, connection_burst=1))
    assert turnstile.arrive("1", 0.0) is None
    problem = turnstile.arrive("1", 0.5)
    assert problem is not None
    assert (problem.type, problem.retry_after) == ("/problems/too-many-requests", 0.5)
    assert turnstile.arrive("2", 0.5) is None
    assert turnstile.arrive("1", 1.0) is None


@pytest.mark.parametrize(
    ("limits", "ceiling"),
    [
        (Limits(max_connections=None), None),
        (Limits(max_connections=10), 20),
        (Limits(max_connections=1000), 1100),
        (Limits(max_sockets=7), 7),
    ],
    ids=str,
)
def test_the_ceiling_leaves_room_for_telling(limits: Limits, ceiling: int | None) -> None:
    assert limits.ceiling == ceiling


def test_one_customer_has_one_address() -> None:
    addresses = ("1.2.3.4", "::ffff:1.2.3.4", "2001:db8::1", "2001:db8:0:0:ffff::1", "fe80::1%eth0", "unix")
    assert [network(address) for address in addresses] == [
        *("1.2.3.4", "1.2.3.4", "2001:db8::/64", "2001:db8::/64", "fe80::/64", "unix"),
    ]


@dataclass
class Pipe:
    """A transport that takes what it is sent only while it is told to."""

    is_writable: bool = True
    is_open: bool = True
    buffered: int = 0
    sent: list[str | bytes] = field(default_factory=list[str | bytes])
    turned: asyncio.Event = field(default_factory=asyncio.Event)

    def post(self, frame: Frame) -> None:
        self.sent.append(frame.payload)

    async def drained(self) -> None:
        while not self.is_writable:
            if not self.is_open:
                raise ConnectionClosed
            self.turned.clear()
            await self.turned.wait()

    def turn(self, writable: bool) -> None:
        self.is_writable = writable
        self.turned.set()

    def attach(self, name: str, ended: Callable[[], None]) -> None:
        raise NotImplementedError

    def received(self) -> str | bytes | None:
        return None

    async def receive(self) -> str | bytes:
        raise ConnectionClosed

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.is_open = False
        self.turned.set()

    def abort(self) -> None:
        self.is_open = False
        self.turned.set()


POLICIES: list[tuple[SlowConsumer, list[str], int, bool]] = [
    ("disconnect", ["a1", "b1", "a2", "b2", "c1"], 0, True),
    ("drop-oldest", ["a2", "b2", "c1"], 2, False),
    ("coalesce", ["a2", "b2", "c1"], 0, False),
]


@pytest.mark.parametrize(("policy", "kept", "dropped", "disconnected"), POLICIES, ids=[row[0] for row in POLICIES])
@scenario
async def test_what_waits_for_a_slow_consumer_is_bounded_by_policy(
    policy: SlowConsumer, kept: list[str], dropped: int, disconnected: bool
) -> None:
    pipe = Pipe()
    outbox = Outbox(pipe, Limits(max_outbound_messages=3), policy, pipe.abort)
    outbox.put(Frame(b"first"))
    pipe.turn(False)
    for text in ("a1", "b1", "a2", "b2", "c1"):
        outbox.put(Frame(text.encode()), key=text[0])
    assert (len(outbox) == 0, pipe.is_open) == (disconnected, not disconnected)
    pipe.turn(True)
    if not disconnected:
        await outbox.settled()
        outbox.put(Frame(b"last"))
        assert pipe.sent == ["first", *kept, "last"]
    assert outbox.dropped == dropped
    outbox.clear()


@scenario
async def test_a_queue_is_bounded_in_bytes_too() -> None:
    pipe = Pipe(is_writable=False)
    outbox = Outbox(pipe, Limits(max_outbound=100), "drop-oldest", pipe.abort)
    for letter in "abcde":
        outbox.put(Frame(letter.encode() * 40))
    assert len(outbox) == 2
    pipe.turn(True)
    await outbox.settled()
    assert pipe.sent == ["d" * 40, "e" * 40]
    outbox.clear()


@scenario
async def test_whoever_waits_for_a_connection_that_ends_is_told() -> None:
    pipe = Pipe(is_writable=False)
    outbox = Outbox(pipe, Limits(), "disconnect", pipe.abort)
    outbox.put(Frame(b"never"))
    waiting = asyncio.create_task(outbox.settled())
    await asyncio.sleep(0)
    pipe.abort()
    with pytest.raises(ConnectionClosed):
        await waiting
