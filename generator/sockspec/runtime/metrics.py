"""Metrics for Prometheus, as an observer: the extra `metrics`.

    options = Options(observers=(PrometheusMetrics(),))

The names are a promise; `docs/operations.md` lists them.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from sockspec.runtime.observer import Observer

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.problems import Problem

_SIZES = (64, 256, 1024, 4096, 16384, 65536, 262144)


class PrometheusMetrics(Observer):
    """Counts connections, messages and problems by endpoint, and times handlers by operation."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.connections = Gauge("sockspec_connections", "Open connections.", ["endpoint"], registry=registry)
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


def _endpoint(connection: Connection[Any, Any]) -> str:
    # The class and not the path: a label must not have as many values as there are rooms.
    return type(connection).__name__
