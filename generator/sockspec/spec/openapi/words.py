"""The words that documents use for who sends, and what each of them means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.ir import Direction
from sockspec.spec.text import quoted

DIRECTION_ASSUMED = Code(
    "direction-assumed",
    Severity.WARNING,
    "The document does not say plainly who sends: `send` is what the client sends or what the server sends, depending "
    "on whose view the author takes. The message says what was assumed. Write `clientMessages` and `serverMessages`, "
    "or say whose view the document takes with the option `--perspective`.",
)

BOTH = (Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT)

SENDERS = {Direction.CLIENT_TO_SERVER: "client", Direction.SERVER_TO_CLIENT: "server"}
"""Who sends, in a word."""

_PLAIN = {
    Direction.CLIENT_TO_SERVER: "client clienttoserver clientserver clientsends fromclient toserver c2s",
    Direction.SERVER_TO_CLIENT: "server servertoclient serverclient serversends fromserver toclient s2c",
}
_SPOKEN = {
    "send": "send sends sent publish publishes emit emits outbound outgoing out",
    "receive": "receive receives received subscribe subscribes inbound incoming in",
}
_FROM_THE_SERVER = frozenset("outbound outgoing out inbound incoming in".split())
"""Words that are written from the server's point of view wherever they were met; the others from the client's."""

_NOISE = "(?:messageschemas?|messages?|events?|schemas?|payloads?|types?)"

_SENDER = {word: direction for direction, words in _PLAIN.items() for word in words.split()}
_VERB = {word: verb for verb, words in _SPOKEN.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Said:
    """Who sends, as a document says it."""

    directions: tuple[Direction, ...]
    view: str = ""
    """Whose view the word is read from: `server`, `client`, or empty where it cannot be mistaken."""


def read(word: str, perspective: str | None) -> Said | None:
    """What a word for a direction means; None where it is no such word.

    Words that name the sender mean what they say. The others depend on who speaks: `perspective`, or where that is not
    said, the view that such documents are known to take.
    """
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    plain = re.sub(f"^{_NOISE}|{_NOISE}$", "", plain)
    if plain in _SENDER:
        return Said((_SENDER[plain],))
    if plain in ("both", "bidirectional", "duplex"):
        return Said(BOTH)
    if plain not in _VERB:
        return None
    view = perspective or ("server" if plain in _FROM_THE_SERVER else "client")
    client_sends = (_VERB[plain] == "send") == (view == "client")
    return Said((Direction.CLIENT_TO_SERVER if client_sends else Direction.SERVER_TO_CLIENT,), view)


def assumed(word: str, said: Said, location: Location) -> Diagnostic:
    """What to tell the author of a word that could be meant the other way round."""
    return DIRECTION_ASSUMED.at(
        location,
        f"{quoted(word)} is read from the {said.view}'s point of view: the {SENDERS[said.directions[0]]} sends these "
        "messages",
        hint="write 'clientMessages' or 'serverMessages', or set the option 'perspective' to 'client' or 'server'",
    )
