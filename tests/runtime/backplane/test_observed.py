"""What operators see of a fleet: metrics of its backplane, and traces that go from node to node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from chat import RoomConnection
from chat.publisher import ChatPublisher
from sockspec.runtime import Options, Unavailable
from sockspec.runtime.backplane.line import Backplane, History
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.backplane.nats import NatsBackplane
from sockspec.runtime.backplane.redis import RedisBackplane
from sockspec.runtime.metrics import PrometheusMetrics
from sockspec.runtime.observer import Observer
from sockspec.runtime.tracing import OpenTelemetryTracing
from tests.runtime.backplane import engines
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Hall, fleet, posted


class Figures:
    """The metrics of a fleet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.observer = PrometheusMetrics(self.registry)

    def __getitem__(self, name: str) -> float:
        """The value of a sample, such as `sockspec_resumed_total RoomConnection yes`; 0 where there is none."""
        found = {
            " ".join((sample.name, *sample.labels.values())): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
        }
        return found.get(name, 0.0)


async def until(condition: Callable[[], object]) -> None:
    """Ask until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def say(hall: Hall, text: str) -> None:
    """Tell the lobby something."""
    await hall.group(RoomConnection, "lobby").broadcast(posted(text))


# --- metrics ----------------------------------------------------------------------------------------------------------


@scenario
async def test_publications_deliveries_and_who_comes_back_are_counted() -> None:
    figures = Figures()
    async with (
        fleet(MemoryBackplane(), observers=(figures.observer,)) as nodes,
        nodes.person("ann") as ann,
        nodes.person("bob", at=1) as bob,
    ):
        await ann.enter()
        await bob.enter()
        assert figures["sockspec_backplane_up memory"] == 1
        before = figures["sockspec_backplane_publish_seconds_count memory safe"]
        late = figures["sockspec_backplane_lag_seconds_count memory"]
        await bob.say("one")
        await ann.until(lambda: "one" in ann.heard)
        assert figures["sockspec_backplane_publish_seconds_count memory safe"] == before + 1
        assert figures["sockspec_backplane_lag_seconds_count memory"] == late + 2
        ann.cut(to=1)
        for text in ("two", "three"):
            await bob.say(text)
        await ann.until(lambda: ann.recoveries)
        assert ann.heard == ["one", "two", "three"]
        assert figures["sockspec_resumed_total RoomConnection yes"] == 1
        assert figures["sockspec_replayed_total RoomConnection"] == 2
        assert figures["sockspec_backplane_publishing memory"] == 0


@scenario
async def test_what_was_lost_to_a_client_that_comes_back_is_counted_as_not_recovered() -> None:
    figures = Figures()
    async with (
        fleet(MemoryBackplane(), history=History(size=2), observers=(figures.observer,)) as nodes,
        nodes.person("ann") as ann,
    ):
        await ann.enter()
        ann.cut()
        for number in range(300):
            await say(nodes.halls[1], str(number))
        await ann.until(lambda: ann.recoveries)
        assert figures["sockspec_resumed_total RoomConnection no"] == 1
        assert figures["sockspec_resumed_total RoomConnection yes"] == 0


def test_an_engine_that_is_gone_shows_and_so_does_what_was_missed_meanwhile(
    start_redis: Callable[..., engines.Redis],
) -> None:
    engine = start_redis()

    @scenario
    async def run() -> None:
        figures, elsewhere = Figures(), Figures()
        backplane = RedisBackplane(engine.url, timeout=0.5)
        async with (
            fleet(backplane, 1, publish_timeout=0.3, observers=(figures.observer,)) as nodes,
            fleet(RedisBackplane(engine.url), 1, observers=(elsewhere.observer,)) as others,
            nodes.person("ann") as ann,
        ):
            await ann.enter()
            assert figures["sockspec_backplane_up redis"] == 1
            engine.kill()
            await until(lambda: figures["sockspec_backplane_up redis"] == 0)
            failing = asyncio.create_task(say(nodes.halls[0], "in vain"))
            await until(lambda: figures["sockspec_backplane_publishing redis"] == 1)
            with pytest.raises(Unavailable):
                await failing
            assert figures["sockspec_backplane_publish_seconds_count redis unavailable"] == 1
            assert figures["sockspec_backplane_publishing redis"] == 0
            engine.forget()
            engine.start()
            await until(lambda: figures["sockspec_backplane_up redis"] == elsewhere["sockspec_backplane_up redis"] == 1)
            await until(lambda: figures["sockspec_backplane_gaps_total redis lost"] > 0)
            await say(others.halls[0], "after")
            await ann.until(lambda: "after" in ann.heard)

    run()


# --- traces -----------------------------------------------------------------------------------------------------------


class Spans:
    """What is exported of a fleet."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("test")
        self.observer = OpenTelemetryTracing(self.tracer)

    def of(self, kind: trace.SpanKind, trace_id: int) -> list[ReadableSpan]:
        """Those of a kind in a trace."""
        finished = self.exporter.get_finished_spans()
        return [span for span in finished if span.kind is kind and span.context and span.context.trace_id == trace_id]


