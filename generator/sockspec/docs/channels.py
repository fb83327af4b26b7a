"""Endpoints as parts of a page: how to connect to them, what they carry, and how their connections end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.analysis.constants import TagValue
from sockspec.docs import life
from sockspec.docs.anchors import Anchors
from sockspec.docs.connecting import Connecting
from sockspec.docs.diagrams import Step, sequence
from sockspec.docs.fields import Fields
from sockspec.docs.page import Channel, Exchange, Samples, Sent, Side, Table, Use
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Html, Writing, one_line
from sockspec.python.security import connecting

CLIENT, SERVER = ir.Direction.CLIENT_TO_SERVER, ir.Direction.SERVER_TO_CLIENT
SENDERS = {CLIENT: "client", SERVER: "server"}
OPPOSITE = {CLIENT: SERVER, SERVER: CLIENT}
_SIDES = {CLIENT: ("You send", "You receive"), SERVER: ("You receive", "You send")}
_MOST_ANSWERS = 4
MANY = 3
"""An operation of more messages than these is described at its channel, not at each message."""
_FRAMES = {ir.Content.TEXT: "as plain text", ir.Content.BINARY: "in a binary frame"}
Dispatches = Mapping[tuple[str, ir.Direction], dispatch.Dispatch]
"""How the messages of each channel and direction are told apart."""


class Channels:
    """Writes the parts of one page that speak of connections."""

    def __init__(
        self,
        api: ir.Api,
        anchors: Anchors,
        types: Types,
        fields: Fields,
        dispatches: Dispatches,
        writing: Writing,
    ) -> None:
        self.connecting = Connecting(api, anchors, types, fields, writing)
        self._api = api
        self._anchors = anchors
        self._types = types
        self._fields = fields
        self._writing = writing
        self._dispatches = dispatches
        self._messages = {message.name: message for message in api.messages}
        self._errors = [message.name for message in api.messages if message.is_error]
        self._operations: dict[str, list[ir.Operation]] = {}
        for operation in api.operations:
            self._operations.setdefault(operation.channel, []).append(operation)

    def channel(self, channel: ir.Channel, samples: Samples) -> Channel:
        """An endpoint: how to connect to it, and what it carries."""
        anchor, place = self._anchors.channels[channel.name], self._anchors.within(self._anchors.channels[channel.name])
        parameters = (
            ("Path parameters", channel.parameters),
            ("Query parameters", channel.query),
            ("Headers", channel.headers),
        )
        beat = channel.heartbeat
        return Channel(
            self._writing.text(channel.title or channel.name),
            anchor,
            tuple(map(self._writing.code, self.connecting.urls(channel))),
            tuple(self.connecting.address(channel)),
            self._writing.summary(channel.summary),
            self._writing.described(channel.description if channel.description != channel.summary else ""),
            tuple(Table(title, self._fields.parameters(given, place)) for title, given in parameters if given),
            tuple(self._types.listed(map(self._types.identifier, channel.subprotocols), ", ")),
            life.closings(channel, self._writing),
            self.connecting.security(connecting(self._api, channel)),
            tuple(self.connecting.browsers(channel)),
            self._first(channel),
            tuple(side for direction in ir.Direction for side in self._side(channel, direction)),
            tuple(self._exchanges(channel, anchor)),
            life.heartbeat(channel, self._types, (self.link(beat.ping),), (self.link(beat.pong),)) if beat else (),
            life.limits(channel.limits, self._writing),
            (samples,),
        )

    def link(self, message: str) -> Piece:
        """The name of a message, with a link to where it is described."""
        return Piece(self._writing.text(message), anchor=self._anchors.messages.get(message, ""))

    def _links(self, names: tuple[str, ...]) -> Iterator[Piece]:
        return self._types.listed(map(self.link, names))

    # --- what is sent -------------------------------------------------------------------------------------------------

    def _first(self, channel: ir.Channel) -> Piece:
        """Who may speak first."""
        words = self._types.words
        sent = {side: self._dispatches.get((channel.name, side)) for side in ir.Direction}
        started = {operation.direction for operation in self._operations.get(channel.name, ())}
        if sent[CLIENT] is None and sent[SERVER] is None:
            return words("")
        if sent[CLIENT] is None:
            return words("Only the server speaks: connect and listen.", "Only you speak; clients connect and listen.")
        if sent[SERVER] is None:
            return words("Only you speak; the server sends no messages.", "Only clients speak; you send no messages.")
        if started == {CLIENT}:
            return words(
                "You speak first: whatever the server sends answers a request.",
                "The client speaks first: whatever you send answers a request.",
            )
        if started == {SERVER}:
            return words(
                "The server speaks first: whatever you send answers a request.",
                "You speak first: whatever clients send answers a request.",
            )
        return words("Either side may speak first, as soon as the connection is open.")

    def _side(self, channel: ir.Channel, direction: ir.Direction) -> Iterator[Side]:
        found = self._dispatches.get((channel.name, direction))
        if found is None or not found.choices:
            return
        are_several = len(found.choices) > 1
        messages = tuple(self._sent(choice, found if are_several else None) for choice in found.choices)
        title = self._types.words(*_SIDES[direction])
        told = self._told(found) if are_several else ()
        yield Side(SENDERS[direction], title, told, tuple(self._uses(channel, direction)), messages)

    def _uses(self, channel: ir.Channel, direction: ir.Direction) -> Iterator[Use]:
        """The operations of many messages."""
        for one in self._operations.get(channel.name, ()):
            is_said = any((one.summary or one.title, one.description, self.connecting.scopes(one.security)))
            if one.direction is direction and len(one.messages) > MANY and is_said:
                yield self.use(one)

    def use(self, operation: ir.Operation) -> Use:
        """What an operation is for, and the scopes that it takes."""
        summary = operation.summary or operation.title
        is_begun = bool(summary) and operation.description.strip().startswith(summary.strip())
        return Use(
            self._writing.text(operation.name),
            "" if is_begun else self._writing.summary(summary),
            self._writing.described(operation.description, 5),
            self.connecting.scopes(operation.security),
        )

    def _told(self, found: dispatch.Dispatch) -> Line:
        """How the messages of a side are told apart."""
        line = (self._types.words(f"Told apart by {found.by.value}"),)
        paths = [".".join(map(str, path)) for path in (found.path, found.second) if path]
        if not paths or found.by in (dispatch.By.KIND, dispatch.By.REQUIRED, dispatch.By.TRIAL):
            return (*line, Piece("."))
        return (*line, Piece(": "), *self._types.listed(map(self._types.identifier, paths), " and "), Piece("."))

    def _sent(self, choice: dispatch.Choice, found: dispatch.Dispatch | None) -> Sent:
        message = choice.message
        line: list[Piece] = []
        if choice.values and found is not None:
            place = f"item {(found.position or 0) + 1}" if choice.is_array else ".".join(map(str, found.path))
            line = self._where("where", place, choice.values)
            if choice.seconds:
                line += [Piece(" "), *self._where("and", ".".join(map(str, found.second)), choice.seconds)]
        elif found is not None and message.payload.content in _FRAMES:
            line = [self._types.words(_FRAMES[message.payload.content])]
        elif found is not None and found.by is not dispatch.By.KIND:
            line = [self._types.words("where it fits and no other does")]
        return Sent(
            self._writing.text(message.name),
            self._anchors.messages[message.name],
            tuple(line),
            self._writing.summary(message.summary),
            message.deprecated,
        )

    def _where(self, word: str, place: str, values: tuple[TagValue, ...]) -> list[Piece]:
        head = [self._types.words(word), Piece(" "), self._types.identifier(place), Piece(" ")]
        return [*head, self._types.words("is"), Piece(" "), *self._types.listed(map(self._types.code, values))]

    # --- requests and replies -----------------------------------------------------------------------------------------

    def _exchanges(self, channel: ir.Channel, anchor: str) -> Iterator[Exchange]:
        told: set[Line] = set()
        for operation in self._operations.get(channel.name, ()):
            answers = operation.reply.messages if operation.reply is not None else ()
            asks = self._types.words(*self._verbs(operation.direction))
            line = (*self._links(operation.messages), Piece(" "), asks, Piece(" "), *self._links(answers))
            if not answers or not operation.messages or line in told:
                continue
            told.add(line)
            yield Exchange(line, self._diagram(operation, answers, f"{anchor}-exchange-{len(told)}"))

    def _verbs(self, direction: ir.Direction) -> tuple[str, str]:
        verbs = "is answered with", "wants the answer"
        return verbs if direction is CLIENT else (verbs[1], verbs[0])

    def _diagram(self, operation: ir.Operation, answers: tuple[str, ...], id: str) -> Html:
        if self._writing.html is None:
            return Html("")
        asked = operation.messages[0]
        from_client = operation.direction is CLIENT
        own = [Step(from_client, self._named(operation.messages), self._correlated(asked, "its own"))]
        listed = [name for name in answers if name not in self._errors][:_MOST_ANSWERS]
        for at, name in enumerate(listed):
            own.append(Step(not from_client, one_line(name), self._correlated(name, "the same"), at > 0))
        if from_client and self._errors:
            own.append(Step(False, one_line(self._errors[0]), "a problem", is_other=True))
        return sequence(id, f"{one_line(asked)} and what answers it", own)

    def _named(self, messages: tuple[str, ...]) -> str:
        return one_line(" or ".join(messages[:2])) + (" …" if len(messages) > 2 else "")

    def _correlated(self, name: str, which: str) -> str:
        path = self._messages[name].correlation if name in self._messages else ()
        return one_line(f"{which} {'.'.join(path)}") if path else ""
