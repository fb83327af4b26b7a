"""What a server is held to: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a server has to do."""

    id: str
    checks: str
    """What is tried, and what has to come of it."""
    why: str


RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        Rule(
            "connect",
            "A handshake with fitting parameters, and credentials where they are asked for, is answered with 101.",
            "What the document describes has to be there.",
        ),
        Rule(
            "subprotocol",
            "Of the subprotocols that the document declares, the server chooses one when all are offered.",
            "Clients and intermediaries go by the chosen subprotocol (RFC 6455, section 1.9).",
        ),
        Rule(
            "unknown-path",
            "A handshake with a path that the document does not have is refused with 404.",
            "A mistyped address that is accepted is found much later.",
        ),
        Rule(
            "bad-parameter",
            "A handshake whose path, query or header parameter does not fit its schema, or misses a required one, is "
            "refused with 400 (404 for the path, 422).",
            "Values that nobody checked reach queries and file names.",
        ),
        Rule(
            "no-credentials",
            "Where the document asks for security, a handshake without credentials is answered with 401 and "
            "WWW-Authenticate, or accepted, told an error message, and closed with 3000.",
            "An open door; and clients cannot know how to authenticate without a challenge (RFC 9110, section 15.5.2).",
        ),
        Rule(
            "wrong-credentials",
            "Where the document asks for security, a handshake with made-up credentials is refused in the same way, or "
            "with 403 or 3003.",
            "Credentials that nobody verifies are none.",
        ),
        Rule(
            "open-door",
            "Where the document asks for no security, a handshake without credentials is not refused for want of them.",
            "Clients made from the document send none.",
        ),
        Rule(
            "ping",
            "A ping is answered by a pong with the same data.",
            "RFC 6455, section 5.5.3; clients take a server that does not answer for dead.",
        ),
        Rule(
            "malformed-json",
            "A text that is not JSON is answered by an error message.",
            "Clients in the making need to be told; a server that stops over it can be stopped by anybody.",
        ),
        Rule(
            "unknown-type",
            "A message of a type that the document does not have is answered by an error message.",
            "What is silently dropped is waited for.",
        ),
        Rule(
            "binary",
            "A binary frame, where no message is binary, is answered by an error message or closed with 1003.",
            "RFC 6455, section 7.4.1.",
        ),
        Rule(
            "valid-message",
            "A valid message is not answered by an error message that calls it invalid, unknown or malformed or tells of "
            "an error within the server, and ends the connection with none but 1000 or a declared close code.",
            "Clients may send all that the document allows.",
        ),
        Rule(
            "reply",
            "A message of an operation with a reply is answered in time by one of its replies, which repeats the "
            "correlation id.",
            "Requests whose reply does not come, or cannot be told from others, hang.",
        ),
        Rule(
            "broken-message",
            "A message that breaks one keyword of its schema is answered by an error message.",
            "What the schema forbids must not reach the application.",
        ),
        Rule(
            "survives",
            "After an invalid message the connection is open and answers a ping.",
            "One mistake of a client must not cost it its connection.",
        ),
        Rule(
            "oversize",
            "A message above the declared limit (`maxMessage` of `x-limits`) is answered by an error message or closed "
            "with 1009.",
            "Without a bound one client takes the memory of all.",
        ),
        Rule(
            "received",
            "Every message that the server sends is one that the document lets it send on that channel, or an error "
            "message in the shape of the design guide.",
            "Clients made from the document understand nothing else.",
        ),
        Rule(
            "close-code",
            "Every connection that the server ends is ended by a close frame with a registered close code or one that "
            "the document declares.",
            "Clients decide by the code whether to connect again.",
        ),
    )
}
"""The rules by their names, in the order in which they are tried."""
