"""What a room costs whose members are spread over nodes: deliveries, latency, memory, and the storm when a node dies.

The time that counts is that of the server's process, and beside it that of the engine. Each server has a core of its own,
and what speaks and hears is one thread on another, so that ratios hold on a noisy machine. Of several rounds the best counts.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Final

from benchmarks.crowd import Crowd
from benchmarks.holding import resident
from benchmarks.serving import request_of, spent
from tests.runtime.backplane.engines import Engine, Nats, Redis, nats_server, redis_server

MEMBERS: Final = 1000
IN_FLIGHT: Final = 8
"""How many messages the one who speaks is ahead of those who hear."""
ROUNDS: Final = 3
SECONDS: Final = 1.0
"""How long a round lasts."""
RATE: Final = 2
"""Messages a second where latency is measured: two thousand deliveries."""
SAID: Final = 6
"""Messages of a round where latency is measured."""
NODES: Final = 3
IDLE: Final = 2000
MISSED: Final = 50
"""Messages that are said while everybody is away."""


@dataclass(frozen=True, slots=True)
class Case:
    """A server, what it publishes by, and who listens."""

    core: str
    engine: str = ""
    resumes: bool = False

    def __str__(self) -> str:
        how = self.engine if self.engine or self.core != "sockspec" else "memory"
        return " ".join(filter(None, (self.core, how, "resume" if self.resumes else "")))


OURS: Final = tuple(Case("sockspec", engine, resumes) for engine in ("", "redis", "nats") for resumes in (False, True))
OTHERS: Final = (
    Case("chanx", "redis"),
    Case("chanx-pubsub", "redis"),
    Case("channels", "redis"),
    Case("channels-pubsub", "redis"),
    Case("websockets"),
)


def _is_here(case: Case) -> bool:
    """Whether what a case needs is installed."""
    needed = {"channels": "channels_redis", "channels-pubsub": "channels_redis"}.get(case.core)
    engine = {"redis": redis_server, "nats": nats_server}.get(case.engine)
    return (needed is None or find_spec(needed) is not None) and (engine is None or engine() is not None)


# --- processes ----------------------------------------------------------------------------------------------------------


@contextmanager
def _engine(name: str) -> Generator[Redis | Nats | None]:
    """An engine, new and empty; None for none."""
    executable = {"redis": redis_server, "nats": nats_server}.get(name, lambda: None)()
    if executable is None:
        yield None
        return
    engine = Redis(executable) if name == "redis" else Nats(executable)
    try:
        yield engine
    finally:
        engine.remove()


@dataclass(frozen=True, slots=True)
class _Node:
    """A process that serves."""

    process: subprocess.Popen[str]
    port: int
    path: str


@contextmanager
def _served(core: str, url: str) -> Generator[_Node]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fleet_servers", core, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        port, path = process.stdout.readline().split()
        yield _Node(process, int(port), path)
    finally:
        process.kill()
        process.wait()


@contextmanager
def _apart(process: int) -> Generator[None]:
    """Give a process a core of its own."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process, cores[:1])
        os.sched_setaffinity(0, cores[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@dataclass(frozen=True, slots=True)
class _Fleet:
    engine: Engine | None
    nodes: Sequence[_Node]

    @property
    def ports(self) -> list[int]:
        return [node.port for node in self.nodes]

    def spent(self) -> list[float]:
        """Of each node, and of the engine at last."""
        engine = [spent(self.engine.pid)] if self.engine is not None else [0.0]
        return [spent(node.process.pid) for node in self.nodes] + engine


@contextmanager
def _fleet(case: Case, nodes: int = 1) -> Generator[_Fleet]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 20_000)), hard))
    with ExitStack() as stack:
        engine = stack.enter_context(_engine(case.engine))
        url = engine.url if engine is not None else ""
        found = [stack.enter_context(_served(case.core, url)) for _ in range(nodes)]
        if nodes == 1:
            stack.enter_context(_apart(found[0].process.pid))
        yield _Fleet(engine, found)


