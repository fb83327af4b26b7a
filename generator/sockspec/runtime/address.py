"""The URL and the headers of a client's handshake, from typed values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import UNSET

from sockspec.runtime.routing import expand
from sockspec.runtime.security.cleartext import InsecureTransport, is_loopback

_IN_URL: Final = re.compile(r"[A-Za-z0-9._~%-]+(?:/[A-Za-z0-9._~%-]+)*")
"""What a variable of a URL may be: parts of a host, a port, or of a path."""


def texts(value: object) -> tuple[str, ...]:
    """A value as it stands in a query, a header or a path: none for None and UNSET, one for each item of a list.

    Objects stand there as JSON.
    """
    if value is None or value is UNSET:
        return ()
    plain: Any = msgspec.to_builtins(value)
    if isinstance(plain, dict):
        return (msgspec.json.encode(plain).decode(),)
    if isinstance(plain, list | tuple):
        return tuple(text for item in cast("list[object]", plain) for text in texts(item))
    return (str(plain).lower() if isinstance(plain, bool) else str(plain),)


def of_server(url: str, variables: Mapping[str, object]) -> str:
    """The URL of a server with the values of its variables.

    Raises ValueError for a variable without a value, and for a value that would lead to another host.
    """
    for name, value in variables.items():
        text = "".join(texts(value))
        if "{" + name + "}" in url:
            if not _IN_URL.fullmatch(text):
                raise ValueError(f"the variable {name!r} of the URL {url!r} cannot be {text!r}")
            url = url.replace("{" + name + "}", text)
    return url


def endpoint(url: str, path: str, parameters: Mapping[str, object], query: Mapping[str, object]) -> str:
    """The URL of an endpoint: a server's URL, and a path template and a query with their values.

    Raises ValueError for a URL that is not `ws://` or `wss://`, and for a path parameter without a value.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"expected a URL that starts with ws:// or wss:// and names a host, not {url!r}")
    if parts.fragment:
        raise ValueError(f"the URL of a WebSocket has no fragment, unlike {url!r}")
    expanded = expand(path, {name: ",".join(texts(value)) for name, value in parameters.items()}).strip("/")
    base = parts.path.rstrip("/")
    full_path = f"{base}/{expanded}" if expanded or not base else base
    fields = urlencode([(name, text) for name, value in query.items() for text in texts(value)])
    return urlunsplit((parts.scheme, parts.netloc, full_path, "&".join(filter(None, (parts.query, fields))), ""))


def header_lines(headers: Mapping[str, object]) -> dict[str, str]:
    """The header fields with their values. Raises ValueError for a value that would not stay within its line."""
    return {name: header_line(name, ", ".join(values)) for name, value in headers.items() if (values := texts(value))}


def header_line(name: str, text: str) -> str:
    """The value of a header field (RFC 9110, section 5.5). Raises ValueError, which does not quote it."""
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"the value of the header {name!r} has characters that a header cannot have")
    return text


def refuse_clear_text(url: str) -> None:
    """Raise InsecureTransport for a URL that would carry a token in clear text beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme == "ws" and not is_loopback(parts.hostname or ""):
        raise InsecureTransport(f"refusing to send a token to {parts.hostname!r} in clear text: use wss://")
