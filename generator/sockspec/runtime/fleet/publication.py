"""What a message is on its way from node to node."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Hashable, Mapping
from typing import Final

import msgspec

from sockspec.runtime.transport import Frame


class Publication(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message, encoded once by whoever publishes it, with what every node has to know of it."""

    data: bytes
    """The payload, of text in UTF-8."""
    is_text: bool = True
    at: float = 0.0
    """When it was published, in seconds since 1970 by the clock of whoever did so."""
    exclude: frozenset[str] = frozenset()
    """The members that it is not for."""
    key: str | None = None
    """Stands for what `coalesce` goes by."""
    trace: dict[str, str] = {}
    """The headers of the trace that it belongs to."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Publication).decode


def pack(frame: Frame, exclude: Collection[str], key: Hashable, trace: Mapping[str, str]) -> bytes:
    """A message as the bytes of an entry."""
    name = key if key is None or isinstance(key, str) else repr(key)
    return _encode(Publication(frame.data, frame.is_text, time.time(), frozenset(exclude), name, dict(trace)))


def unpack(data: bytes) -> Publication | None:
    """The message of an entry; None for what is none."""
    try:
        publication = _decode(data)
        if publication.is_text and not publication.data.isascii():
            publication.data.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return publication


def group_stream(path: str, name: str) -> str:
    """The stream of a group at an endpoint, which is named by the path of its template."""
    return f"group {path} {name}"


def everybody_stream(path: str) -> str:
    """The stream of all connections to an endpoint."""
    return f"all {path}"


def principal_stream(path: str, principal: str) -> str:
    """The stream of all connections of one principal to an endpoint."""
    return f"principal {path} {principal}"


def node_stream(node: str) -> str:
    """The stream by which nodes tell another one something."""
    return f"node {node}"


def kind_of(stream: str) -> str:
    """What kind of stream it is, and at which endpoint: `group /v1/rooms/{room}`. There are as many as a document has."""
    return " ".join(stream.split(" ", 2)[:2])


def wire_name(stream: str) -> str:
    """What a stream is called on connections: short, and the same on all nodes."""
    return hashlib.blake2b(stream.encode(errors="surrogatepass"), digest_size=6).hexdigest()
