"""The server's side of each channel: view of `server.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.python import close_codes, literals, naming, parameters, security
from sockspec.python.clients import heartbeat
from sockspec.python.close_codes import CloseCodes
from sockspec.python.layout import (
    Code,
    Group,
    assigned,
    call,
    either,
    exploded,
    joined,
    lay,
    signature,
    statement,
    subscript,
    tuple_of,
)
from sockspec.python.messages import Attribute, Messages, as_parameters
from sockspec.python.names import Names, sent_by_server
from sockspec.python.parameters import Class, Parameters
from sockspec.python.types import Types

_VERIFYING = {
    True: "Return who that is, or raise `Refused` to turn the client away.",
    False: "Return who that is, None where there are no such credentials, or raise `Refused`.",
}


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its head up to the colon, its docstring, and its body as one statement."""

    head: str
    doc: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """The server's side of a channel."""

    head: str
    doc: str
    parameters: Class | None
    annotation: str
    """The declaration of the member `parameters`; empty where there are none."""
    close_codes: CloseCodes | None
    """The close codes of the document; None where it declares none."""
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """The server of an API."""

    name: str
    doc: str
    routes: str
    error_message: str
    handlers: tuple[Method, ...]
    hooks: tuple[Method, ...]
    base: str
    """The class that it derives from."""
    attributes: tuple[str, ...]
    """What the document declares beside the routes."""
    verifiers: tuple[Method, ...]
    """The methods that verify credentials."""


