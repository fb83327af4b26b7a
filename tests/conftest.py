"""What all tests may ask for."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

from tests.engines import backplane, nats_url, redis_url, start_nats, start_redis, start_shared_redis

__all__ = ["backplane", "nats_url", "redis_url", "start_nats", "start_redis", "start_shared_redis"]

# How long an example takes says something of the machine, and nothing of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

_SHARED = Path(__file__).resolve().parents[2] / "shared"
_left_out = pytest.StashKey[list[str]]()
_told = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests miss that were left out, and the lines that tests want to tell."""
    config.stash[_left_out] = []
    config.stash[_told] = []
    if config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(_Workers())


def leave_out(request: pytest.FixtureRequest, why: str) -> NoReturn:
    """Skip a test, and say so at the end of the run."""
    request.config.stash[_left_out].append(why)
    pytest.skip(why)


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder `shared` beside the repository: real documents, hostile ones, official schemas.

    Without it the test is left out, and the summary says so. With SOCKSPEC_REQUIRE_SHARED=1, as in continuous
    integration, the test fails.
    """
    if _SHARED.is_dir():
        return _SHARED
    if os.environ.get("SOCKSPEC_REQUIRE_SHARED") == "1":
        pytest.fail(f"{_SHARED} is missing, and SOCKSPEC_REQUIRE_SHARED=1 requires it")
    leave_out(request, f"{_SHARED} is missing")


@pytest.fixture
def told(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the summary of the run, whether tests pass or not."""
    return request.config.stash[_told]


class _Workers:
    """Brings together what tests in several processes have to say."""

    def pytest_testnodedown(self, node: Any) -> None:
        """A process has ended."""
        output = getattr(node, "workeroutput", {})
        node.config.stash[_told].extend(output.get("told", ()))
        node.config.stash[_left_out].extend(output.get("left_out", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what tests of this process have to say, where it is one of several."""
    output: dict[str, list[str]] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["told"] = session.config.stash[_told]
        output["left_out"] = session.config.stash[_left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what tests found, and loudly what was not tested."""
    if config.stash[_told]:
        terminalreporter.section("documents")
        for line in config.stash[_told]:
            terminalreporter.write_line(line)
    reasons = config.stash[_left_out]
    left_out = Counter(reasons)
    if left_out:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
    for why, count in left_out.items():
        terminalreporter.write_line(f"{why}: {count} tests did not run", red=True)
