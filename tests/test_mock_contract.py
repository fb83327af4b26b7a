"""The mock server and the contract test, each made from the document alone, against each other for every real document."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from types import ModuleType

import pytest

from sockspec import ir, python, render
from sockspec.choices import Choices
from sockspec.contract import RULES, Outcome, Result, Settings, check, prepare
from sockspec.live import imported
from sockspec.mock import Manner, Mock, Traffic
from sockspec.pipeline import examine
from sockspec.runtime import Limits
from tests import corpus

pytestmark = pytest.mark.slow

TOKEN = "somebody:the-right-token"
UNBOUND = Limits(
    messages_per_second=None,
    connections_per_second=None,
    max_connections_per_address=None,
    max_connections_per_principal=None,
)
"""The rates of a test that is to be over soon."""


@pytest.mark.usefixtures("shared")
def test_mocks_of_real_documents_do_all_that_their_documents_say(told: list[str]) -> None:
    outcomes: Counter[Outcome] = Counter()
    failed: list[str] = []
    tried = 0
    printer = render.renderer(None)
    for path, named in corpus.documents():
        api, _ = examine(path, choices=Choices(messages=named), wholly=False)
        if api is None:
            continue
        with imported(python.files(api, path.name, printer)) as package:
            results = asyncio.run(held(api, package))
        tried += 1
        outcomes.update(result.outcome for result in results)
        failed += [f"{path.name}: {result}" for result in results if result.outcome is Outcome.FAILED]
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in outcomes.items())
    told.append(f"{tried} mocks held to their documents: {counts}")
    assert failed == []
    assert tried >= 30
    assert outcomes[Outcome.PASSED] > outcomes[Outcome.SKIPPED]


async def held(api: ir.Api, package: ModuleType) -> list[Result]:
    """What comes of testing the mock of an API."""
    mock = Mock(api, package, Manner(token=TOKEN), Traffic(keeps=False))
    options = replace(mock.options(), limits=UNBOUND)
    async with asyncio.timeout(120), mock.server.serve(port=0, options=options) as running:
        found: list[Result] = []
        for endpoint in mock.endpoints:
            settings = Settings(
                url=running.url + endpoint.route.path.removesuffix(endpoint.channel.address or "").rstrip("/"),
                channel=endpoint.channel.name,
                token=TOKEN,
                samples=1,
                broken=3,
                quiet=0.05,
                rate=0,
                rules=frozenset(RULES),
            )
            found += [result async for result in check(api, prepare(api, package, settings), settings)]
        return found