class Endpoints:
    """Writes both sides of the channels of one API."""

    def __init__(
        self,
        api: ir.Api,
        names: Names,
        types: Types,
        messages: Messages,
        dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch],
        *,
        generic: bool = True,
    ) -> None:
        """`generic` leaves the class of principals to the application."""
        self._generic = generic
        self._api = api
        self._names = names
        self._types = types
        self._messages = messages
        self._dispatches = dispatches
        self._parameters = Parameters(api, types, messages)
        self._by_name = {message.name: message for message in api.messages}
        self._schemes = security.used(api)
        self._operations: dict[str, list[ir.Operation]] = {}
        for operation in api.operations:
            if operation.messages:
                self._operations.setdefault(operation.channel, []).append(operation)

    # --- server -----------------------------------------------------------------------------------------------------

    def connections(self) -> tuple[Connection, ...]:
        """The connection class of each channel."""
        return tuple(self._connection(channel) for channel in self._api.channels)

    def server(self) -> Server:
        """The server class."""
        handlers = [
            self._handler(channel, operation)
            for channel in self._api.channels
            for operation in self._sent(channel, ir.Direction.CLIENT_TO_SERVER)
        ]
        routes = Group("(", tuple(self._route(channel) for channel in self._api.channels), ")")
        error = next((self._names.messages[m.name] for m in self._api.messages if m.is_error), None)
        return Server(
            self._names.server,
            literals.docstring(_about(self._api), 4),
            "routes = " + exploded(routes, 4),
            f"messages.{error}" if error is not None else "",
            tuple(handlers),
            tuple(hook for channel in self._api.channels for hook in self._hooks(channel)),
            "Server[P]" if self._schemes else "Server",
            tuple(self._attributes()),
            tuple(self._verifier(scheme) for scheme in self._schemes),
        )

    def has_parameters(self, channel: ir.Channel) -> bool:
        """Whether the handshake of a channel has parameters that the server sees."""
        return any(one.source for one in parameters.placed(self._api, channel))

    def _sent(self, channel: ir.Channel, direction: ir.Direction) -> list[ir.Operation]:
        return [o for o in self._operations.get(channel.name, ()) if o.direction is direction]

    def _connection(self, channel: ir.Channel) -> Connection:
        name = self._names.parameters[channel.name]
        model = self._parameters.model(channel, name)
        union = self._union(channel, ir.Direction.SERVER_TO_CLIENT)
        base = subscript("Connection", union, "P") if self._schemes else subscript("Connection", union)
        doc = channel.description or channel.summary or f"A client's connection to {channel.address or channel.name}."
        return Connection(
            lay(joined("class ", call(self._names.connections[channel.name], base), ":")),
            literals.docstring(doc, 4),
            model,
            f"parameters: {name}" if model is not None else "",
            close_codes.view(channel, self._names.close_codes[channel.name]) if channel.close_codes else None,
            tuple(self._sends(channel)),
        )

    def _union(self, channel: ir.Channel, side: ir.Direction) -> str:
        key = (channel.name, side)
        return f"messages.{self._names.unions[key]}" if key in self._dispatches else "Never"

    def _sends(self, channel: ir.Channel) -> list[Method]:
        """A method for each message that the server sends of itself."""
        sent = self._sent(channel, ir.Direction.SERVER_TO_CLIENT)
        found = []
        for name, method in sent_by_server(sent, self._names).items():
            message = self._by_name[name]
            attributes = self._messages.attributes(message)
            doc = message.summary or message.title or message.description or f"Send `{name}`."
            body = lay(joined("await ", call("self.send", self._construct(message, attributes))), 8)
            found.append(
                Method(_head(method, attributes, "None"), literals.docstring(literals.first_paragraph(doc), 8), body)
            )
        return found

    def _construct(self, message: ir.Message, attributes: list[Attribute]) -> Code:
        bare = not isinstance(message.payload.type, ir.Record)
        arguments = [a.argument if bare else f"{a.member}={a.argument}" for a in attributes]
        return call(f"messages.{self._names.messages[message.name]}", *arguments)

    def _handler(self, channel: ir.Channel, operation: ir.Operation) -> Method:
        parameters: tuple[Code, ...] = (
            "self",
            f"connection: {self._connection_of(channel)}",
            joined("message: ", self._messages.union(operation, "messages.")),
        )
        said = [operation.summary or operation.title, operation.description]
        doc = "\n\n".join(text for text in said if text) or f"The client sent `{operation.name}`."
        returns = "None" if operation.reply is None else self._replies(operation.reply)
        head = signature(f"async def {self._names.handlers[operation.name]}", parameters, returns, 4)
        return Method(head, literals.docstring(doc, 8))

    def _replies(self, reply: ir.Reply) -> Code:
        return either(*(f"messages.{self._names.messages[name]}" for name in reply.messages))

    def _route(self, channel: ir.Channel) -> Code:
        handlers: list[Code] = []
        handled: set[str] = set()
        for operation in self._sent(channel, ir.Direction.CLIENT_TO_SERVER):
            handler = self._handler_of(operation)
            for name in operation.messages:
                if name not in handled:
                    handled.add(name)
                    key = f"messages.{self._names.messages[name]}"
                    handlers.append(joined(f"{key}: ", handler))
        handlers += self._heartbeats(channel)
        opened, closed = self._names.hooks[channel.name]
        arguments: list[Code] = [
            assigned("path", literals.string(parameters.route_path(self._api, channel))),
            assigned("connection", self._names.connections[channel.name]),
            assigned("incoming", f"codecs.{self._names.codecs[channel.name, ir.Direction.CLIENT_TO_SERVER]}"),
            assigned("outgoing", f"codecs.{self._names.codecs[channel.name, ir.Direction.SERVER_TO_CLIENT]}"),
            assigned("handlers", Group("{", tuple(handlers), "}")),
            assigned("opened", literals.string(opened)),
            assigned("closed", literals.string(closed)),
        ]
        if self.has_parameters(channel):
            arguments.append(assigned("parameters", self._names.parameters[channel.name]))
        if channel.subprotocols:
            arguments.append(assigned("subprotocols", tuple_of(map(literals.string, channel.subprotocols))))
        if channel.close_codes:
            codes = self._names.close_codes[channel.name]
            arguments.append(assigned("close_codes", f"tuple({codes})"))
            closing = close_codes.closing(channel, codes)
            if closing:
                arguments.append(assigned("closing", closing))
        needed = security.connecting(self._api, channel)
        if needed:
            arguments.append(assigned("security", security.requirements(needed)))
        if channel.limits:
            arguments.append(assigned("limits", _limits((*self._api.limits, *channel.limits))))
            counted = [naming.attribute_name(name) for name, _ in channel.limits if name in ir.COUNTING_LIMITS]
            if counted:
                arguments.append(assigned("counted", tuple_of(map(literals.string, counted))))
        if channel.heartbeat is not None:
            arguments.append(assigned("heartbeat", heartbeat(channel.heartbeat, self._names, self._by_name)))
        return call("Route", *arguments)

    def _heartbeats(self, channel: ir.Channel) -> Iterator[Code]:
        """The handlers of the runtime for what clients send of the heartbeat."""
        beat = channel.heartbeat
        if beat is None:
            return
        is_asked = beat.sender is ir.Direction.CLIENT_TO_SERVER
        name, method = (beat.ping, "answer_heartbeat") if is_asked else (beat.pong, "hear_heartbeat")
        yield f"messages.{self._names.messages[name]}: Handler({literals.string(method)}, own=True)"

    def _handler_of(self, operation: ir.Operation) -> Code:
        method = self._names.handlers[operation.name]
        arguments: list[Code] = [literals.string(method)]
        if operation.reply is not None:
            arguments.append("replies=True")
        if operation.security:
            arguments.append(assigned("security", security.requirements(operation.security)))
        if operation.concurrent:
            arguments.append("concurrent=True")
        return call("Handler", *arguments)

    def _attributes(self) -> Iterator[str]:
        if self._schemes:
            found = [
                security.scheme(scheme.name, self._names.verifiers[scheme.name], security.credentials(scheme))
                for scheme in self._schemes
            ]
            items = [joined(found[0], ",")] if len(found) == 1 else found
            yield "schemes = " + lay(Group("(", tuple(items), ")", comma=len(found) > 1), 4, room=10)
        if self._api.limits:
            yield statement("limits", None, _limits(self._api.limits), 4)

    def _verifier(self, scheme: ir.SecurityScheme) -> Method:
        models = [
            self._names.parameters[channel.name] if self.has_parameters(channel) else "None"
            for channel in self._api.channels
        ]
        union = either(*dict.fromkeys(sorted(models, key=lambda name: name == "None")))
        found = security.credentials(scheme)
        handshake = joined("handshake: ", subscript("Handshake", union))
        # What only the application can look for may not be there.
        principal = "P" if self._generic else "Principal"
        returns: Code = principal if found.parameters else either(principal, "None")
        name = self._names.verifiers[scheme.name]
        head = signature(f"async def {name}", ("self", *found.parameters, handshake), returns, 4)
        doc = scheme.description.strip() or f"Credentials of the scheme `{scheme.name}`."
        return Method(head, literals.docstring(f"{doc}\n\n{_VERIFYING[bool(found.parameters)]}", 8))

    def _connection_of(self, channel: ir.Channel) -> str:
        name = self._names.connections[channel.name]
        return f"{name}[P]" if self._schemes and self._generic else name

    def _hooks(self, channel: ir.Channel) -> list[Method]:
        connection = f"connection: {self._connection_of(channel)}"
        where = channel.address or channel.name
        return [
            Method(
                signature(f"async def {name}", ("self", connection), "None", 4),
                literals.docstring(f"A client {what} {where}.", 8),
            )
            for name, what in zip(self._names.hooks[channel.name], ("connected to", "left"), strict=True)
        ]


def _head(name: str, attributes: list[Attribute], returns: Code) -> str:
    given = as_parameters(attributes)
    parameters: tuple[Code, ...] = ("self", *(("*",) if given else ()), *given)
    if len(attributes) == 1 and attributes[0].name == "payload" and not attributes[0].default:
        parameters = ("self", *given)
    return signature(f"async def {name}", parameters, returns, 4)


def _about(api: ir.Api) -> str:
    return f"{api.title} {api.version}\n\n{api.description}".strip()


def _limits(limits: ir.ServiceLimits) -> Code:
    return call("Limits", *(f"{naming.attribute_name(name)}={value!r}" for name, value in dict(limits).items()))
