"""Metrics for Prometheus, as an observer: the extra `metrics`.

    options = Options(observers=(PrometheusMetrics(),))

The names are a promise; `docs/operations.md` lists them.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app, multiprocess
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.observer import Observer

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.problems import Problem

_SIZES = (64, 256, 1024, 4096, 16384, 65536, 262144)
_TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client knows where several processes keep their values."""


class PrometheusMetrics(Observer):
    """Counts connections, messages and problems by endpoint, times handlers by operation, and watches the backplane."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.connections = Gauge(
            "sockspec_connections", "Open connections.", ["endpoint"], registry=registry, multiprocess_mode="livesum"
        )
        self.lifetimes = Histogram(
            "sockspec_connection_seconds",
            "How long connections lasted.",
            ["endpoint"],
            buckets=(1, 10, 60, 600, 3600, 86400),
            registry=registry,
        )
        self.refusals = Counter(
            "sockspec_handshakes_refused", "Handshakes refused, by problem.", ["problem"], registry=registry
        )
        self.received_bytes = Histogram(
            "sockspec_received_bytes", "Sizes of received messages.", ["endpoint"], buckets=_SIZES, registry=registry
        )
        self.sent_bytes = Histogram(
            "sockspec_sent_bytes", "Sizes of sent messages.", ["endpoint"], buckets=_SIZES, registry=registry
        )
        self.problems = Counter(
            "sockspec_problems", "Problems that clients were told.", ["endpoint", "problem"], registry=registry
        )
        self.handlers = Histogram(
            "sockspec_handler_seconds", "How long handlers took.", ["operation", "outcome"], registry=registry
        )
        self._add_those_of_the_backplane(registry)

    def _add_those_of_the_backplane(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "sockspec_backplane_up",
            "Whether the engine answers: 1, or 0.",
            ["backplane"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.under_way = Gauge(
            "sockspec_backplane_publishing",
            "Publications that are not safe yet.",
            ["backplane"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.publications = Histogram(
            "sockspec_backplane_publish_seconds",
            "How long publishing took, by its outcome.",
            ["backplane", "outcome"],
            buckets=_TIMES,
            registry=registry,
        )
        self.lag = Histogram(
            "sockspec_backplane_lag_seconds",
            "From the publication of a message to its delivery here.",
            ["backplane"],
            buckets=_TIMES,
            registry=registry,
        )
        self.gaps = Counter(
            "sockspec_backplane_gaps",
            "Messages that did not come by themselves, by what became of them.",
            ["backplane", "outcome"],
            registry=registry,
        )
        self.refilled = Counter(
            "sockspec_backplane_refilled", "Messages read from history.", ["backplane"], registry=registry
        )
        self.resumptions = Counter(
            "sockspec_resumed", "Clients that came back to their session.", ["endpoint", "recovered"], registry=registry
        )
        self.replayed = Counter(
            "sockspec_replayed", "Messages that such clients were sent again.", ["endpoint"], registry=registry
        )

    def refused(self, problem: Problem) -> None:
        """A handshake was refused."""
        self.refusals.labels(problem.type).inc()

    def opened(self, connection: Connection[Any, Any]) -> None:
        """A connection was opened."""
        self.connections.labels(_endpoint(connection)).inc()

    def closed(self, connection: Connection[Any, Any], seconds: float) -> None:
        """A connection has ended."""
        endpoint = _endpoint(connection)
        self.connections.labels(endpoint).dec()
        self.lifetimes.labels(endpoint).observe(seconds)

    def received(self, connection: Connection[Any, Any], size: int) -> None:
        """A message came."""
        self.received_bytes.labels(_endpoint(connection)).observe(size)

    def sent(self, connection: Connection[Any, Any], size: int) -> None:
        """A message is on its way."""
        self.sent_bytes.labels(_endpoint(connection)).observe(size)

    def told(self, connection: Connection[Any, Any], problem: Problem) -> None:
        """A client was told of a problem."""
        self.problems.labels(_endpoint(connection), problem.type).inc()

    @contextmanager
    def handling(self, connection: Connection[Any, Any], operation: str, message: object) -> Generator[None]:
        """Times a handler."""
        start = time.perf_counter()
        outcome = "failed"
        try:
            yield
            outcome = "done"
        finally:
            self.handlers.labels(operation, outcome).observe(time.perf_counter() - start)

    # --- the backplane ----------------------------------------------------------------------------------------------

    def degraded(self, backplane: str, is_down: bool) -> None:
        """The engine does not answer, or does so."""
        self.up.labels(backplane).set(not is_down)

    @contextmanager
    def publishing(self, backplane: str, stream: str) -> Generator[Mapping[str, str]]:
        """Counts and times a publication. What was cancelled may have been done all the same."""
        start = time.perf_counter()
        outcome = "doubtful"
        under_way = self.under_way.labels(backplane)
        under_way.inc()
        try:
            yield {}
            outcome = "safe"
        except Unavailable as error:
            outcome = "doubtful" if error.doubtful else "unavailable"
            raise
        finally:
            under_way.dec()
            self.publications.labels(backplane, outcome).observe(time.perf_counter() - start)

    @contextmanager
    def delivering(
        self, backplane: str, stream: str, headers: Mapping[str, str], lag: float, members: int
    ) -> Generator[None]:
        """Notes how late a message is."""
        self.lag.labels(backplane).observe(lag)
        yield

    def missed(self, backplane: str, entries: int, is_lost: bool) -> None:
        """Counts a gap."""
        self.gaps.labels(backplane, "lost" if is_lost else "refilled").inc()
        self.refilled.labels(backplane).inc(entries)

    def resumed(self, connection: Connection[Any, Any], messages: int, is_recovered: bool) -> None:
        """Counts who came back."""
        endpoint = _endpoint(connection)
        self.resumptions.labels(endpoint, "yes" if is_recovered else "no").inc()
        self.replayed.labels(endpoint).inc(messages)


def _endpoint(connection: Connection[Any, Any]) -> str:
    # The class and not the path: a label must not have as many values as there are rooms.
    return type(connection).__name__


# --- several workers --------------------------------------------------------------------------------------------------


class _AllWorkers(Collector):
    """The values of all processes that keep them in one folder, without those gauges whose process is no more."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._merged: Collector = _Merged(None, folder)

    def collect(self) -> Iterable[Metric]:
        found = [_OF_LIVING.fullmatch(path.name) for path in Path(self._folder).iterdir()]
        for pid in {int(one[1]) for one in found if one is not None}:
            if not _lives(pid):
                with suppress(FileNotFoundError):  # another worker did it
                    _forget(pid, self._folder)
        return self._merged.collect()


# prometheus_client has no types there.
_Merged: Callable[[None, str], Collector] = multiprocess.MultiProcessCollector
_forget: Callable[[int, str], None] = multiprocess.mark_process_dead
_OF_LIVING = re.compile(r"gauge_live\w+_(\d+)\.db")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who asks for metrics does so every few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = True


def expose(port: int, host: str = "127.0.0.1") -> int:
    """Answer who asks for the metrics of this process, or of all workers, at `http://host:port/metrics`; gives the port.

    It is called in each worker, by what `run(ready=…)` calls. All listen on the one port, and whichever is asked answers for
    all, where the variable PROMETHEUS_MULTIPROC_DIR named a folder when the program began.
    """
    registry = REGISTRY
    if folder := os.environ.get(_FOLDER):
        registry = CollectorRegistry()
        registry.register(_AllWorkers(folder))
    server = make_server(host, port, make_wsgi_app(registry), _Server, _Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server.server_port
