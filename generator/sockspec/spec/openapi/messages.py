"""Described messages into those of the API: each once under a name of its own, with the operations that send them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sockspec import ir
from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec.openapi import assumed, schemas, words
from sockspec.spec.openapi.described import Described, Reading
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted

MESSAGE_RENAMED = Code(
    "message-renamed",
    Severity.INFO,
    "Two messages have the same name and different payloads. Messages of an API need names of their own, so the later "
    "one is generated under a longer name. Rename one of them to choose the name yourself.",
)
CORRELATION_NOT_FOUND = Code(
    "correlation-not-found",
    Severity.WARNING,
    "The `correlationId` of a message is no JSON pointer into its payload, or points to a property that the payload's "
    "schema does not have, so requests and replies cannot be matched by it. It is left out.",
)


_EXAMPLE_WORDS = frozenset("name summary description payload value dataValue headers".split())
"""What an object has that is not a payload itself but holds an example of one."""


@dataclass(slots=True)
class Taken:
    """The messages of one endpoint by what the document calls them, and those that each of them wants for a reply."""

    by_name: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    replies: dict[str, tuple[Node, ...]] = field(default_factory=dict[str, tuple[Node, ...]])


class Messages:
    """The messages and operations of an API."""

    def __init__(self, reading: Reading, reader: SchemaReader, report: Report) -> None:
        self._reading = reading
        self._documents: Documents = reading.documents
        self._reader = reader
        self._report = report
        self._messages: dict[str, ir.Message] = {}
        self._same: dict[tuple[object, ...], str] = {}
        self._channels: dict[str, str] = {}
        self._operations: dict[str, ir.Operation] = {}
        self._sent: set[tuple[str, ir.Direction, str]] = set()

    def all(self) -> tuple[ir.Message, ...]:
        """The messages in the order in which endpoints describe them."""
        return tuple(self._messages.values())

    def operations(self) -> tuple[ir.Operation, ...]:
        """An operation for each message, direction and endpoint."""
        return tuple(self._operations.values())

    def take(self, channel: str, described: Iterable[Described]) -> None:
        """Add what an endpoint describes."""
        taken = Taken()
        sent: list[tuple[str, Described]] = []
        for union in described:
            for one in self._opened(union):
                name = self._message(channel, one)
                taken.by_name.setdefault(one.name or name, []).append(name)
                if one.about is not None and one.about.get("reply") is not None:
                    taken.replies[name] = tuple(_reply_names(one.about.get("reply")))
                sent.append((name, one))
        for name, one in sent:
            for direction in one.directions:
                self._operation(channel, name, direction, one.location, taken)

    def _opened(self, union: Described) -> Iterator[Described]:
        """A union that the author gave no name is one message for each of its members."""
        if union.name or union.schema is None:
            yield union
            return
        members = schemas.members(self._documents, union.schema)
        if members is None:
            yield union
            return
        for member in members:
            only = schemas.unwrapped(member)
            about = None if only is member else member
            yield Described(union.directions, only, member.location, about=about, content_type=union.content_type)

    # --- names --------------------------------------------------------------------------------------------------------

    def _message(self, channel: str, one: Described) -> str:
        """The name of the message, which is added unless it is there already."""
        side = words.SENDERS[one.directions[0]]
        name = one.name or (schemas.name(self._documents, one.schema) if one.schema is not None else "")
        name = name.strip() or f"{channel} {side} message"
        same = (name, self._fingerprint(one))
        if same not in self._same:
            claimed = self._claim(name, channel, side, one.location)
            self._same[same] = claimed
            self._channels[claimed] = channel
            self._messages[claimed] = self._build(claimed, one)
        return self._same[same]

    def _fingerprint(self, one: Described) -> tuple[object, ...]:
        """Equal for two descriptions of one and the same payload."""
        media_type = one.content_type.partition(";")[0].strip().lower()
        kind = "" if media_type.endswith(("/json", "+json")) else media_type
        if one.schema is None:
            return (None, kind)
        target = self._documents.follow(one.schema)
        if one.schema.reference is not None:
            return (target.identity, kind)
        asserted = {key: node.value for key, node in target.items() if key not in schemas.ANNOTATIONS} or target.value
        return (target.document.path, json.dumps(asserted, sort_keys=True), kind)

    def _claim(self, name: str, channel: str, side: str, location: Location) -> str:
        if name not in self._messages:
            return name
        same_channel = self._channels[name] == channel
        wanted = f"{side} {name}" if same_channel else f"{channel} {name}"
        claimed, number = wanted, 1
        while claimed in self._messages:
            number += 1
            claimed = f"{wanted} {number}"
        self._report.add(
            MESSAGE_RENAMED.at(
                location,
                f"another message {quoted(name)} has a different payload; this one is named {quoted(claimed)}",
                related=(self._messages[name].location,),
            )
        )
        return claimed

    # --- messages -----------------------------------------------------------------------------------------------------

    def _build(self, name: str, one: Described) -> ir.Message:
        about = one.about if one.about is not None else Node({}, self._documents.root.document, "")
        target = self._documents.follow(one.schema) if one.schema is not None else about
        deprecated = about.get("deprecated") or target.get("deprecated")
        is_from_server = one.directions == (ir.Direction.SERVER_TO_CLIENT,)
        return ir.Message(
            name,
            self._reader.payload(one.schema, message=name, content_type=one.content_type),
            one.location,
            about.text("title"),
            about.text("summary"),
            about.text("description") or target.text("description"),
            deprecated is not None and deprecated.value is True,
            self._correlation(about, one.schema),
            tuple(_examples(about)) or tuple(_schema_examples(target)),
            is_from_server and one.schema is not None and assumed.is_error(self._documents, one.schema),
            about.text("x-python-name") or target.text("x-python-name"),
        )

    def _correlation(self, about: Node, schema: Node | None) -> tuple[str, ...]:
        """The wire names that a `correlationId` leads through."""
        node = about.get("correlationId")
        if node is None:
            return ()
        location = node.get("location") or node
        written = location.value if isinstance(location.value, str) else ""
        runtime, _, pointer = written.partition("#")
        tokens = tuple(unescape(token) for token in pointer.split("/")[1:])
        if tokens and runtime in ("", "$message.payload") and self._leads_somewhere(schema, tokens):
            return tokens
        message = f"{quoted(written)} leads to no property of the payload; a pointer such as '#/id' was expected"
        self._report.add(CORRELATION_NOT_FOUND.at(location.location, message))
        return ()

    def _leads_somewhere(self, schema: Node | None, tokens: tuple[str, ...]) -> bool:
        for token in tokens:
            if schema is None:
                return False
            branches = schemas.members(self._documents, schema) or [schema]
            found = [schemas.properties(self._documents, branch).get(token) for branch in branches]
            schema = next((node for node in found if node is not None), None)
        return schema is not None

    # --- operations ---------------------------------------------------------------------------------------------------

    def _operation(self, channel: str, name: str, direction: ir.Direction, location: Location, taken: Taken) -> None:
        if (channel, direction, name) in self._sent:
            return
        self._sent.add((channel, direction, name))
        message = self._messages[name]
        wanted = name if direction is ir.Direction.CLIENT_TO_SERVER else f"{name} from server"
        claimed, number = wanted, 1
        while claimed in self._operations:
            claimed = f"{channel} {wanted}" if number == 1 else f"{channel} {wanted} {number}"
            number += 1
        self._operations[claimed] = ir.Operation(
            claimed,
            direction,
            channel,
            (name,),
            location,
            self._reply(name, taken),
            message.title,
            message.summary,
            message.description,
            message.deprecated,
        )

    def _reply(self, name: str, taken: Taken) -> ir.Reply | None:
        answers: dict[str, None] = {}
        nodes = taken.replies.get(name, ())
        for node in nodes:
            wanted = str(node.value) if node.reference is None else schemas.name(self._documents, node)
            if wanted in taken.by_name:
                answers.update(dict.fromkeys(taken.by_name[wanted]))
            else:
                self._reading.unknown(wanted, node.location, taken.by_name)
        return ir.Reply(tuple(answers), nodes[0].location) if answers else None


def _reply_names(reply: Node | None) -> Iterator[Node]:
    """The names, or references, of the messages that answer."""
    inner = reply.get("messages") if reply is not None else None
    node = inner or reply
    if node is not None and (isinstance(node.value, str) or node.reference is not None):
        yield node
    elif node is not None:
        yield from (one for one in node.elements() if isinstance(one.value, str) or one.reference is not None)


def _examples(about: Node) -> Iterator[ir.Example]:
    for name, node, payload in examples(about):
        if payload is node:
            yield ir.Example(payload.value, node.location, name)
        else:
            yield ir.Example(payload.value, node.location, name or node.text("name"), node.text("summary"))


def examples(about: Node) -> Iterator[tuple[str, Node, Node]]:
    """Examples of a message object, in a list or by name: the name, what stands there, and the payload in it.

    They are payloads, or objects with a `payload`, `value` or `dataValue`.
    """
    one, several = about.get("example"), about.get("examples")
    if one is not None:
        yield "", one, one
    if several is None:
        return
    named = [("", node) for node in several.elements()] or [*several.items()]
    for name, node in named:
        is_object = all(key in _EXAMPLE_WORDS for key, _ in node.items())
        held = (node.get(word) for word in ("payload", "value", "dataValue") if is_object)
        yield name, node, next((payload for payload in held if payload is not None), node)


def _schema_examples(schema: Node) -> Iterator[ir.Example]:
    one, several = schema.get("example"), schema.get("examples")
    if one is not None:
        yield ir.Example(one.value, one.location)
    for node in several.elements() if several is not None else ():
        yield ir.Example(node.value, node.location)