def _request(core: str) -> Callable[[str], bytes]:
    words = "chanx" if core.startswith("chanx") else core
    if core == "websockets":
        return lambda text: json.dumps(_posted(text)).encode()
    return lambda text: request_of(words).replace(b"Good morning, everybody!", text.encode())


def _posted(text: str) -> object:
    """What the others make of a message; the bare library is sent it as it is."""
    number = "b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911"
    at = "2025-03-01T09:31:07Z"
    data = {"id": number, "room": "general", "author": "ann", "text": text, "postedAt": at}
    return {"type": "messagePosted", "timestamp": at, "data": data}


# --- deliveries and latency ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flow:
    """What a message costs that is delivered to a room."""

    deliveries: int
    messages: int
    spent: Sequence[float]
    """Seconds of each node, and of the engine at last."""

    @property
    def by_node(self) -> list[float]:
        """Microseconds for each delivery of a node."""
        nodes = self.spent[:-1]
        return [1e6 * seconds * len(nodes) / max(1, self.deliveries) for seconds in nodes]

    @property
    def of_engine(self) -> float:
        """Microseconds of the engine for each message."""
        return 1e6 * self.spent[-1] / self.messages


def _best(flows: Sequence[Flow]) -> Flow:
    """The one that took the nodes the least; of the engine, which has little to do in each, that of all."""
    best = min(flows, key=lambda flow: sum(flow.by_node))
    engine = sum(flow.spent[-1] for flow in flows) * best.messages / sum(flow.messages for flow in flows)
    return replace(best, spent=(*best.spent[:-1], engine))


def _flow(crowd: Crowd, fleet: _Fleet, core: str) -> Flow:
    """One who speaks as fast as all hear. What is lost is not counted."""
    request, port, size = _request(core), fleet.ports[0], len(crowd)
    before, heard = fleet.spent(), crowd.heard
    said, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        crowd.speak(port, request, IN_FLIGHT - (said - (crowd.heard - heard) // size))
        said += IN_FLIGHT - (said - (crowd.heard - heard) // size)
        if not crowd.drain(2.0, to=heard + (said - IN_FLIGHT + 1) * size):
            break
    crowd.drain(1.0, to=heard + said * size)
    return Flow(crowd.heard - heard, said, [now - was for now, was in zip(fleet.spent(), before, strict=True)])


def _delays(crowd: Crowd, fleet: _Fleet, core: str) -> tuple[float, float]:
    """Milliseconds from publishing to hearing, at a moderate rate: the median, and that of which one in a hundred is above."""
    crowd.settle()
    crowd.delays.clear()
    for _ in range(SAID):
        crowd.speak(fleet.ports[0], _request(core))
        crowd.listen(1 / RATE)
    parts = statistics.quantiles(crowd.delays, n=100)
    return 1000 * statistics.median(crowd.delays), 1000 * parts[98]


def deliveries() -> Iterator[str]:
    """A line for each server: one speaks to 1,000 on one node."""
    yield f"{'':30}deliveries a second     of engine     latency in ms"
    yield f"{'':30}of a core               µs a message  p50    p99"
    base = 0.0
    for case in filter(_is_here, (*OURS, *OTHERS)):
        with _fleet(case) as fleet, Crowd(fleet.ports, MEMBERS, fleet.nodes[0].path, resumes=case.resumes) as crowd:
            flow = _best([_flow(crowd, fleet, case.core) for _ in range(ROUNDS)])
            half, most = min(_delays(crowd, fleet, case.core) for _ in range(ROUNDS))
        rate = 1e6 / flow.by_node[0]
        base = base or rate
        yield f"{case!s:30}{rate:10,.0f} ({rate / base:4.2f} x){flow.of_engine:14,.0f}{half:9.1f}{most:7.1f}"


def growth() -> Iterator[str]:
    """A line for each engine: the same room on one node, and on three."""
    yield f"{'':20}µs of a node for each delivery: alone   on each of {NODES}          of the engine, a message"
    for case in filter(_is_here, (Case("sockspec", "redis"), Case("sockspec", "nats"))):
        flows: list[Flow] = []
        for nodes in (1, NODES):
            with _fleet(case, nodes) as fleet:
                with Crowd(fleet.ports, MEMBERS // NODES * NODES, fleet.nodes[0].path) as crowd:
                    flows.append(_best([_flow(crowd, fleet, case.core) for _ in range(ROUNDS)]))
        alone, spread = flows
        each = " ".join(f"{one:6.1f}" for one in spread.by_node)
        yield f"{case!s:20}{alone.by_node[0]:35.1f}   {each}{alone.of_engine:12.0f} -> {spread.of_engine:.0f}"


# --- memory, storms, publishing -----------------------------------------------------------------------------------------


def memory() -> Iterator[str]:
    """A line for each server: what an idle connection takes that is in a room."""
    yield f"{'':30}KiB for each of {IDLE} idle connections in a room"
    for case in filter(_is_here, (*OURS, *OTHERS)):
        with _fleet(case) as fleet:
            path, process = fleet.nodes[0].path, fleet.nodes[0].process.pid
            with Crowd(fleet.ports, 100, path, resumes=case.resumes):
                before = resident(process)
                with Crowd(fleet.ports, IDLE, path, resumes=case.resumes) as crowd:
                    crowd.listen(0.5)
                    yield f"{case!s:30}{(resident(process) - before) / IDLE / 1024:10.1f}"


def storms() -> Iterator[str]:
    """A line for each engine: everybody is cut off, misses some messages, and comes back at once."""
    yield f"{'':30}seconds until {MEMBERS} are back   of the node's processor   messages replayed in one of those"
    for engine, where in (
        ("", "here"),
        ("redis", "here"),
        ("redis", "elsewhere"),
        ("nats", "here"),
        ("nats", "elsewhere"),
    ):
        case = Case("sockspec", engine, resumes=True)
        if _is_here(case):
            found = [_storm(case, elsewhere=where == "elsewhere") for _ in range(ROUNDS)]
            took, busy = min(took for took, _ in found), min(busy for _, busy in found)
            yield f"{f'{case} {where}':30}{took:12.2f}{busy:26.2f}{MEMBERS * MISSED / busy:30,.0f}"


def _storm(case: Case, *, elsewhere: bool) -> tuple[float, float]:
    """Seconds until everybody has got what they missed, and of the node; elsewhere, because their node was killed."""
    with _fleet(case, 2 if elsewhere else 1) as fleet:
        last = fleet.nodes[-1]
        with Crowd(fleet.ports[:1], MEMBERS, last.path, resumes=True) as crowd:
            if elsewhere:
                fleet.nodes[0].process.kill()
                fleet.nodes[0].process.wait()
            crowd.cut()
            crowd.move(last.port)
            crowd.speak(last.port, _request(case.core), MISSED)
            crowd.listen(1.0)
            start, busy = time.perf_counter(), spent(last.process.pid)
            crowd.open(until="sockspec.recovered")
            crowd.drain(5.0, to=MEMBERS * MISSED)
            took = time.perf_counter() - start
            assert crowd.heard == MEMBERS * MISSED, f"{crowd.heard} of {MEMBERS * MISSED} messages were replayed"
            return took, spent(last.process.pid) - busy


def publishing() -> Iterator[str]:
    """A line for each engine: how much one node publishes to a room that nobody is in."""
    yield f"{'':20}a second: 1 at once  64 at once     in a second of a core: 1 at once  64 at once"
    for case in filter(_is_here, (Case("sockspec"), Case("sockspec", "redis"), Case("sockspec", "nats"))):
        with _engine(case.engine) as engine:
            command = [sys.executable, "-m", "benchmarks.fleet_servers", "publishing", engine.url if engine else ""]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        (one, one_core), (many, many_core) = (map(float, line.split()) for line in said.stdout.splitlines())
        yield f"{case!s:20}{one:19,.0f}{many:12,.0f}{one_core:36,.0f}{many_core:12,.0f}"


if __name__ == "__main__":
    parts = {part.__name__: part for part in (deliveries, growth, memory, storms, publishing)}
    for name in sys.argv[1:] or parts:
        for line in parts[name]():
            print(line, flush=True)
        print()
