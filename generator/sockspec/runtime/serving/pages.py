"""The few HTTP resources beside the endpoints: health, readiness and documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from typing import Final

from sockspec.runtime.dispatcher import Dispatcher
from sockspec.runtime.handshake import HttpResponse, http_refusal
from sockspec.runtime.problems import NOT_FOUND, Problem

_PATHS: Final = re.compile(r"/(?:healthz|readyz|docs(?:/[1-9][0-9]?)?)/?")
"""What is answered, where it is wanted."""
_NO_STORE: Final = ("Cache-Control", "no-store")
_POLICY: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"')
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def is_page(path: str) -> bool:
    """Whether a path is the one of a resource that there may be."""
    return _PATHS.fullmatch(path) is not None


def answer(dispatcher: Dispatcher, path: str, method: str = "GET") -> HttpResponse:
    """The response to a request that asks for no connection. HEAD gets what GET would, without the body."""
    if method not in ("GET", "HEAD"):
        headers = (("Content-Type", "text/plain; charset=utf-8"), ("Allow", "GET, HEAD"), _NO_STORE)
        return HttpResponse(405, headers, b"Only GET and HEAD are answered.\n")
    found = _answer(dispatcher, path)
    return found if method == "GET" else replace(found, body=b"", length=len(found.body))


def _answer(dispatcher: Dispatcher, path: str) -> HttpResponse:
    options = dispatcher.options
    match path.rstrip("/"):
        case "/healthz" if options.health:
            return _text(200, "ok")
        case "/readyz" if options.health:
            return _text(503, "draining") if dispatcher.draining else _text(200, _ready(dispatcher))
        case "/docs" if options.docs and (pages := dispatcher.pages()):
            return _page(pages[0] if len(pages) == 1 else _index(pages, "" if path.endswith("/") else "docs/"))
        case numbered if options.docs and numbered.startswith("/docs/") and is_page(numbered):
            pages, number = dispatcher.pages(), int(numbered.removeprefix("/docs/"))
            if number <= len(pages):
                return _page(pages[number - 1])
        case _:
            pass
    if dispatcher.has_endpoint(path):
        headers = (("Content-Type", "text/plain; charset=utf-8"), ("Upgrade", "websocket"), _NO_STORE)
        return HttpResponse(426, headers, b"This is a WebSocket endpoint.\n")
    return http_refusal(Problem.of(NOT_FOUND))


def _ready(dispatcher: Dispatcher) -> str:
    """Without its backplane a node still serves the connections that it has, and others would be no better."""
    degraded = dispatcher.node.degraded
    return f"ready\ndegraded: {degraded}" if degraded else "ready"


def _index(pages: Sequence[str], below: str) -> str:
    """A page that leads to each of the pages. The links are relative: the application may be mounted somewhere."""
    titles = [found[1].strip() if (found := _TITLE.search(page)) is not None else "An API" for page in pages]
    items = "".join(f'<li><a href="{below}{number}">{title}</a></li>' for number, title in enumerate(titles, 1))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Documentation</title></head>'
        f"<body><h1>Documentation</h1><ul>{items}</ul></body></html>"
    )


def _text(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, (("Content-Type", "text/plain; charset=utf-8"), _NO_STORE), f"{text}\n".encode())


def _page(page: str) -> HttpResponse:
    """A page under the policy that it carries, which knows its script and its style; none but ours may frame it."""
    found = _POLICY.search(page)
    own = " ".join(unescape(found[1]).split()) if found is not None else "default-src 'none'"
    policy = f"{own}; frame-ancestors 'self'"
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy), _NO_STORE)
    return HttpResponse(200, headers, page.encode())
