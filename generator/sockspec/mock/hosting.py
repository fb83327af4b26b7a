"""A mock that is served in a thread of its own, for tests of clients in any style."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final

import msgspec

from sockspec.choices import Choices
from sockspec.diagnostics import Report, text
from sockspec.live import imported
from sockspec.mock import addresses, script
from sockspec.mock.server import Manner, Mock
from sockspec.mock.traffic import Traffic
from sockspec.pipeline import examine, generate
from sockspec.spec.source import Json

_WAIT: Final = 5.0
"""How long is waited for messages unless it is said, in seconds."""


class Hosted:
    """A mock of a document on a port of its own, until it is closed."""

    def __init__(
        self,
        document: str | Path,
        *,
        package: ModuleType | None = None,
        script: str | Path | Mapping[str, Json] | None = None,
        choices: Choices | None = None,
        push: bool = True,
        every: float | None = None,
        seed: int = 0,
        token: str | None = None,
        open: bool = False,
    ) -> None:
        """Serve a document; returns when it can be connected to.

        `package` is the imported package that was made of it, for messages of its classes in `received`; without it, one is
        made for the time being. `script` is as for `script()`, the rest as the options of `sockspec mock`. Raises
        ValueError for a document with errors, and BadScript.
        """
        api, diagnostics = examine(Path(document), choices=choices or Choices(), wholly=False)
        if api is None:
            raise ValueError(f"the document cannot be served:\n{text(diagnostics)}")
        self._api: Final = api
        self._resources: Final = ExitStack()
        try:
            if package is None:
                package = self._resources.enter_context(imported(generate(api, Path(document).name)))
            else:
                importlib.import_module(f"{package.__name__}.server")
            manner = Manner(pushes=push, every=every, seed=seed, token=token, is_open=open)
            self._mock: Final = Mock(api, package, manner, Traffic())
            if script is not None:
                self.script(script)
            self._serve()
        except BaseException:
            self._resources.close()
            raise

    def __enter__(self) -> Hosted:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL of the API, as the clients of its package take it: with the path of its first server."""
        for endpoint in self._mock.endpoints:
            return self._origin + endpoint.route.path.removesuffix(endpoint.channel.address or "").rstrip("/")
        return self._origin

    @property
    def urls(self) -> dict[str, str]:
        """For each endpoint, by the name of its channel, a URL that it accepts; headers that it needs are not in it."""
        return {
            endpoint.channel.name: self._origin + addresses.example(self._api, endpoint).target
            for endpoint in self._mock.endpoints
        }

    @property
    def received(self) -> list[msgspec.Struct]:
        """The valid messages of all clients so far, in the order in which they came."""
        return self._mock.traffic.messages

    def wait_received(self, count: int, timeout: float = _WAIT) -> list[msgspec.Struct]:
        """The same, once there are so many. Raises TimeoutError after so many seconds."""
        return self._mock.traffic.wait(count, timeout)

    def script(self, source: str | Path | Mapping[str, Json]) -> None:
        """Go by a script from now on: a file, the text of one, or what it would say. Raises BadScript."""
        report = Report()
        if isinstance(source, Path):
            read = script.read(source, self._mock.endpoints, self._mock.examples, report)
        else:
            written = source if isinstance(source, str) else json.dumps(source)
            read = script.read_text(written, self._mock.endpoints, self._mock.examples, report)
        if report.failed:
            raise script.BadScript(f"the script cannot be played:\n{text(report.sorted())}")
        self._mock.play(read)

    def close(self) -> None:
        """Say goodbye to all clients, and end the thread. Doing it again does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._resources.close()

    def _serve(self) -> None:
        ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="sockspec-mock")
        self._thread.start()
        try:
            self._origin = ready.result()
        except BaseException:
            self._thread.join()
            raise

    def _run(self, ready: Future[str]) -> None:
        try:
            asyncio.run(self._until_stopped(ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _until_stopped(self, ready: Future[str]) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with self._mock.server.serve(port=0, options=self._mock.options(pings=False)) as running:
            ready.set_result(running.url)
            await self._stopped.wait()
