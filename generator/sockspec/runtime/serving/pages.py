"""The few HTTP resources beside the endpoints: health, readiness and documentation."""

from __future__ import annotations

from typing import Final

from sockspec.runtime.dispatcher import Dispatcher
from sockspec.runtime.handshake import HttpResponse, http_refusal
from sockspec.runtime.problems import NOT_FOUND, Problem

PATHS: Final = ("/healthz", "/readyz", "/docs")
"""What is answered, where it is wanted."""
_NO_STORE: Final = ("Cache-Control", "no-store")


def answer(dispatcher: Dispatcher, path: str) -> HttpResponse:
    """The response to a GET request that asks for no connection."""
    options = dispatcher.options
    match path.rstrip("/"):
        case "/healthz" if options.health:
            return _text(200, "ok")
        case "/readyz" if options.health:
            return _text(503, "draining") if dispatcher.draining else _text(200, "ready")
        case "/docs" if options.docs:
            page = dispatcher.page()
            if page is not None:
                return _page(page)
        case _:
            pass
    if dispatcher.has_endpoint(path):
        headers = (("Content-Type", "text/plain; charset=utf-8"), ("Upgrade", "websocket"), _NO_STORE)
        return HttpResponse(426, headers, b"This is a WebSocket endpoint.\n")
    return http_refusal(Problem.of(NOT_FOUND))


def _text(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, (("Content-Type", "text/plain; charset=utf-8"), _NO_STORE), f"{text}\n".encode())


def _page(page: str) -> HttpResponse:
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy), _NO_STORE)
    return HttpResponse(200, headers, page.encode())