async def one_trace(backplane: Backplane) -> None:
    """Say something on one node, and look at the spans of two."""
    spans = Spans()
    async with (
        fleet(backplane, observers=(spans.observer,)) as nodes,
        nodes.person("ann") as ann,
        nodes.person("bob", at=1) as bob,
    ):
        await ann.enter()
        await bob.enter()
        with spans.tracer.start_as_current_span("the job") as job:
            await say(nodes.halls[0], "the launch code")
        trace_id = job.get_span_context().trace_id
        await ann.until(lambda: ann.heard)
        await bob.until(lambda: bob.heard)
        (producer,) = spans.of(trace.SpanKind.PRODUCER, trace_id)
        assert producer.parent is not None
        assert producer.parent.span_id == job.get_span_context().span_id
        consumers = spans.of(trace.SpanKind.CONSUMER, trace_id)
        assert len(consumers) == 2  # one on each node
        for span in (producer, *consumers):
            assert span.attributes is not None
            assert span.attributes["messaging.system"] == backplane.name
            assert str(span.attributes["messaging.destination.template"]).startswith("group /")
            assert "lobby" not in span.to_json()
            assert "launch code" not in span.to_json()
            assert "ann" not in span.to_json()
        assert producer.context is not None
        assert {span.parent.span_id for span in consumers if span.parent} == {producer.context.span_id}
        assert [span.attributes["sockspec.members"] for span in consumers if span.attributes] == [1, 1]


@scenario
async def test_a_broadcast_is_one_trace_on_two_nodes() -> None:
    await one_trace(MemoryBackplane())


def test_a_broadcast_is_one_trace_over_redis(redis_url: str) -> None:
    scenario(lambda: one_trace(RedisBackplane(redis_url, prefix="traced")))()


def test_a_broadcast_is_one_trace_over_nats(nats_url: str) -> None:
    scenario(lambda: one_trace(NatsBackplane(nats_url, prefix="traced")))()


@scenario
async def test_what_a_publisher_sends_is_one_trace_with_the_deliveries() -> None:
    figures, spans, backplane = Figures(), Spans(), MemoryBackplane()
    options = Options(observers=(spans.observer, figures.observer))
    async with (
        fleet(backplane, 1, observers=(spans.observer,)) as nodes,
        nodes.person("ann") as ann,
        ChatPublisher(backplane, options=options) as publisher,
    ):
        await ann.enter()
        with spans.tracer.start_as_current_span("the job") as job:
            await publisher.room.group("lobby").broadcast(posted("the news"))
        await ann.until(lambda: ann.heard == ["the news"])
        trace_id = job.get_span_context().trace_id
        (producer,) = spans.of(trace.SpanKind.PRODUCER, trace_id)
        (consumer,) = spans.of(trace.SpanKind.CONSUMER, trace_id)
        assert figures["sockspec_backplane_publish_seconds_count memory safe"] == 1
    assert consumer.parent is not None
    assert producer.context is not None
    assert consumer.parent.span_id == producer.context.span_id


def test_a_publication_that_fails_is_a_span_with_an_error(start_redis: Callable[..., engines.Redis]) -> None:
    engine = start_redis()

    @scenario
    async def run() -> None:
        spans = Spans()
        backplane = RedisBackplane(engine.url, timeout=0.2)
        async with fleet(backplane, 1, publish_timeout=0.2, observers=(spans.observer,)) as nodes:
            engine.kill()
            with pytest.raises(Unavailable):
                await say(nodes.halls[0], "in vain")
        (span,) = spans.exporter.get_finished_spans()
        assert span.status.status_code is trace.StatusCode.ERROR
        assert span.attributes is not None
        assert span.attributes["error.type"] == "Unavailable"

    run()


# --- observers --------------------------------------------------------------------------------------------------------


class Broken(Observer):
    """Fails wherever it can."""

    def degraded(self, backplane: str, is_down: bool) -> None:
        raise RuntimeError("degraded")

    def publishing(self, backplane: str, stream: str) -> AbstractContextManager[Mapping[str, str]]:
        raise RuntimeError("publishing")

    def delivering(
        self, backplane: str, stream: str, headers: Mapping[str, str], lag: float, members: int
    ) -> AbstractContextManager[object]:
        raise RuntimeError("delivering")


@scenario
async def test_what_an_observer_raises_keeps_no_message_from_anybody() -> None:
    figures = Figures()
    async with (
        fleet(MemoryBackplane(), 1, observers=(Broken(), figures.observer)) as nodes,
        nodes.person("ann") as ann,
    ):
        await ann.enter()
        await ann.say("one")
        await ann.until(lambda: ann.heard == ["one"])
        assert figures["sockspec_backplane_publish_seconds_count memory safe"] == 2
