"""Real documents served by mocks in memory: every endpoint takes connections, and pushes what clients take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from sockspec import ir, python, render
from sockspec.choices import Choices
from sockspec.live import imported
from sockspec.mock import Manner, Mock, Traffic, addresses
from sockspec.mock.endpoints import Endpoint
from sockspec.pipeline import examine
from sockspec.runtime import ClientOptions
from sockspec.runtime.backoff import Ending
from sockspec.runtime.testing import Host
from sockspec.samples import NoSample
from tests import corpus

pytestmark = pytest.mark.slow

WITHOUT_PAYLOADS = {
    ("AssemblyAI__assemblyai-api-spec", "partialTranscript"): "nothing is allowed",
    ("AssemblyAI__assemblyai-api-spec", "finalTranscript"): "nothing is allowed",
}
"""Messages whose schemas contradict themselves, by the folder of the document."""


@pytest.mark.usefixtures("shared")
def test_mocks_of_real_documents_take_connections_and_push_valid_messages(told: list[str]) -> None:
    without: dict[tuple[str, str], str] = {}
    pushed = endpoints = 0
    for folder, mock, api in mocks():
        found = asyncio.run(heard(mock, api))
        endpoints += len(mock.endpoints)
        pushed += sum(isinstance(answer, type) for answer in found.values())
        without |= {(folder, name): answer for name, answer in found.items() if isinstance(answer, str)}
    told.append(f"mocks pushed {pushed} messages on {endpoints} endpoints")
    assert without == WITHOUT_PAYLOADS
    assert endpoints >= 60


def mocks() -> Iterator[tuple[str, Mock, ir.Api]]:
    """A mock of each document that generates."""
    printer = render.renderer(None)
    for path, named in corpus.documents():
        api, _ = examine(path, choices=Choices(messages=named), wholly=False)
        if api is not None:
            with imported(python.files(api, path.name, printer)) as package:
                yield path.parts[len(corpus.SHARED.parts) + 2], Mock(api, package, Manner(is_open=True), Traffic()), api


async def heard(mock: Mock, api: ir.Api) -> Mapping[str, type | str]:
    """For each message that is pushed, the class that a client takes it for, or why there is none."""
    found: dict[str, type | str] = {}
    async with asyncio.timeout(60), Host(mock.server, options=mock.options()) as host:
        for endpoint in mock.endpoints:
            address = addresses.example(api, endpoint)
            url = f"ws://localhost{address.target}"
            end = await host.dial(url, headers=address.headers, subprotocols=(), options=ClientOptions())
            assert not isinstance(end, Ending), f"{endpoint.route.path}: {end}"
            for name in endpoint.pushed:
                none = why_none(mock, endpoint, name)
                found[name] = none or type(endpoint.outgoing.decode(await end.receive()))
            await end.close()
    return found


def why_none(mock: Mock, endpoint: Endpoint, name: str) -> str:
    try:
        mock.examples.payload(endpoint, name)
    except NoSample as none:
        return str(none)
    return ""
