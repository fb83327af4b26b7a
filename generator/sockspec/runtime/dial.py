"""Opening a client's connection on the `websockets` library."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Literal, cast
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    SecurityError,
)
from websockets.http11 import Response
from websockets.typing import Subprotocol

from sockspec.runtime.backoff import Ending
from sockspec.runtime.error_messages import read_problem
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.problems import Problem
from sockspec.runtime.security.cleartext import is_loopback
from sockspec.runtime.websocket import WebSocketTransport, library_logger


async def dial(
    url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
) -> WebSocketTransport | Ending:
    """Open a connection; an Ending says why there is none."""
    parts = urlsplit(url)
    try:
        websocket = await _Connect(
            url,
            additional_headers=dict(headers),
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            compression=None,
            proxy=_proxy(options.proxy, parts.hostname or ""),
            open_timeout=options.open_timeout,
            close_timeout=options.close_timeout,
            ping_interval=None,
            max_size=options.max_message,
            logger=library_logger("websockets.client"),
            ssl=(options.ssl or True) if parts.scheme == "wss" else None,
        )
    except InvalidStatus as refusal:
        return _refused(refusal.response)
    except ssl.SSLCertVerificationError as error:
        return Ending(1015, f"the certificate of the server is not trusted: {error.verify_message}", hopeless=True)
    except (ProxyError, InvalidProxy) as error:
        return Ending(
            reason=f"the proxy could not be used: {type(error).__name__}", hopeless=isinstance(error, InvalidProxy)
        )
    except SecurityError as error:
        return Ending(1002, f"a redirect is not followed: {error}", hopeless=True)
    except (OSError, InvalidMessage) as error:
        return Ending(reason=str(error) or type(error).__name__)
    except InvalidHandshake as error:
        return Ending(1002, str(error), hopeless=True)
    return WebSocketTransport(websocket)


class _Connect(connect):
    """The library's way to connect, which gives nothing of ours to another host that it is redirected to.

    The library itself leaves out some headers there, and keeps keys in others.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The URL to go on with, or why there is none."""
        before = urlsplit(self.uri)
        found = super().process_redirect(exc)
        if isinstance(found, str):
            after = urlsplit(found)
            if (before.scheme, before.netloc) != (after.scheme, after.netloc):
                self.additional_headers = None
        return found


def _proxy(chosen: str | None, host: str) -> str | Literal[True] | None:
    if chosen != "environment":
        return chosen
    # What is meant for this machine must not leave it through a proxy.
    return None if is_loopback(host) else True


def _refused(response: Response) -> Ending:
    """The ending of an attempt that was answered with an HTTP status instead of a connection."""
    problem = _problem(response)
    why = f": {problem.message}" if problem is not None and problem.message else ""
    return Ending(
        reason=f"the handshake was refused with HTTP status {response.status_code}{why}",
        problem=problem,
        status=response.status_code,
        retry_after=_retry_after(response),
    )


def _problem(response: Response) -> Problem | None:
    if "application/problem+json" not in ",".join(response.headers.get_all("Content-Type")).lower():
        return None
    try:
        members: object = msgspec.json.decode(response.body or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return read_problem(cast("dict[str, object]", members)) if isinstance(members, dict) else None


def _retry_after(response: Response) -> float | None:
    """The seconds of a `Retry-After` header (RFC 9110, section 10.2.3). A date counts as nothing said."""
    values = response.headers.get_all("Retry-After")
    return float(values[0]) if values and values[0].isascii() and values[0].isdigit() else None
