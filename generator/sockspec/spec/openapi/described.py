"""Messages as documents describe them, whatever the form: schemas, references, names, lists, maps, message objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.ir import Direction
from sockspec.spec.openapi import schemas, words
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import Json, quoted
from sockspec.spec.walk import nearest

UNKNOWN_MESSAGE = Code(
    "unknown-message",
    Severity.ERROR,
    "A message is named that the document does not describe: no component schema, and no message of this endpoint, has "
    "the name.",
)
MESSAGE_NOT_UNDERSTOOD = Code(
    "message-not-understood",
    Severity.WARNING,
    "Where a description of a message was expected stands something else, which is left out. A message is a schema, a "
    "reference to one, the name of a component schema, or an object with a `payload`.",
)

_KINDS = {
    dict: "mapping",
    list: "list",
    str: "text",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
}
_CONTAINER_NOTES = frozenset({"description", "summary", "notes", "title"})


@dataclass(frozen=True, slots=True)
class Described:
    """One message, or a union of messages, as the document describes it."""

    directions: tuple[Direction, ...]
    schema: Node | None
    """What it carries; None where the document does not say."""
    location: Location
    name: str = ""
    """What the author calls it; empty where it goes by its schema."""
    about: Node | None = None
    """The object around the schema, with a summary, examples and so on."""
    content_type: str = ""


class Reading:
    """Reads descriptions of messages from one document, and keeps whose view had to be assumed for it."""

    def __init__(self, documents: Documents, report: Report, perspective: str | None) -> None:
        self.documents = documents
        self.view = ""
        self._report = report
        self._perspective = perspective

    def direction(self, word: str, location: Location) -> tuple[Direction, ...] | None:
        """Who sends, by a word for it. None where the word is none."""
        said = words.read(word, self._perspective)
        if said is None:
            return None
        if said.view:
            self.view = self.view or said.view
            if self._perspective is None:
                self._report.add(words.assumed(word, said, location))
        return said.directions

    def container(self, node: Node, otherwise: tuple[Direction, ...] = words.BOTH) -> Iterator[Described]:
        """Messages with the direction said inside: as keys around them, or in each of them.

        `otherwise` is who sends those of which nothing is said; that it was assumed is reported.
        """
        node = self._inside(node)
        if _is_map(node):
            if self._has_direction_keys(node):
                yield from self._by_direction(node)
            else:
                for name, value in node.items():
                    yield from self._with_own_direction(value, otherwise, name)
        elif isinstance(node.value, list):
            for element in node.elements():
                yield from self._with_own_direction(element, otherwise)
        elif node.value and node.value is not True:
            yield from self._with_own_direction(node, otherwise)

    def _has_direction_keys(self, node: Node) -> bool:
        """Whether the keys of a map say who sends: each of them, or at least one for either side."""
        values = [(key, value) for key, value in node.items() if key not in _CONTAINER_NOTES]
        said = [words.read(key, self._perspective) for key, _ in values]
        if not values or any(value.get("direction") is not None for _, value in values):
            return False
        return None not in said or len({directions.directions for directions in said if directions is not None}) > 1

    def _by_direction(self, node: Node) -> Iterator[Described]:
        for key, value in node.items():
            if key in _CONTAINER_NOTES:
                continue
            directions = self.direction(key, value.key_location)
            if directions is None:
                self._not_understood(value)
            else:
                yield from self.messages(value, directions)

    def _with_own_direction(self, node: Node, otherwise: tuple[Direction, ...], name: str = "") -> Iterator[Described]:
        said = node.get("direction")
        directions = None
        if said is not None and isinstance(said.value, str):
            directions = self.direction(said.value, said.location)
        if directions is None:
            self._undirected(name, node, otherwise)
        yield from self.message(node, directions or otherwise, name)

    def messages(self, node: Node, directions: tuple[Direction, ...]) -> Iterator[Described]:
        """Messages of one direction: one alone, a list of them, or a map by name."""
        node = self._inside(node)
        if isinstance(node.value, list):
            for element in node.elements():
                yield from self.message(element, directions)
        elif _is_map(node):
            for name, value in node.items():
                if not name.startswith("x-"):
                    yield from self.message(value, directions, name)
        elif node.value and node.value is not True:
            yield from self.message(node, directions)

    def message(self, node: Node, directions: tuple[Direction, ...], name: str = "") -> Iterator[Described]:
        """One message; a message object whose `content` has several media types becomes one message for each."""
        place = node.key_location
        if isinstance(node.value, str):
            yield from self._named(node, directions, name)
            return
        end = self.documents.follow(node)
        if not _is_message_object(end):
            if schemas.is_schema(node):
                yield Described(directions, node, place, name)
            elif node.value in (None, {}, True) and name:
                yield Described(directions, None, place, name)
            else:
                self._not_understood(node)
            return
        own_name = name or end.text("name") or _type_as_name(end)
        if not own_name and node.reference is not None:
            own_name = schemas.name(self.documents, node)
        payload = end.get("payload") or end.get("schema")
        if payload is not None and isinstance(payload.value, str):
            payload = self._component(payload, payload.value) or payload
        if payload is not None or end.get("content") is None:
            content_type = end.text("contentType") or end.text("content-type")
            schema = payload if payload is not None and schemas.is_schema(payload) else None
            if payload is not None and schema is None:
                self._not_understood(payload)
            yield Described(directions, schema, place, own_name, end, content_type)
            return
        for at, (content_type, schema) in enumerate(media(end.get("content"))):
            own = f"{own_name} {content_type.partition('/')[2]}" if own_name and at else own_name
            yield Described(directions, schema, place, own, end, content_type)

    def _named(self, node: Node, directions: tuple[Direction, ...], name: str) -> Iterator[Described]:
        text = str(node.value)
        schema = self._component(node, text)
        if schema is not None:
            yield Described(directions, schema, node.key_location, name)
        elif name:
            # `ping: keeps the connection open` says what the message is for, and not what it looks like.
            yield Described(directions, None, node.key_location, name)
        else:
            self.unknown(text, node.location, schemas.component_names(self.documents))
            yield Described(directions, None, node.key_location, text)

    def _component(self, node: Node, text: str) -> Node | None:
        """The schema that a text stands for: the name of a component, or a reference written without `$ref`."""
        found = schemas.component(self.documents, text)
        if found is not None:
            return schemas.reference_to(found, node)
        if text.startswith("#/") or text.rpartition(".")[2] in ("json", "yaml", "yml"):
            return Node({"$ref": text}, node.document, node.pointer)
        return None

    def _inside(self, node: Node) -> Node:
        """The value behind a reference, unless that is a schema: those are named by their reference."""
        if node.reference is None:
            return node
        end = self.documents.follow(node)
        return end if _is_map(end) or isinstance(end.value, list) else node

    def _undirected(self, name: str, node: Node, directions: tuple[Direction, ...]) -> None:
        sends = "either side" if directions == words.BOTH else f"the {words.SENDERS[directions[0]]}"
        self._report.add(
            words.DIRECTION_ASSUMED.at(
                node.key_location,
                f"nothing says who sends {f'the message {quoted(name)}' if name else 'this message'}: assumed that "
                f"{sends} may",
                hint="list the message under 'clientMessages' or 'serverMessages'",
            )
        )

    def _not_understood(self, node: Node) -> None:
        written = _KINDS[type(node.value)]
        message = f"this {written} is not a description of a message; a schema or a reference to one was expected"
        self._report.add(MESSAGE_NOT_UNDERSTOOD.at(node.location, message))

    def unknown(self, name: str, location: Location, known: Iterable[str]) -> None:
        """Report a name that nothing has."""
        mapping: dict[str, Json] = dict.fromkeys(known)
        near = nearest(name, mapping)
        hint = f"did you mean {quoted(near)}?" if near is not None else ""
        self._report.add(UNKNOWN_MESSAGE.at(location, f"there is no message {quoted(name)}", hint=hint))


def media(content: Node | None) -> Iterator[tuple[str, Node | None]]:
    """The media types of a `content` map with their schemas; `itemSchema` is that of each message of a stream."""
    for content_type, media_type in content.items() if content is not None else ():
        item = media_type.get("itemSchema")
        streams = content_type.partition(";")[0] in (
            "application/jsonl",
            "application/x-ndjson",
            "application/json-seq",
        )
        yield ("application/json" if item is not None and streams else content_type), item or media_type.get("schema")


def _is_map(node: Node) -> bool:
    """Whether a value maps names to messages."""
    return isinstance(node.value, dict) and not schemas.is_schema(node) and not _is_message_object(node)


def _is_message_object(node: Node) -> bool:
    value = node.value
    if not isinstance(value, dict):
        return False
    if "payload" in value or isinstance(value.get("schema"), dict | str | bool):
        return True
    content = value.get("content")
    if isinstance(content, dict) and all("/" in media_type for media_type in content):
        return True
    if schemas.is_schema(node):
        return False
    return isinstance(value.get("direction"), str) or isinstance(value.get("name"), str) or _type_as_name(node) != ""


def _type_as_name(node: Node) -> str:
    """The `type` of a message object, where it is the name of the message and not a type of JSON Schema."""
    return "" if schemas.is_schema(node) else node.text("type")
