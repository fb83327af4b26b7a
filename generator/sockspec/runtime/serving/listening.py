"""A listening socket whose connections notice by themselves when the other side is dead."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from typing import Any, Final

_BACKLOG: Final = 1024
_ATTEMPTS: Final = 16
"""How often a port is looked for that is free at several addresses."""
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


def reserve(host: str, port: int) -> list[socket.socket]:
    """Take a port at every address of a host, for processes that listen there with `SO_REUSEPORT`.

    The sockets that are returned do not listen: they keep the port while nobody does. Port 0 takes one that is free at all
    of the addresses. Raises OSError when somebody else listens there, or when there is no such address.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = tuple(dict.fromkeys((family, address) for family, _, _, _, address in found if _is_there(family)))
    for _ in range(_ATTEMPTS):
        try:
            return _take(addresses, port)
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                raise
    return _take(addresses, port)


def _is_there(family: int) -> bool:
    """Whether the system has a family of addresses. Event loops leave out those that it has not."""
    try:
        socket.socket(family, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _take(addresses: Iterable[tuple[int, tuple[Any, ...]]], port: int) -> list[socket.socket]:
    taken: list[socket.socket] = []
    try:
        for family, (host, _, *scope) in addresses:
            if port:
                # One that does not share the port is refused where somebody listens, even the same program twice.
                _bound(family, (host, port, *scope), shares=False).close()
            taken.append(_bound(family, (host, port, *scope), shares=True))
            port = port or int(taken[0].getsockname()[1])
    except OSError:
        for one in taken:
            one.close()
        raise
    return taken


def _bound(family: int, address: tuple[Any, ...], *, shares: bool) -> socket.socket:
    """A socket at an address, made as event loops make theirs."""
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shares:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"{address[0]!r}, port {address[1]}: {error.strerror}") from None
    return bound
