"""Several workers on one port: real processes, which are killed, stopped, replaced and left alone."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed

from sockspec.runtime import Options
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.security.cleartext import InsecureTransport
from sockspec.runtime.security.tickets import Tickets
from sockspec.runtime.serving.listening import reserve
from tests.certificates import certificate
from tests.runtime.chatting import Chat, scenario, told
from tests.runtime.serve_workers import Reached

ROOT = Path(__file__).parents[2]
ROOM = "/v1/rooms/lobby"
FAREWELL = ("/problems/service-restart", 0.5, 1012)


class Fleet:
    """A supervisor in a process of its own, and what it and its workers say."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.url = ""
        self.log = ""

    async def said(self) -> list[str]:
        """The next line of its output; none at all when no process is left that could write one."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().split()

    async def begun(self, count: int) -> set[int]:
        """The next workers that are ready."""
        pids = set[int]()
        for _ in range(count):
            pid, self.url = await self.said()
            pids.add(int(pid))
        return pids

    async def logged(self, text: str) -> None:
        """Wait until something is in the log."""
        assert self.process.stderr is not None
        while text not in self.log:
            line = (await self.process.stderr.readline()).decode()
            assert line, f"{text!r} is not in the log:\n{self.log}"
            self.log += line

    async def ended(self, *, returned: bool = True) -> int:
        """The exit code, once no process is left."""
        if returned:
            assert await self.said() == ["returned", str(self.process.pid)]
        assert await self.said() == []
        return await self.process.wait()


@asynccontextmanager
async def supervised(workers: int, **arguments: object) -> AsyncGenerator[Fleet]:
    """A fleet of workers that are not awaited yet."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.serve_workers", str(workers)),
        *(f"{name}={value}" for name, value in arguments.items()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
        start_new_session=True,
    )
    fleet = Fleet(process)
    try:
        assert await fleet.said() == [str(process.pid)]
        yield fleet
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


@asynccontextmanager
async def clients(fleet: Fleet, pids: Iterable[int], **arguments: Any) -> AsyncGenerator[dict[int, ClientConnection]]:
    """A connection to each of these workers: the system chooses whom one goes to, so there are as many as it takes."""
    async with AsyncExitStack() as opened:
        found: dict[int, ClientConnection] = {}
        while found.keys() < set(pids):
            websocket = await opened.enter_async_context(connect(fleet.url + ROOM, proxy=None, **arguments))
            found.setdefault(int((await told(websocket))["text"]), websocket)
        assert found.keys() == set(pids)
        yield found


async def farewell(websocket: ClientConnection) -> tuple[str, float, int | None]:
    """What a client is told, and the code that it is left with."""
    error = (await told(websocket))["error"]
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    return error["type"], error["retryAfter"], websocket.close_code


async def answered(websocket: ClientConnection) -> bool:
    """Whether the server answers on a connection."""
    await websocket.send('{"type":"getHistory","id":"1"}')
    return bool((await told(websocket))["type"] == "history")


async def node(websocket: ClientConnection) -> str:
    """The name of the node that a client is connected to, which it tells everybody."""
    await websocket.send('{"type":"post","text":"/tell"}')
    return str((await told(websocket))["text"])


