"""Spans of OpenTelemetry for handlers, as an observer: the extra `otel`.

options = Options(observers=(OpenTelemetryTracing(),))
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.propagate import extract

from sockspec.runtime.observer import Observer

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection


class OpenTelemetryTracing(Observer):
    """A span for each message that is handled, below the trace that the handshake's headers carry."""

    def __init__(self, tracer: trace.Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("sockspec")

    @contextmanager
    def handling(self, connection: Connection[Any, Any], operation: str, message: object) -> Generator[None]:
        """Surrounds a handler by a span. What a message carries is no attribute of it."""
        attributes = {
            "network.protocol.name": "websocket",
            "sockspec.connection": connection.id,
            "sockspec.endpoint": type(connection).__name__,
            "sockspec.message": type(message).__name__,
        }
        context = extract({name: connection.headers[name] for name in connection.headers})
        with self._tracer.start_as_current_span(
            operation,
            context=context,
            kind=trace.SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                # Its text can have a part of a message in it.
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise
