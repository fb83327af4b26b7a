"""The client's side of each channel: views of `client.py` and `sync_client.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.python import literals, naming, parameters, security
from sockspec.python.layout import (
    Code,
    Group,
    assigned,
    call,
    either,
    joined,
    lay,
    signature,
    statement,
    subscript,
    tuple_of,
)
from sockspec.python.messages import Attribute, Messages, as_parameters
from sockspec.python.names import Names, sent_by_client
from sockspec.python.parameters import Parameters
from sockspec.python.types import Types

_ARGUMENTS = {"FromPath": "path_parameters", "FromQuery": "query", "FromHeader": "headers"}
"""The arguments of the runtime's client by where a parameter stands."""
_TIMEOUT = "timeout: float | None = None"
_STUB = " ..."


@dataclass(frozen=True, slots=True)
class Method:
    """A method: the heads that it has for type checkers, its own up to the colon, its docstring and its statement."""

    head: str
    doc: str
    body: str = ""
    overloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """The client's side of a channel."""

    head: str
    doc: str
    heartbeat: str
    """The attribute that declares the heartbeat; empty where there is none."""
    init: Method
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class _Manner:
    """How the methods of a module are called: by `await`, or by calls that wait."""

    define: str = "async def"
    wait: str = "await "


_ASYNC, _SYNC = _Manner(), _Manner("def", "")


class Clients:
    """Writes the clients of one API."""

    def __init__(
        self,
        api: ir.Api,
        names: Names,
        types: Types,
        messages: Messages,
        dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch],
    ) -> None:
        self._api = api
        self._names = names
        self._messages = messages
        self._parameters = Parameters(api, types, messages)
        self._dispatches = dispatches
        self._by_name = {message.name: message for message in api.messages}

    def clients(self) -> tuple[Client, ...]:
        """The client class of each channel."""
        return tuple(
            Client(
                self._head(channel, self._names.clients[channel.name], "Client"),
                literals.docstring(_about(channel), 4),
                self._heartbeat(channel),
                self._init(channel),
                tuple(self._methods(channel, _ASYNC)),
            )
            for channel in self._api.channels
        )

    def sync_clients(self) -> tuple[Client, ...]:
        """The same in calls that wait."""
        return tuple(
            Client(
                self._head(channel, self._names.sync_clients[channel.name], "SyncClient"),
                literals.docstring(_about(channel), 4),
                "",
                self._init_around(channel),
                tuple(self._methods(channel, _SYNC)),
            )
            for channel in self._api.channels
        )

    def _head(self, channel: ir.Channel, name: str, base: str) -> str:
        sides = (ir.Direction.SERVER_TO_CLIENT, ir.Direction.CLIENT_TO_SERVER)
        unions = (
            f"messages.{self._names.unions[channel.name, side]}"
            if (channel.name, side) in self._dispatches
            else "Never"
            for side in sides
        )
        return lay(joined("class ", call(name, subscript(base, *unions)), ":"))

    # --- methods ----------------------------------------------------------------------------------------------------

    def _methods(self, channel: ir.Channel, manner: _Manner) -> Iterable[Method]:
        sent = [
            operation
            for operation in self._api.operations
            if operation.channel == channel.name and operation.direction is ir.Direction.CLIENT_TO_SERVER
        ]
        for method, name, operation in sent_by_client(sent, self._names):
            message = self._by_name[name]
            if operation is not None:
                yield self._request(operation, message, method, manner)
                continue
            doc = message.summary or message.title or message.description or f"Send `{name}`."
            yield self._method(message, method, literals.docstring(literals.first_paragraph(doc), 8), manner)

    def _request(self, operation: ir.Operation, message: ir.Message, method: str, manner: _Manner) -> Method:
        doc = operation.summary or operation.title or operation.description
        text = f"{literals.first_paragraph(doc or f'Send `{message.name}` and wait for the reply.')}\n\n"
        text += "Waits for the reply, `timeout` seconds or as long as the options say."
        return self._method(message, method, literals.docstring(text, 8), manner, operation.reply)

    def _method(
        self, message: ir.Message, method: str, doc: str, manner: _Manner, reply: ir.Reply | None = None
    ) -> Method:
        """A method that sends a message, which is given as it is or by its fields."""
        attributes = self._messages.attributes(message, request=reply is not None)
        kind = f"messages.{self._names.messages[message.name]}"
        returns: Code = "None" if reply is None else self._union_of(reply)
        limit = () if reply is None else (_TIMEOUT,)
        define = f"{manner.define} {method}"
        if not isinstance(message.payload.type, ir.Record):
            annotation = either(kind, attributes[0].annotation)
            given: tuple[Code, ...] = ("self", joined("payload: ", annotation), *(("*", *limit) if limit else ()))
            value: Code = call("payload_of", kind, "payload")
            return Method(signature(define, given, returns, 4), doc, _call(value, reply, self._names, manner))
        whole = f"message: {kind}"
        either_way = f"message: {kind} | None = None"
        if not attributes:
            given = ("self", either_way, "/", *(("*", *limit) if limit else ()))
            body = _call(f"message or {kind}()", reply, self._names, manner)
            return Method(signature(define, given, returns, 4), doc, body)
        heads: tuple[tuple[Code, ...], ...] = (
            ("self", whole, "/", *(("*", *limit) if limit else ())),
            ("self", "/", "*", *as_parameters(attributes), *limit),
        )
        overloads = tuple(signature(define, head, returns, 4, room=len(_STUB)) + _STUB for head in heads)
        given = ("self", either_way, "/", *(("*", *limit) if limit else ()), "**fields: Any")
        value = call("message_of", kind, "message", "fields", *_filled(attributes))
        head = signature(define, given, returns, 4)
        return Method(head, doc, _call(value, reply, self._names, manner), overloads)

    def _union_of(self, reply: ir.Reply) -> Code:
        return either(*(f"messages.{self._names.messages[name]}" for name in reply.messages))

    # --- making one -------------------------------------------------------------------------------------------------

    def _heartbeat(self, channel: ir.Channel) -> str:
        beat = channel.heartbeat
        if beat is None:
            return ""
        return statement("heartbeat", None, heartbeat(beat, self._names, self._by_name), 4)

    def _init(self, channel: ir.Channel) -> Method:
        groups: dict[str, list[Code]] = {"path_parameters": [], "variables": [], "query": [], "headers": []}
        declared = {one.wire_name for one in channel.parameters}
        for one, _, _ in self._parameters.arguments(channel):
            wire_name = one.parameter.wire_name
            of_server = one.source in ("", "FromPath") and wire_name not in declared
            group = "variables" if of_server else _ARGUMENTS[one.source]
            groups[group].append(f"{literals.string(wire_name)}: {one.name}")
        address = literals.string(channel.address) if channel.address is not None else "address"
        arguments: list[Code] = ["url", assigned("path", address)]
        arguments += [assigned(word, Group("{", tuple(entries), "}")) for word, entries in groups.items() if entries]
        for keyword, side in (("incoming", ir.Direction.SERVER_TO_CLIENT), ("outgoing", ir.Direction.CLIENT_TO_SERVER)):
            arguments.append(assigned(keyword, f"codecs.{self._names.codecs[channel.name, side]}"))
        asked = self._asked(channel)
        if any(one.name == "token" for one in asked):
            arguments.append("token=token")
        placed = tuple(one.argument for one in asked if one.argument)
        if placed:
            arguments.append(assigned("credentials", tuple_of(placed)))
        if channel.subprotocols:
            arguments.append(assigned("subprotocols", tuple_of(map(literals.string, channel.subprotocols))))
        arguments.append("options=options")
        return Method(self._constructor(channel), "", lay(call("super().__init__", *arguments), 8))

    def _init_around(self, channel: ir.Channel) -> Method:
        """The constructor of a client around the asyncio one."""
        names = [one.name for one, _, _ in self._parameters.arguments(channel)]
        names += ["address"] if channel.address is None else []
        names += ["url", *(one.name for one in self._asked(channel)), "options"]
        inner = call(f"client.{self._names.clients[channel.name]}", *(f"{name}={name}" for name in names))
        return Method(self._constructor(channel), "", lay(call("super().__init__", inner), 8))

    def _constructor(self, channel: ir.Channel) -> str:
        needed: list[Code] = []
        optional: list[Code] = []
        for one, annotation, default in self._parameters.arguments(channel):
            parameter = joined(f"{one.name}: ", annotation, f" = {default}" if default else "")
            (optional if default else needed).append(parameter)
        if channel.address is None:
            needed.append("address: str")
        server = parameters.server_of(self._api, channel)
        url: Code = f"url: str = {literals.string(server.url)}" if server is not None else "url: str"
        (optional if server is not None else needed).append(url)
        optional += [f"{one.name}: {one.annotation} = {one.default}" for one in self._asked(channel)]
        optional.append("options: ClientOptions | None = None")
        return signature("def __init__", ("self", "*", *needed, *optional), "None", 4)

    def _asked(self, channel: ir.Channel) -> tuple[security.Asked, ...]:
        taken = [one.name for one, _, _ in self._parameters.arguments(channel)]
        return security.asked(self._api, channel, taken)


def heartbeat(beat: ir.Heartbeat, names: Names, by_name: Mapping[str, ir.Message]) -> Code:
    """The runtime's heartbeat."""
    ids = by_name[beat.ping].correlation
    return call(
        "Heartbeat",
        f"messages.{names.messages[beat.ping]}",
        f"messages.{names.messages[beat.pong]}",
        f"interval={beat.interval!r}",
        f"timeout={beat.timeout!r}",
        *(
            [assigned("identifiers", tuple_of((literals.string(naming.attribute_name(ids[0])),)))]
            if len(ids) == 1
            else []
        ),
    )


def _call(value: Code, reply: ir.Reply | None, names: Names, manner: _Manner) -> str:
    if reply is None:
        return lay(joined(manner.wait, call("self.send", value)), 8)
    replies = tuple_of(f"messages.{names.messages[name]}" for name in reply.messages)
    return lay(joined("return ", manner.wait, call("self.request", value, replies, "timeout=timeout")), 8)


def _filled(attributes: Iterable[Attribute]) -> Iterable[Code]:
    for keyword, function in (("timestamps", "stamped("), ("identifiers", "identified(")):
        members = tuple(literals.string(a.member) for a in attributes if a.argument.startswith(function))
        if members:
            yield assigned(keyword, tuple_of(members))


def _about(channel: ir.Channel) -> str:
    return channel.description or channel.summary or f"A connection to {channel.address or channel.name}."
