"""A mock server that nobody here wrote serves an official example, and holds what our client sends to the document.

The server is Mokapi. It needs to be told where to listen, so the document gets its servers, and nothing else, from here.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from sockspec import live, pipeline
from sockspec.runtime import ClientOptions, PayloadError, State
from tests.interop.programs import PATIENCE, free_port, running

KRAKEN = "examples-v3.1.0/kraken-websocket-request-reply-message-filter-in-reply-asyncapi.yml"
SCRIPT = Path(__file__).parent / "mokapi" / "kraken.js"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what npm installs for Windows is named otherwise")


@pytest.fixture
def kraken(shared: Path, node_modules: Path, tmp_path: Path) -> Generator[tuple[str, ModuleType]]:
    """The URL of the mock server, and the package of the document as it stands."""
    document = shared / "corpus" / "asyncapi-official" / KRAKEN
    api, _ = pipeline.examine(document)
    assert api is not None
    port = free_port()
    served = yaml.safe_load(document.read_text(encoding="utf-8"))
    served["servers"] = {"mock": {"host": f"127.0.0.1:{port}", "protocol": "ws"}}
    (tmp_path / "kraken.yml").write_text(yaml.safe_dump(served), encoding="utf-8")
    (mokapi,) = node_modules.glob("@go-mokapi/*/bin/mokapi")
    command: list[str | Path] = [
        mokapi,
        f"--api-port={free_port()}",
        "--mcp-server-enabled=false",
        "--health-enabled=false",
    ]
    with (
        live.imported(pipeline.generate(api, document.name)) as package,
        running([*command, tmp_path / "kraken.yml", SCRIPT], f"on port {port}", "the exchange is open"),
    ):
        yield f"ws://127.0.0.1:{port}", package


def test_a_request_has_its_reply_and_other_messages_arrive_typed(kraken: tuple[str, ModuleType]) -> None:
    url, package = kraken
    messages = package.messages

    async def scenario() -> tuple[Any, Any, list[Any]]:
        async with asyncio.timeout(PATIENCE), package.client.CurrencyExchangeClient(url=url) as exchange:
            pong = await exchange.receive_ping(reqid=42)
            info = await exchange.receive_subscribe_request(
                reqid=43,
                pair=["XBT/EUR"],
                subscription=messages.SubscribeSubscription(name=messages.Name.OHLC, interval=5),
            )
            return pong, info, [await anext(exchange), await anext(exchange)]

    pong, info, others = asyncio.run(scenario())
    assert pong == messages.Pong(event="pong", reqid=42)
    assert info == messages.DummyCurrencyInfo(reqid=43, data={"pair": ["XBT/EUR"], "name": "ohlc"})
    assert others == [
        messages.SystemStatus(event="systemStatus", connection_id=4711, status=messages.Status.ONLINE, version="1.0.0"),
        messages.Heartbeat(event="heartbeat"),
    ]


def test_what_the_document_does_not_allow_is_refused_by_both(kraken: tuple[str, ModuleType]) -> None:
    url, package = kraken
    messages = package.messages
    invalid = messages.Subscribe(subscription=messages.SubscribeSubscription(name="everything"))

    async def refused_by_the_client() -> str:
        async with asyncio.timeout(PATIENCE), package.client.CurrencyExchangeClient(url=url) as exchange:
            with pytest.raises(PayloadError) as refused:
                await exchange.send(invalid)
            return refused.value.problem.errors[0].pointer

    async def refused_by_the_mock() -> int:
        options = ClientOptions(check_sent=False)
        async with (
            asyncio.timeout(PATIENCE),
            package.client.CurrencyExchangeClient(url=url, options=options) as exchange,
        ):
            ended = asyncio.Event()
            exchange.on_state(lambda state: ended.set() if state is not State.OPEN else None)
            await exchange.send(invalid)
            await ended.wait()
            code: int = exchange.ending.code
            return code

    assert asyncio.run(refused_by_the_client()) == "/subscription/name"
    # The mock closes with 1003, and sometimes ends the stream before its close frame has been read.
    assert asyncio.run(refused_by_the_mock()) in (1003, 1006)
