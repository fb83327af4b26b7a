"""The names that a package gives to everything that the API has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.python import naming

SIDES = {ir.Direction.CLIENT_TO_SERVER: "client", ir.Direction.SERVER_TO_CLIENT: "server"}
"""Who sends, as part of a name."""

_SERVER_RESERVED = set(
    """run serve asgi application routes schemes limits error_message page authorize node group principal everybody
    member_joined member_left answer_heartbeat hear_heartbeat""".split()
)
_CONNECTION_RESERVED = set(
    """answer_heartbeat send send_problem send_frame post close finish ended renew on_renewal is_open dropped groups
    identity principal parameters query headers handshake subprotocol id""".split()
)
_CLIENT_RESERVED = set(
    """send request receive wait_for unsent ending on once off on_problem on_unknown on_state on_recovery on_connect dial_by
    close connect state resumed url options error_message heartbeat client""".split()
)
_PUBLISHER_RESERVED = set("basic close endpoint message_of payload_of property publish".split())


@dataclass(frozen=True, slots=True)
class Names:
    """Names of Python by the names of the API."""

    server: str
    messages: Mapping[str, str]
    definitions: Mapping[str, str]
    connections: Mapping[str, str]
    parameters: Mapping[str, str]
    """The class of what a client says when it connects to a channel."""
    clients: Mapping[str, str]
    sync_clients: Mapping[str, str]
    unions: Mapping[tuple[str, ir.Direction], str]
    """The alias for all that one side may send on a channel."""
    codecs: Mapping[tuple[str, ir.Direction], str]
    handlers: Mapping[str, str]
    """The method of the server for an operation of the client."""
    operations: Mapping[str, str]
    """The alias for the messages of an operation."""
    verifiers: Mapping[str, str]
    """The method of the server that verifies the credentials of a security scheme."""
    close_codes: Mapping[str, str]
    """The enumeration of the close codes of a channel that has some."""
    hooks: Mapping[str, tuple[str, str]]
    """The methods that the server calls when a channel's connection opens and closes."""
    publisher: str
    sync_publisher: str
    published: Mapping[str, str]
    """The property of the publishers for a channel."""


def give(api: ir.Api) -> Names:
    """The names of a package: messages first, so that nothing else in the document renames them."""
    classes = naming.Scope(naming.CLASS_RESERVED)
    messages = {m.name: classes.claim(m.name_hint or naming.class_name(m.name)) for m in api.messages}
    one_class = {m.name for m in api.messages if dispatch.is_one_class(m)}
    definitions = {
        d.name: messages[d.name]
        if d.name in one_class
        else classes.claim(naming.class_name(d.name), naming.class_name(d.name) + "Data")
        for d in api.definitions
    }
    channels = {c.name: naming.class_name(c.name) for c in api.channels}
    connections = {name: classes.claim(f"{words}Connection") for name, words in channels.items()}
    parameters = {name: classes.claim(f"{words}Parameters") for name, words in channels.items()}
    clients = {name: classes.claim(_ending(words, "Client")) for name, words in channels.items()}
    sync_clients = {name: classes.claim(f"Sync{client}") for name, client in clients.items()}
    server = classes.claim(_ending(naming.class_name(api.title), "Server"))
    unions = {
        (name, side): classes.claim(f"{words}From{SIDES[side].title()}")
        for name, words in channels.items()
        for side in ir.Direction
    }
    constants, handlers, published = naming.Scope(), server_scope(), publisher_scope()
    codecs = {
        (name, side): constants.claim(naming.member_name(f"{name} from {SIDES[side]}"))
        for name in channels
        for side in ir.Direction
    }
    called = {
        o.name: handlers.claim(o.name_hint or naming.attribute_name(o.name))
        for o in api.operations
        if o.direction is ir.Direction.CLIENT_TO_SERVER
    }
    verifiers = {s.name: handlers.claim(f"verify_{naming.attribute_name(s.name)}") for s in api.security_schemes}
    hooks = {}
    for name in channels:
        stem = naming.attribute_name(name)
        hooks[name] = (handlers.claim(f"{stem}_opened"), handlers.claim(f"{stem}_closed"))
    operations = {o.name: classes.claim(f"{naming.class_name(o.name)}Message") for o in api.operations}
    codes = {c.name: classes.claim(f"{channels[c.name]}CloseCode") for c in api.channels if c.close_codes}
    classes.take("SyncPublisher")  # the class of the runtime, beside which ours stands
    publisher = classes.claim(_ending(naming.class_name(api.title), "Publisher"))
    sync_publisher = classes.claim(f"Sync{publisher}")
    return Names(
        server,
        messages,
        definitions,
        connections,
        parameters,
        clients,
        sync_clients,
        unions,
        codecs,
        called,
        operations,
        verifiers,
        codes,
        hooks,
        publisher,
        sync_publisher,
        {name: published.claim(naming.attribute_name(name)) for name in channels},
    )


def connection_scope() -> naming.Scope:
    """A scope for the methods and properties of a connection on the server."""
    return naming.Scope({*naming.METHOD_RESERVED, *_CONNECTION_RESERVED})


def server_scope() -> naming.Scope:
    """A scope for the methods of a server."""
    return naming.Scope({*naming.METHOD_RESERVED, *_SERVER_RESERVED})


def publisher_scope() -> naming.Scope:
    """A scope for the properties of a publisher."""
    return naming.Scope({*naming.METHOD_RESERVED, *_PUBLISHER_RESERVED})


def client_scope() -> naming.Scope:
    """A scope for the methods of a client."""
    return naming.Scope({*naming.METHOD_RESERVED, *_CLIENT_RESERVED})


def send_method(message: str) -> str:
    """`ChatPosted` as `send_chat_posted`, `SendMessage` as `send_message`."""
    words = naming.attribute_name(message)
    return words if words.startswith("send_") else f"send_{words}"


def sent_by_server(operations: Iterable[ir.Operation], given: Names) -> dict[str, str]:
    """The methods of a connection by the messages that they send, for the operations of the server on a channel."""
    scope = connection_scope()
    sent = dict.fromkeys(name for operation in operations for name in operation.messages)
    return {name: scope.claim(send_method(given.messages[name])) for name in sent}


def sent_by_client(operations: Iterable[ir.Operation], given: Names) -> list[tuple[str, str, ir.Operation | None]]:
    """The methods of a client: name, message, and the operation where the method waits for its reply.

    `operations` are those of clients on a channel.
    """
    scope, sent = client_scope(), list(operations)
    plain = dict.fromkeys(name for operation in sent if operation.reply is None for name in operation.messages)
    found: list[tuple[str, str, ir.Operation | None]] = [
        (scope.claim(send_method(given.messages[name])), name, None) for name in plain
    ]
    for operation in sent:
        for name in operation.messages if operation.reply is not None else ():
            wanted = operation.name if len(operation.messages) == 1 else given.messages[name]
            found.append((scope.claim(naming.attribute_name(wanted)), name, operation))
    return found


def _ending(words: str, ending: str) -> str:
    """A name with that ending, which is not the ending alone: the class of the runtime is called so."""
    stem = words[:-3] if words[-3:].lower() == "api" and len(words) > 3 else words
    return stem if stem.endswith(ending) and stem != ending else f"{stem}{ending}"
