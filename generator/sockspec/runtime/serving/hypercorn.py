"""What makes hypercorn safe to serve WebSocket connections by."""

from __future__ import annotations

from hypercorn.protocol import ws_stream


class _Uncompressed(ws_stream.Handshake):
    """A handshake that agrees to no extension."""

    def __init__(self, headers: list[tuple[bytes, bytes]], http_version: str) -> None:
        super().__init__(headers, http_version)
        self.extensions = None


def refuse_compression() -> None:
    """Have hypercorn agree to no compression, in the whole process. Call it before it serves.

    It has no setting for that, and unpacks what a client has compressed without a limit: 300 KiB become 300 MiB before any
    application or limit hears of it.
    """
    ws_stream.Handshake = _Uncompressed  # type: ignore[misc]


def refuses_compression() -> bool:
    """Whether hypercorn agrees to no compression."""
    return ws_stream.Handshake is _Uncompressed
