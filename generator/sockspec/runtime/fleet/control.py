"""The messages by which a server and a client agree on what was received: `docs/resume-protocol.md` describes them.

They are JSON like all others, with a `type` that begins with `sockspec.`, and are sent only on connections whose handshake
agreed on it. No message of a document is changed by them.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from sockspec.runtime.transport import Frame

HEADER: Final = "Sockspec-Resume"
"""The header of the handshake by which a client asks for them, and the server agrees."""
VERSION: Final = "1"
RESUME_SUBPROTOCOL: Final = "sockspec.resume"
"""The same for browsers, which can send no headers: a subprotocol that the server chooses where the document has none."""
_START: Final = '{"type":"sockspec.'
_OF_CLIENT: Final = re.compile(r'\s*\{\s*"type"\s*:\s*"sockspec\.')


MOST_POSITIONS: Final = 500
"""How many groups a client says its position in, so that its message is one that servers take."""
_Name = Annotated[str, Meta(max_length=128)]


class GroupPosition(msgspec.Struct, frozen=True):
    """Up to where a client has received what a group is sent."""

    group: _Name
    epoch: _Name
    offset: Annotated[int, Meta(ge=0, lt=2**53)]


class Resume(msgspec.Struct, frozen=True, tag="sockspec.resume"):
    """The client's first message: the session that it had, and what it has received of each group."""

    session: _Name = ""
    """Empty for a new one."""
    positions: tuple[GroupPosition, ...] = ()


class Opened(msgspec.Struct, frozen=True, tag="sockspec.session"):
    """The server's answer."""

    session: str
    """What to come back with."""
    resumed: bool
    """Whether it is the session that was asked for: the groups are joined again, and what was missed follows."""


class Joined(msgspec.Struct, frozen=True, tag="sockspec.joined"):
    """What the client receives of a group begins after this place."""

    group: str
    epoch: str
    offset: int
    lost: bool = False
    """Whether something before it was missed and cannot be sent any more."""


class Left(msgspec.Struct, frozen=True, tag="sockspec.left"):
    """The client is in a group no more."""

    group: str


class Place(msgspec.Struct, frozen=True, tag="sockspec.position", omit_defaults=True):
    """Where the next message stands."""

    group: str
    offset: int
    after: int = -1
    """Where the one before it stands; left out where that is the offset before."""
    skip: bool = False
    """Whether there is no next message: what stands there is not for this client."""


class Recovered(msgspec.Struct, frozen=True, tag="sockspec.recovered"):
    """All that was missed has been sent."""

    recovered: bool
    """Whether nothing was lost."""


ToClient = Opened | Joined | Left | Place | Recovered

_encode: Final = msgspec.json.Encoder().encode
_of_server: Final = msgspec.json.Decoder(Opened | Joined | Left | Place | Recovered).decode
_of_client: Final = msgspec.json.Decoder(Resume).decode


def is_control(frame: str | bytes) -> bool:
    """Whether a frame is one of a server's messages, which are all written alike."""
    return isinstance(frame, str) and frame.startswith(_START)


def resumes(frame: str | bytes) -> bool:
    """Whether a frame is to be one of a client's messages, in whichever way its client writes JSON."""
    return isinstance(frame, str) and _OF_CLIENT.match(frame) is not None


def from_server(frame: str | bytes) -> ToClient | None:
    """What a server says; None for what is not known, such as a message of a newer one."""
    try:
        found: ToClient = _of_server(frame)
        return found
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def from_client(frame: str | bytes) -> Resume | None:
    """What a client says; None for what is none of these messages."""
    try:
        return _of_client(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def frame_of(message: Resume | ToClient) -> Frame:
    """The frame of a message."""
    return Frame(_encode(message))


def place(group: str, offset: int, after: int, *, skip: bool = False) -> Frame:
    """The frame that says where the next message stands."""
    return frame_of(Place(group, offset, -1 if after == offset - 1 else after, skip))
