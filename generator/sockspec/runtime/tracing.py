"""Spans of OpenTelemetry for handlers and for what goes over the backplane, as an observer: the extra `otel`.

options = Options(observers=(OpenTelemetryTracing(),))

Attributes are those of OpenTelemetry's conventions for messaging. None has a payload, a principal or the name of a group.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.propagate import extract, inject

from sockspec.runtime.fleet.publication import kind_of
from sockspec.runtime.observer import Observer

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection


class OpenTelemetryTracing(Observer):
    """Spans for handlers, publications and deliveries.

    That of a handler is below the trace that the handshake's headers carry. One for each publication goes along with the
    message: on each node that delivers it, another one is below it.
    """

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
            with _told_of_errors(span):
                yield

    @contextmanager
    def publishing(self, backplane: str, stream: str) -> Generator[Mapping[str, str]]:
        """Surrounds a publication by a span of the producer, whose context goes along."""
        headers: dict[str, str] = {}
        with self._tracer.start_as_current_span(
            f"publish {kind_of(stream)}",
            kind=trace.SpanKind.PRODUCER,
            attributes=_attributes(backplane, stream, "publish", "send"),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            inject(headers)
            with _told_of_errors(span):
                yield headers

    @contextmanager
    def delivering(
        self, backplane: str, stream: str, headers: Mapping[str, str], lag: float, members: int
    ) -> Generator[None]:
        """Surrounds a delivery by a span of the consumer, below that of the producer."""
        attributes = _attributes(backplane, stream, "deliver", "process")
        with self._tracer.start_as_current_span(
            f"deliver {kind_of(stream)}",
            context=extract(headers),
            kind=trace.SpanKind.CONSUMER,
            attributes={**attributes, "sockspec.lag": lag, "sockspec.members": members},
        ):
            yield


@contextmanager
def _told_of_errors(span: trace.Span) -> Generator[None]:
    try:
        yield
    except Exception as error:
        # Its text can have a part of a message in it.
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(trace.StatusCode.ERROR, type(error).__name__)
        raise


def _attributes(backplane: str, stream: str, name: str, kind: str) -> dict[str, str]:
    # The template and not the name: there are as many names as groups and principals.
    return {
        "messaging.system": backplane,
        "messaging.destination.template": kind_of(stream),
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
    }
