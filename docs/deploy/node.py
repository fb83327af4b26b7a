"""The chat of `examples/chat` as a node of a fleet, as the files beside this one start it. Settings come from the environment.

`BACKPLANE` is the URL of a Redis, Valkey or NATS server; `TRUSTED_PROXIES` are the addresses and networks of load balancers, by
commas. `HOST`, `PORT` and `METRICS_PORT` are where it listens.
"""

from __future__ import annotations

import logging
import os
import sys

from server import HISTORY, Chat, backplane

from sockspec.runtime import Options
from sockspec.runtime.logs import JsonFormatter
from sockspec.runtime.metrics import PrometheusMetrics, expose
from sockspec.runtime.serving.standalone import Running


def options() -> Options:
    """What differs from the defaults."""
    proxies = os.environ.get("TRUSTED_PROXIES", "")
    return Options(
        backplane=backplane(os.environ["BACKPLANE"]),
        history=HISTORY,
        behind_tls_proxy=True,
        trusted_proxies=tuple(filter(None, proxies.split(","))),
        observers=(PrometheusMetrics(),),
    )


def ready(running: Running) -> None:
    """It listens."""
    expose(int(os.environ.get("METRICS_PORT", "9100")), "0.0.0.0")
    print(running.url, flush=True)


if __name__ == "__main__":
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    Chat().run(os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8765")), options=options(), ready=ready)
