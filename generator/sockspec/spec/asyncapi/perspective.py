"""Whose view a document takes when it says send and receive, publish and subscribe."""

from __future__ import annotations

import re

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.resolve import Node
from sockspec.spec.text import quoted

PERSPECTIVE_ASSUMED = Code(
    "perspective-assumed",
    Severity.INFO,
    "A document describes one application, and says `send` of what that application sends (in AsyncAPI 2, "
    "`subscribe`). Nobody said whether this is the server or the client, so it was taken for the server. Settle it "
    "with `--perspective` or `x-perspective: client` in the document.",
)
PERSPECTIVE_SUSPICIOUS = Code(
    "perspective-suspicious",
    Severity.WARNING,
    "The names of operations say the opposite of their actions, as they do where a document is written from the other "
    "side's view. Look at who sends what in the package, and set `--perspective` or `x-perspective`.",
)

UNKNOWN_PERSPECTIVE = Code(
    "unknown-perspective",
    Severity.WARNING,
    "`x-perspective` says whose view the document takes, `server` or `client`. Anything else is ignored.",
)

_SENDING = re.compile(r"(send|publish|emit)(?![a-z])")
_RECEIVING = re.compile(r"(on|receive|handle)(?![a-z])")
_SENDS = {"send", "subscribe"}
"""The words for what the described application sends."""


class Perspective:
    """Turns a document's words into who sends, and watches out for contradictions."""

    def __init__(self, root: Node, option: str | None, report: Report) -> None:
        info = root.get("info")
        said = root.text("x-perspective") or (info.text("x-perspective") if info is not None else "")
        self.view = option or (said if said in ("server", "client") else "server")
        self._said = option is not None or said in ("server", "client")
        if said and said not in ("server", "client"):
            place = root.get("x-perspective") or (info.get("x-perspective") if info is not None else None) or root
            message = f"{quoted(said)} is no perspective; 'server' or 'client' was expected"
            report.add(UNKNOWN_PERSPECTIVE.at(place.location, message))
        self._report = report
        self._words: dict[str, Node] = {}
        self._count = 0
        self._against: list[Node] = []

    def direction(self, word: str, name: str, node: Node) -> ir.Direction:
        """Who sends, where the document says a word of the operation of a name."""
        self._words.setdefault(word, node)
        self._count += 1
        application_sends = word in _SENDS
        against = _RECEIVING if application_sends else _SENDING
        # Of `publish` and `subscribe` the names say nothing: clients send under `publish`, and servers receive there.
        if word in ("send", "receive") and against.match(name):
            self._against.append(node)
        if application_sends == (self.view == "server"):
            return ir.Direction.SERVER_TO_CLIENT
        return ir.Direction.CLIENT_TO_SERVER

    def report(self) -> None:
        """Say what was assumed, and whether the names of operations contradict it."""
        if self._said or not self._words:
            return
        word = min(self._words)
        meaning = f"{word!r} is what {'the server sends' if word in _SENDS else 'clients send'}"
        self._report.add(
            PERSPECTIVE_ASSUMED.at(self._words[word].key_location, f"taken for the server's view: {meaning}")
        )
        # An operation may well be named by what clients do with it, so only a majority counts.
        if 2 * len(self._against) > self._count:
            self._report.add(
                PERSPECTIVE_SUSPICIOUS.at(
                    self._against[0].key_location,
                    f"{len(self._against)} operations are named from the other side's view, such as this one",
                    hint="say '--perspective client' where the document describes the client",
                )
            )
