"""What operators see: metrics, spans, lines of JSON; and two versions side by side."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from websockets.exceptions import InvalidStatus

from sockspec.runtime import Application, Options, ProblemError
from sockspec.runtime.logs import JsonFormatter
from sockspec.runtime.metrics import PrometheusMetrics
from sockspec.runtime.testing import Host
from sockspec.runtime.tracing import OpenTelemetryTracing
from tests.runtime.chatting import SECRET, Chat, RoomClient, raw, scenario, serving, told

URL = "ws://localhost/v1"


@scenario
async def test_metrics_count_connections_messages_problems_and_handlers() -> None:
    registry = CollectorRegistry()
    async with Host(Chat(), options=Options(observers=(PrometheusMetrics(registry),))) as host:
        async with host.connected(RoomClient(room="lobby", url=URL)) as ann:
            await ann.get_history()
            with pytest.raises(ProblemError, match="thirteen"):
                await ann.get_history(limit=13)
            assert registry.get_sample_value("sockspec_connections", {"endpoint": "RoomConnection"}) == 1
        await host.dispatcher.drain()
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }
    assert values["sockspec_connections", "RoomConnection"] == 0
    assert values["sockspec_received_bytes_count", "RoomConnection"] == 2
    assert values["sockspec_sent_bytes_count", "RoomConnection"] >= 2
    assert values["sockspec_problems_total", "RoomConnection", "/problems/forbidden"] == 1
    assert values["sockspec_handler_seconds_count", "get_history", "done"] == 1
    assert values["sockspec_handler_seconds_count", "get_history", "failed"] == 1


@scenario
async def test_a_span_surrounds_each_handler_below_the_trace_of_the_handshake() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    tracing = OpenTelemetryTracing(provider.get_tracer("test"))
    async with serving(Chat(), observers=(tracing,)) as running:
        headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        async with raw(running, additional_headers=headers) as websocket:
            await websocket.send('{"type":"post","text":"/crash"}')
            assert (await told(websocket))["type"] == "error"
    (span,) = exporter.get_finished_spans()
    assert span.name == "post"
    assert span.context is not None
    assert format(span.context.trace_id, "032x") == trace_id
    assert span.attributes is not None
    assert span.attributes["sockspec.message"] == "Post"
    assert SECRET not in span.to_json()


@scenario
async def test_a_line_of_json_has_the_ids_of_connection_and_incident(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Chat()) as running, raw(running) as websocket:
        await websocket.send('{"type":"post","text":"/crash"}')
        message = (await told(websocket))["error"]["message"]
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    line = json.loads(JsonFormatter().format(record))
    assert line["incident"] in message
    assert len(line["connection"]) == 16
    assert "RuntimeError" in line["traceback"]


class ChatV2(Chat):
    """The next version, below a path of its own."""

    routes = tuple(replace(route, path=route.path.replace("/v1/", "/v2/")) for route in Chat.routes)


@scenario
async def test_two_versions_are_served_side_by_side_and_a_retired_one_is_gone() -> None:
    first, second = Chat(), ChatV2()
    application = Application(first, second, options=Options(retired=("/v0",)))
    async with application.serve(port=0) as running:
        for path in ("/v1/rooms/lobby", "/v2/rooms/lobby"):
            async with raw(running, path) as websocket:
                await websocket.send('{"type":"post","text":"hello"}')
                assert (await told(websocket))["text"] == "hello"
        with pytest.raises(InvalidStatus) as gone:
            async with raw(running, "/v0/rooms/lobby"):
                pass
    assert first.texts == second.texts == ["hello"]
    assert gone.value.response.status_code == 410
    assert json.loads(gone.value.response.body or b"")["type"] == "/problems/unsupported-version"
