"""The API that a document describes, as values.

No word here belongs to one specification or to one target language: a direction says who sends, a wire name is what
travels, and every value knows its place in the document. Front ends make these values; views read them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sockspec.diagnostics import Location


class Direction(enum.Enum):
    """Who sends."""

    CLIENT_TO_SERVER = "client-to-server"
    SERVER_TO_CLIENT = "server-to-client"


# --- types -----------------------------------------------------------------------------------------------------------


class Kind(enum.Enum):
    """What a scalar is. The kinds after NULL are strings on the wire."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    BYTES = "bytes"
    DATE_TIME = "date-time"
    DATE = "date"
    TIME = "time"
    UUID = "uuid"
    DECIMAL = "decimal"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a value, as JSON Schema words them; None where there is no bound."""

    minimum: float | int | None = None
    maximum: float | int | None = None
    exclusive_minimum: float | int | None = None
    exclusive_maximum: float | int | None = None
    multiple_of: float | int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value within limits."""

    kind: Kind
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Constant:
    """One of the listed values: `const`, or an `enum` without a name of its own."""

    values: tuple[str | int | float | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """Any number of items of one type."""

    item: Type
    min_items: int | None = None
    max_items: int | None = None


@dataclass(frozen=True, slots=True)
class Tuple:
    """These items, told apart by position, and after them any number of `rest`; none where that is None."""

    items: tuple[Type, ...]
    rest: Type | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose keys are data."""

    value: Type
    min_properties: int | None = None
    max_properties: int | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """The definition of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types. `tag` is the wire name of the property whose constant tells records apart."""

    members: tuple[Type, ...]
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Nullable:
    """The type, or null."""

    of: Type


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value."""


Type = Scalar | Constant | Array | Tuple | Map | Ref | Union | Nullable | Anything


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A keyword of a schema that the types leave out, so that the validator has to judge it."""

    keyword: str
    location: Location


@dataclass(frozen=True, slots=True)
class Field:
    """A property of a record."""

    wire_name: str
    type: Type
    required: bool
    location: Location
    description: str = ""
    default: object = None
    has_default: bool = False
    deprecated: bool = False
    name_hint: str = ""
    """The identifier that the document asks for (`x-python-name`)."""
    access: str = ""
    """`read-only` for what only the server sets, `write-only` for what only clients send; it judges nothing."""


@dataclass(frozen=True, slots=True)
class Record:
    """An object with named properties. `closed` means that no other property is allowed."""

    name: str
    fields: tuple[Field, ...]
    location: Location
    closed: bool = False
    title: str = ""
    description: str = ""
    deprecated: bool = False
    unsaid: tuple[Unsaid, ...] = ()
    extra: Type | None = None
    """The type of the values of all other properties, where the schema says something of them."""


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A named set of strings."""

    name: str
    values: tuple[str, ...]
    location: Location
    title: str = ""
    description: str = ""
    descriptions: tuple[str, ...] = ()
    """What each value means, in the order of `values`; empty where the document does not say."""
    names: tuple[str, ...] = ()
    """What each value is to be called (`x-enum-varnames`), likewise."""
    unsaid: tuple[Unsaid, ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a type that is neither a record nor an enumeration."""

    name: str
    type: Type
    location: Location
    title: str = ""
    description: str = ""
    unsaid: tuple[Unsaid, ...] = ()


Definition = Record | Enumeration | Alias

# --- messages and channels ------------------------------------------------------------------------------------------


class Content(enum.Enum):
    """How a payload travels: as JSON text, as text that is not JSON, or as a binary frame."""

    JSON = "json"
    TEXT = "text"
    BINARY = "binary"


class Lane(enum.Enum):
    """Who gives the verdict on a payload: the typed decoder alone, or the validator after it."""

    TYPED = "typed"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class Payload:
    """What a message carries, as a type and as the schema that judges it."""

    type: Type | Record
    """A record where the message is an object with properties of its own."""
    schema: str = ""
    """Pointer into `Api.schemas`, for example `#/definitions/Join`; empty where anything is allowed."""
    content: Content = Content.JSON
    unsaid: tuple[Unsaid, ...] = ()
    definition: str = ""
    """Name of the definition that the payload is, where the document refers to one."""


@dataclass(frozen=True, slots=True)
class Example:
    """A payload that the document shows."""

    payload: object
    location: Location
    name: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Something that one side sends."""

    name: str
    payload: Payload
    location: Location
    title: str = ""
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    correlation: tuple[str, ...] = ()
    """Wire names from the payload's root to the value that a reply repeats; empty where there is none."""
    examples: tuple[Example, ...] = ()
    is_error: bool = False
    """Whether the document means it as the standard error message."""
    name_hint: str = ""
    lane: Lane = Lane.CHECKED
    lane_reasons: tuple[Unsaid, ...] = ()
    """Why the typed decoder alone cannot give the verdict; empty in the typed lane."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the handshake: a part of the path, a query parameter, a header, or a server variable."""

    wire_name: str
    type: Type
    location: Location
    required: bool = True
    description: str = ""
    default: str | None = None
    values: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """A way to authenticate. `type` and the details are the field's terms: http/bearer, apiKey/query, oauth2 …"""

    name: str
    type: str
    location: Location
    scheme: str = ""
    parameter_name: str = ""
    parameter_in: str = ""
    bearer_format: str = ""
    scopes: tuple[tuple[str, str], ...] = ()
    """Scope and what it allows."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One scheme, with the scopes that it must grant."""

    scheme: str
    scopes: tuple[str, ...] = ()


Security = tuple[tuple[Requirement, ...], ...]
"""Alternatives; all requirements of one alternative hold together. No alternative at all means no authentication."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API is served. `url` is `ws(s)://host/path`, with `{variables}` and without a trailing slash."""

    name: str
    url: str
    location: Location
    variables: tuple[Parameter, ...] = ()
    security: Security = ()
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class CloseCode:
    """A close code that the document gives a meaning (RFC 6455, section 7.4)."""

    code: int
    meaning: str
    problem: str = ""
    """The type of the problem that connections are closed for with this code; empty where the document names none."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Messages by which one side asks whether the other one is there, and is told so. Times are in seconds."""

    ping: str
    """The message that asks, by its name."""
    pong: str
    """The message that answers."""
    interval: float
    timeout: float
    location: Location
    sender: Direction | None = None
    """Who asks; None until it is known that the heartbeat fits its channel."""


ServiceLimits = tuple[tuple[str, int | float], ...]
"""What the server puts up with, by names such as `maxMessage`; sizes in bytes, times and rates in seconds."""

COUNTING_LIMITS = (
    *("maxConnections", "maxSockets", "maxConnectionsPerPrincipal", "maxConnectionsPerAddress"),
    *("connectionsPerSecond", "connectionBurst"),
)
"""Those that count the connections of many clients: to the endpoint that they are declared for, or to all others."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One WebSocket endpoint. A connection to it carries the messages of all its operations."""

    name: str
    address: str | None
    """Path below the server's URL, beginning with `/`, with `{parameters}`; None where it is known at run time only."""
    location: Location
    title: str = ""
    summary: str = ""
    description: str = ""
    servers: tuple[str, ...] = ()
    """Names of the servers that have it."""
    parameters: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    subprotocols: tuple[str, ...] = ()
    close_codes: tuple[CloseCode, ...] = ()
    security: Security = ()
    """What the handshake needs beside what the server asks for."""
    limits: ServiceLimits = ()
    """What the document says of this endpoint alone."""
    heartbeat: Heartbeat | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers an operation, by names of messages."""

    messages: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that one side does on a channel by sending one of some messages."""

    name: str
    direction: Direction
    channel: str
    messages: tuple[str, ...]
    """Names of messages of the API."""
    location: Location
    reply: Reply | None = None
    title: str = ""
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    security: Security = ()
    name_hint: str = ""
    concurrent: bool = False
    """Whether the next message may be handled while one of these still is."""


@dataclass(frozen=True, slots=True)
class Api:
    """Everything that a document says of its WebSocket API."""

    title: str
    version: str
    location: Location
    summary: str = ""
    description: str = ""
    perspective: str = ""
    """What was assumed of the document's point of view: `server`, `client`, or empty where it cannot be mistaken."""
    servers: tuple[Server, ...] = ()
    security_schemes: tuple[SecurityScheme, ...] = ()
    channels: tuple[Channel, ...] = ()
    operations: tuple[Operation, ...] = ()
    messages: tuple[Message, ...] = ()
    definitions: tuple[Definition, ...] = ()
    schemas: Mapping[str, object] = field(default_factory=dict[str, object])
    """One JSON Schema document that holds, by name, the schema of every message (see `Payload.schema`)."""
    schema_place: Callable[[str], Location] | None = field(default=None, compare=False, repr=False)
    """Where the part of `schemas` at a pointer such as `#/definitions/Join/required` was written, as far as is known."""
    limits: ServiceLimits = ()

    def message(self, name: str) -> Message:
        """The message of that name; KeyError where there is none."""
        for message in self.messages:
            if message.name == name:
                return message
        raise KeyError(name)

    def messages_of(self, channel: Channel, direction: Direction) -> tuple[Message, ...]:
        """What one side may send on a channel, replies among it, in the order of the document."""
        names: dict[str, None] = {}
        for operation in self.operations:
            if operation.channel != channel.name:
                continue
            if operation.direction is direction:
                names.update(dict.fromkeys(operation.messages))
            elif operation.reply is not None:
                names.update(dict.fromkeys(operation.reply.messages))
        return tuple(message for message in self.messages if message.name in names)
