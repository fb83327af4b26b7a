"""How connections live and end: limits, heartbeats and close codes, in the words of somebody who has to cope."""

from __future__ import annotations

from sockspec import ir
from sockspec.docs.page import Closing
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Writing

LIMITS = {
    "maxConnections": ("Connections at the same time", "", "told over the connection, which is closed with 1013"),
    "maxSockets": ("Sockets at the same time", "", "HTTP 503"),
    "maxConnectionsPerPrincipal": ("Connections of one user", "", "told over the connection, closed with 1013"),
    "maxConnectionsPerAddress": ("Connections of one address", "", "told over the connection, closed with 1013"),
    "connectionsPerSecond": ("New connections of one address", " a second", "HTTP 429"),
    "connectionBurst": ("New connections of one address at once", "", "HTTP 429"),
    "maxHandshakes": ("Handshakes under way", "", "the oldest one is cut off"),
    "maxMessage": ("Size of a message", " bytes", "closed with 1009"),
    "maxDepth": ("Nesting of a message", " levels", "the message is refused"),
    "messagesPerSecond": (
        "Messages of one connection",
        " a second",
        "the message is refused; repeated, closed with 1008",
    ),
    "messageBurst": ("Messages of one connection at once", "", "the message is refused; repeated, closed with 1008"),
    "maxInbound": ("Messages that wait to be handled", "", "nothing more is read for a while"),
    "maxConcurrent": ("Messages that are handled side by side", "", "nothing more is read for a while"),
    "maxOutbound": ("Bytes that wait to be sent to you", " bytes", "closed with 1013"),
    "maxOutboundMessages": ("Messages that wait to be sent to you", "", "closed with 1013"),
    "maxFaults": ("Invalid messages in a row", "", "closed with 1008"),
    "idleTimeout": ("Silence of the client", " seconds", "closed with 3008"),
}
"""What each limit is of, its unit, and what happens above it."""

AGAIN, RENEW, NEVER = "connects again", "gets a new token, and tries once more", "stops"
CLOSINGS = (
    Closing("1000", "The work is done.", NEVER),
    Closing("1001", "The server goes away, or the page is left.", AGAIN),
    Closing("1003", "A kind of frame that the server does not take.", NEVER),
    Closing("1005", "Closed without a code.", AGAIN),
    Closing("1006", "Broken off: the network, or a handshake that was refused.", AGAIN),
    Closing("1007", "Text that is not UTF-8.", NEVER),
    Closing("1008", "The server's policy was broken, again and again.", NEVER),
    Closing("1009", "A message that is too large.", NEVER),
    Closing("1011", "Something failed on the server.", NEVER),
    Closing("1012", "The server restarts.", AGAIN),
    Closing("1013", "The server is too busy, or the client too slow.", AGAIN),
    Closing("1014", "A gateway got no good answer from the server.", AGAIN),
    Closing("3000", "The credentials are missing, wrong or expired.", RENEW),
    Closing("3003", "The credentials do not allow it.", NEVER),
    Closing("3008", "Nothing was sent for too long.", AGAIN),
)
"""The close codes that mean the same everywhere, and what clients of ours do when no problem was told before."""


def limits(of: ir.ServiceLimits, writing: Writing) -> tuple[tuple[str, str], ...]:
    """What is limited, and to how much; with what happens above it."""
    return tuple(_limit(name, bound, writing) for name, bound in of)


def _limit(name: str, bound: float, writing: Writing) -> tuple[str, str]:
    what, unit, above = LIMITS.get(name, (name, "", ""))
    value = f"{bound:,}{unit}" if isinstance(bound, int) else f"{bound:g}{unit}"
    return writing.text(what), writing.text(f"{value}; above: {above}" if above else value)


def heartbeat(channel: ir.Channel, types: Types, link: Line, answer: Line) -> Line:
    """Who asks whether the other one is there, by what message, and how often."""
    beat = channel.heartbeat
    if beat is None:
        return ()
    every = f"every {beat.interval:g} seconds, and"
    late = f"answers within {beat.timeout:g} seconds, or the connection is given up."
    asks = types.words("The server sends", "You send")
    if beat.sender is ir.Direction.CLIENT_TO_SERVER:
        asks = types.words("You send", "The client sends")
    space = Piece(" ")
    return (asks, space, *link, space, types.words(every), space, *answer, space, types.words(late))


def closings(channel: ir.Channel, writing: Writing) -> tuple[Closing, ...]:
    """The close codes that a channel gives a meaning, with what to do about them."""
    return tuple(_closing(code, writing) for code in channel.close_codes)


def _closing(code: ir.CloseCode, writing: Writing) -> Closing:
    standard = {one.code: one.reaction for one in CLOSINGS}
    problem = f"({code.problem})" if code.problem else ""
    meaning = " ".join(text for text in (code.meaning, problem) if text)
    reaction = "does what that problem says" if problem else standard.get(str(code.code), NEVER)
    return Closing(writing.code(str(code.code)), writing.text(meaning), writing.text(reaction))
