"""A listening socket whose connections notice by themselves when the other side is dead."""

from __future__ import annotations

import socket
from typing import Final

_BACKLOG: Final = 1024
_LONGEST: Final = 32_767.0
"""Seconds that systems take for the times of probes at most."""


def listen(host: str = "127.0.0.1", port: int = 8765, *, dead_after: float = 30.0) -> socket.socket:
    """A socket that listens, for ASGI servers, which have no other way to get rid of a peer that takes nothing.

    Its connections inherit that the system ends them when what was sent is not taken for `dead_after` seconds, or when an
    idle peer does not answer the probes of TCP for about as long. The first is a feature of Linux (`TCP_USER_TIMEOUT`);
    elsewhere only the second is done. Raises OSError when the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        notice_death(listener, dead_after)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def notice_death(connection: socket.socket, dead_after: float) -> None:
    """Have the system end a connection, or all that a listening socket accepts, once the peer is dead."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    dead_after = min(dead_after, _LONGEST)
    seconds = round(dead_after)
    probes = {"TCP_KEEPIDLE": max(1, seconds // 2), "TCP_KEEPINTVL": max(1, seconds // 6), "TCP_KEEPCNT": 3}
    for name, value in probes.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(dead_after * 1000))
