"""The metrics of several workers: real processes, and whoever is asked answers for all."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect

from sockspec.runtime.metrics import expose
from tests.runtime.backplane.engines import free_port
from tests.runtime.chatting import scenario, told
from tests.runtime.test_workers import ROOM, supervised

PATIENCE = 10.0


def asked(port: int) -> dict[str, float]:
    """The figures of one answer, by the names of the samples with their labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def until(port: int, sample: str, value: float) -> None:
    """Ask again and again until a sample has a value, ten times running, since any worker may be asked."""
    async with asyncio.timeout(PATIENCE):
        agreeing = 0
        while agreeing < 10:
            found = await asyncio.to_thread(asked, port)
            agreeing = agreeing + 1 if found.get(sample) == value else 0


def test_every_worker_answers_for_all_and_what_was_killed_counts_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    port = free_port()
    connections = 'sockspec_connections{endpoint="RoomConnection"}'

    @scenario
    async def run() -> None:
        async with supervised(2, metrics=port) as fleet, AsyncExitStack() as opened:
            one, other = await fleet.begun(2)
            pids: list[int] = []
            while not {one, other} <= set(pids):  # the system chooses whom a connection goes to
                websocket = await opened.enter_async_context(connect(fleet.url + ROOM, proxy=None))
                pids.append(int((await told(websocket))["text"]))
            await until(port, connections, len(pids))
            assert asked(port)['sockspec_backplane_up{backplane="memory"}'] == 1
            os.kill(one, signal.SIGKILL)
            await fleet.begun(1)
            await until(port, connections, pids.count(other))
            fleet.process.send_signal(signal.SIGTERM)
            assert await fleet.ended() == 0

    run()


def test_one_process_answers_for_itself() -> None:
    assert "python_info" in {name.partition("{")[0] for name in asked(expose(0))}