def is_gone(pid: int) -> bool:
    """Whether there is no such process, not even one that nobody has waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(("loop", "library"), [("asyncio", "websockets"), ("uvloop", "picows")])
@scenario
async def test_sigterm_has_every_client_of_every_worker_told_and_no_process_is_left(loop: str, library: str) -> None:
    async with supervised(3, loop=loop, library=library) as fleet:
        pids = await fleet.begun(3)
        assert len(pids) == 3
        assert fleet.process.pid not in pids
        async with clients(fleet, pids) as connected:
            nodes = {await node(one) for one in connected.values()}
            assert len(nodes) == 3
            fleet.process.send_signal(signal.SIGTERM)
            fleet.process.send_signal(signal.SIGTERM)
            assert [await farewell(one) for one in connected.values()] == [FAREWELL] * 3
            assert await fleet.ended() == 0


@scenario
async def test_what_a_terminal_sends_to_all_processes_cuts_nobody_short() -> None:
    async with supervised(2) as fleet:
        async with clients(fleet, await fleet.begun(2)) as connected:
            os.killpg(fleet.process.pid, signal.SIGINT)
            os.killpg(fleet.process.pid, signal.SIGINT)
            assert [await farewell(one) for one in connected.values()] == [FAREWELL] * 2
            assert await fleet.ended() == 0


@scenario
async def test_a_worker_that_is_killed_is_replaced_and_the_clients_of_others_notice_nothing() -> None:
    async with supervised(2) as fleet:
        one, other = await fleet.begun(2)
        async with clients(fleet, (one, other)) as connected:
            os.kill(one, signal.SIGKILL)
            with pytest.raises(ConnectionClosed):
                await connected[one].recv()
            await fleet.logged(f"(pid {one}) has ended: SIGKILL; there is another in 0.1 s")
            (third,) = await fleet.begun(1)
            assert is_gone(one)
            assert third not in (one, other)
            assert await answered(connected[other])
            async with clients(fleet, (other, third)) as newcomers:
                await newcomers[third].send('{"type":"post","text":"/exit"}')
                await fleet.logged(f"(pid {third}) has ended: exit code 3; there is another in ")
                await fleet.begun(1)
                assert is_gone(third)
                assert await answered(connected[other])
        fleet.process.send_signal(signal.SIGTERM)
        assert await fleet.ended() == 0


@scenario
async def test_a_worker_that_drains_by_itself_leaves_newcomers_to_the_others_and_is_replaced() -> None:
    async with supervised(2, drain_timeout=1) as fleet:
        one, other = await fleet.begun(2)
        async with clients(fleet, (one, other)) as connected:
            await connected[one].send('{"type":"post","text":"/hold"}')
            os.kill(one, signal.SIGTERM)
            os.kill(one, signal.SIGTERM)
            assert (await told(connected[one]))["error"]["type"] == FAREWELL[0]
            for _ in range(10):
                async with connect(fleet.url + ROOM, proxy=None) as newcomer:
                    assert (await told(newcomer))["text"] == str(other)
            with pytest.raises(ConnectionClosed):
                await connected[one].recv()
            await fleet.begun(1)
            assert is_gone(one)
            assert await answered(connected[other])


@scenario
async def test_workers_that_end_before_they_listen_are_given_up(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    switch.touch()
    async with supervised(2, switch=switch) as fleet:
        assert await fleet.ended(returned=False) == 1
        await fleet.logged("5 in a row did before they listened: giving up")
        assert "RuntimeError: no worker can start" in fleet.log
        assert "there is another in 0.8 s" in fleet.log


@scenario
async def test_the_others_drain_when_one_cannot_start(tmp_path: Path) -> None:
    async with supervised(2, alone=tmp_path / "alone") as fleet:
        async with clients(fleet, await fleet.begun(1)) as connected:
            assert [await farewell(one) for one in connected.values()] == [FAREWELL]
            assert await fleet.ended(returned=False) == 1


@scenario
async def test_a_worker_that_cannot_be_replaced_later_leaves_the_others_alone(tmp_path: Path) -> None:
    """Another is tried again and again, more and more seldom, or at once when all are to be replaced."""
    switch = tmp_path / "switch"
    async with supervised(2, switch=switch) as fleet:
        one, other = await fleet.begun(2)
        async with clients(fleet, (one, other)) as connected:
            switch.touch()
            os.kill(one, signal.SIGKILL)
            await fleet.logged("there is another in 3.2 s")  # the fifth in a row
            assert await answered(connected[other])
            switch.unlink()
            fleet.process.send_signal(signal.SIGHUP)
            await fleet.begun(2)
            assert await farewell(connected[other]) == FAREWELL


@scenario
async def test_each_worker_closes_what_it_has_opened_and_the_supervisor_what_was_there_before() -> None:
    async with supervised(2, closing=True) as fleet:
        pids = await fleet.begun(2)
        fleet.process.send_signal(signal.SIGTERM)
        closed = [await fleet.said() for _ in pids]
        assert sorted(closed) == sorted(["closed", str(pid)] for pid in pids)
        supervisor = str(fleet.process.pid)
        assert [await fleet.said(), await fleet.said()] == [["returned", supervisor], ["over", supervisor]]
        assert await fleet.ended(returned=False) == 0


@scenario
async def test_workers_end_in_an_orderly_way_when_their_supervisor_is_killed() -> None:
    async with supervised(2) as fleet:
        async with clients(fleet, await fleet.begun(2)) as connected:
            fleet.process.kill()
            assert [await farewell(one) for one in connected.values()] == [FAREWELL] * 2
            assert await fleet.ended(returned=False) == -signal.SIGKILL


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@scenario
async def test_sighup_replaces_workers_one_after_the_other_and_newcomers_are_served(loop: str) -> None:
    async with supervised(2, loop=loop, drain_timeout=0.5) as fleet:
        before = await fleet.begun(2)
        async with clients(fleet, before) as connected:
            for one in connected.values():
                await one.send('{"type":"post","text":"/hold"}')  # for as long as it may take to drain
            fleet.process.send_signal(signal.SIGHUP)
            after = await fleet.begun(1)
            hearing = {asyncio.create_task(told(one)): pid for pid, one in connected.items()}
            done, _ = await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
            ((first, pid),) = [(task.result()["error"]["type"], hearing[task]) for task in done]
            assert first == FAREWELL[0]
            for _ in range(10):
                async with connect(fleet.url + ROOM, proxy=None) as newcomer:
                    assert int((await told(newcomer))["text"]) in before - {pid} | after
            after |= await fleet.begun(1)
            assert is_gone(pid)
            assert [message["error"]["type"] for message in await asyncio.gather(*hearing)] == [FAREWELL[0]] * 2
            for pid in before:
                await fleet.logged(f"(pid {pid}) has ended: exit code 0")
            assert all(map(is_gone, before))
        async with clients(fleet, after) as connected:
            assert before & after == set()
            fleet.process.send_signal(signal.SIGTERM)
            assert [await farewell(one) for one in connected.values()] == [FAREWELL] * 2
            assert await fleet.ended() == 0


@scenario
async def test_workers_go_on_when_what_would_replace_them_cannot_start(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    async with supervised(2, switch=switch) as fleet:
        async with clients(fleet, await fleet.begun(2)) as connected:
            switch.touch()
            fleet.process.send_signal(signal.SIGHUP)
            await fleet.logged("has ended before it listened: exit code 1; the others are not replaced")
            assert [await answered(one) for one in connected.values()] == [True, True]
            fleet.process.send_signal(signal.SIGTERM)
            assert [await farewell(one) for one in connected.values()] == [FAREWELL] * 2
            assert await fleet.ended() == 0


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@scenario
async def test_a_new_worker_has_the_certificate_that_it_loads(loop: str, tmp_path: Path) -> None:
    certificate(tmp_path, "localhost")
    async with supervised(2, files=tmp_path / "localhost", host="localhost", loop=loop) as fleet:
        before = await fleet.begun(2)
        assert fleet.url.startswith("wss://localhost:")
        old = ssl.create_default_context(cafile=tmp_path / "localhost.pem")
        async with clients(fleet, before, ssl=old) as connected:
            certificate(tmp_path, "localhost")
            new = ssl.create_default_context(cafile=tmp_path / "localhost.pem")
            fleet.process.send_signal(signal.SIGHUP)
            after = await fleet.begun(2)
            assert [await farewell(one) for one in connected.values()] == [FAREWELL] * 2
        async with clients(fleet, after, ssl=new):
            pass
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(fleet.url + ROOM, proxy=None, ssl=old)


@scenario
async def test_a_worker_that_does_not_end_in_time_is_killed() -> None:
    async with supervised(2, patience=0.5) as fleet:
        one, other = await fleet.begun(2)
        async with clients(fleet, (one, other)) as connected:
            await connected[one].send('{"type":"post","text":"/block"}')
            assert await fleet.said() == ["blocked"]
            fleet.process.send_signal(signal.SIGTERM)
            assert await farewell(connected[other]) == FAREWELL
            assert await fleet.ended(returned=False) == 1
            await fleet.logged(f"(pid {one}) did not end in time, and is killed")


@scenario
async def test_workers_share_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with supervised(2, sock=path) as fleet:
        await fleet.begun(2)
        assert fleet.url == "ws://localhost"
        async with unix_connect(path, fleet.url + ROOM) as cut:
            os.kill(int((await told(cut))["text"]), signal.SIGKILL)
            with pytest.raises(ConnectionClosed):
                await cut.recv()
        async with unix_connect(path, fleet.url + ROOM) as websocket:
            assert (await told(websocket))["type"] == "posted"
            await fleet.begun(1)
            fleet.process.send_signal(signal.SIGTERM)
            assert await farewell(websocket) == FAREWELL
            assert await fleet.ended() == 0
    assert os.path.exists(path)


@pytest.mark.parametrize(
    ("workers", "options", "message"),
    [
        (0, Options(), "workers=0 is no whole number above 0"),
        ("2", Options(), "workers='2' is no whole number above 0"),
        (
            2,
            Options(),
            "with workers=2, groups, limits and resume need a backplane that all of them reach, and the default is for one ",
        ),
        (2, Options(backplane=MemoryBackplane()), "with workers=2, groups, limits and resume need a backplane"),
        (
            2,
            Options(backplane=Reached(), tickets=Tickets()),
            "with workers=2, a ticket is often taken by another process",
        ),
    ],
)
def test_what_several_processes_cannot_do_is_refused(workers: Any, options: Options, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the words are compared below
        Chat().run(port=0, options=options, workers=workers)
    assert str(error.value).startswith(message)


def test_who_has_no_backplane_that_is_shared_is_told_of_those_that_are() -> None:
    with pytest.raises(ValueError, match="RedisBackplane") as error:
        Chat().run(port=0, workers=2)
    assert str(error.value).endswith(
        'pass Options(backplane=RedisBackplane("redis://…")) or Options(backplane=NatsBackplane("nats://…"))'
    )


def refusal() -> str:
    """What is said to whoever runs two workers here."""
    with pytest.raises(RuntimeError) as error:
        Chat().run(port=0, options=Options(backplane=Reached()), workers=2)
    return str(error.value)


def test_workers_are_run_in_the_main_thread_and_without_an_event_loop() -> None:
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(refusal()))
    thread.start()
    thread.join()
    assert said == ["several workers can be run in the main thread only, which alone gets signals"]

    async def within() -> str:
        return refusal()

    assert (
        asyncio.run(within()) == "several workers cannot be run from a running event loop: each of them makes its own"
    )


def test_clear_text_beyond_loopback_is_refused_before_there_are_workers() -> None:
    with pytest.raises(InsecureTransport):
        Chat().run("0.0.0.0", 0, options=Options(backplane=Reached()), workers=2)


def test_a_port_that_others_share_is_taken_all_the_same() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(OSError, match="Address already in use") as error:
            Chat().run(port=listener.getsockname()[1], options=Options(backplane=Reached()), workers=2)
        assert error.value.errno == errno.EADDRINUSE


def test_a_free_port_is_the_same_at_all_addresses_of_a_host() -> None:
    taken = reserve("localhost", 0)
    try:
        addresses = {one.getsockname()[0] for one in taken}
        assert addresses == {address[0] for *_, address in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
        assert len({one.getsockname()[1] for one in taken}) == 1
    finally:
        for one in taken:
            one.close()
