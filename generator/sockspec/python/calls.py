"""Programs that use the clients of a package, as its documentation shows them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sockspec import ir
from sockspec.analysis import defaults, heartbeats, walk
from sockspec.python import literals, parameters, security
from sockspec.python.layout import Code, Group, assigned, call, joined, lay
from sockspec.python.messages import Messages, enumeration_members, record_members
from sockspec.python.names import sent_by_client
from sockspec.python.prepared import prepare

Payloads = Callable[[ir.Message], list[object]]
"""A valid payload of a message; nothing where there is none."""

_MOST_CALLS = 2
"""Messages that a program sends before it listens."""
_MOST_TRIED = 8
_LONGEST = 400
_WIDEST = 72
"""Characters of a call that is worth showing, in all and in a line."""
_DEEPEST = 12
_NOWHERE = "ws://127.0.0.1:8765"
_READERS: Mapping[ir.Kind, tuple[str, Callable[[str], object]]] = {
    ir.Kind.UUID: ("UUID", UUID),
    ir.Kind.DECIMAL: ("Decimal", Decimal),
    ir.Kind.DATE_TIME: ("dt.datetime.fromisoformat", dt.datetime.fromisoformat),
    ir.Kind.DATE: ("dt.date.fromisoformat", dt.date.fromisoformat),
    ir.Kind.TIME: ("dt.time.fromisoformat", dt.time.fromisoformat),
}
"""What makes a value of its text, in a program and here."""
_IMPORTS = (
    (r"\bdt\.", "import datetime as dt"),
    (r"\bDecimal\(", "from decimal import Decimal"),
    (r"\bUUID\(", "from uuid import UUID"),
)


class Unwritable(ValueError):
    """A value that has no short expression in Python."""


@dataclass(frozen=True, slots=True)
class Program:
    """The same program twice: with asyncio, and with calls that wait."""

    asynchronous: str
    waiting: str


@dataclass(frozen=True, slots=True)
class _Call:
    """What a program sends: the method with its arguments, and whether there is a reply."""

    code: Group
    is_request: bool


class Programs:
    """Writes programs for the clients of one API, as users of the package `package` would."""

    def __init__(self, api: ir.Api, package: str, payloads: Payloads) -> None:
        self._prepared = prepare(api)
        self._api = self._prepared.api
        self._package = package
        self._payloads = payloads
        self._definitions = self._prepared.types.definitions
        self._members = Messages(
            self._api, self._prepared.names, self._prepared.types, self._prepared.dispatches
        ).attributes
        self._messages = {message.name: message for message in self._api.messages}
        self._operations: dict[str, list[ir.Operation]] = {}
        for operation in heartbeats.handed_over(self._api).operations:
            if operation.direction is ir.Direction.CLIENT_TO_SERVER:
                self._operations.setdefault(operation.channel, []).append(operation)

    def program(self, channel: str) -> Program:
        """A program that connects to a channel, sends what it can, and listens."""
        found = next(one for one in self._api.channels if one.name == channel)
        calls = tuple(self._calls(found))
        listens = (channel, ir.Direction.SERVER_TO_CLIENT) in self._prepared.dispatches
        arguments = tuple(self._arguments(found))
        names = self._prepared.names
        return Program(
            self._async(names.clients[channel], arguments, calls, listens=listens),
            self._sync(names.sync_clients[channel], arguments, calls, listens=listens),
        )

    def _async(self, client: str, arguments: tuple[Code, ...], calls: tuple[_Call, ...], *, listens: bool) -> str:
        head = lay(joined("async with ", call(client, *arguments), " as client:"), 4)
        body = [
            *(lay(joined("reply = await " if c.is_request else "await ", c.code), 8) for c in calls),
            *(("async for message in client:", "    print(message)") if listens else ()),
        ]
        block = "\n".join(f"        {line}" for line in _printed(body))
        text = f"async def main() -> None:\n    {head}\n{block}\n\n\nasyncio.run(main())\n"
        return self._imports(text, client, ("import asyncio",)) + "\n\n" + text

    def _sync(self, client: str, arguments: tuple[Code, ...], calls: tuple[_Call, ...], *, listens: bool) -> str:
        head = lay(joined("with ", call(client, *arguments), " as client:"))
        body = [
            *(lay(joined("reply = " if c.is_request else "", c.code), 4) for c in calls),
            *(("for message in client:", "    print(message)") if listens else ()),
        ]
        text = f"{head}\n" + "".join(f"    {line}\n" for line in _printed(body))
        return self._imports(text, client, ()) + "\n" + text

    def _imports(self, text: str, client: str, before: tuple[str, ...]) -> str:
        standard = [*before, *(line for pattern, line in _IMPORTS if re.search(pattern, text))]
        names = [client, *(["messages"] if "messages." in text else [])]
        ours = [f"from {self._package} import {', '.join(names)}"]
        ours += ["from sockspec.runtime import BasicCredentials"] if "BasicCredentials(" in text else []
        return "".join(f"{line}\n" for line in (*standard, *([""] if standard else []), *ours))

    # --- connecting -------------------------------------------------------------------------------------------------

    def _arguments(self, channel: ir.Channel) -> Iterator[Code]:
        """What the constructor has to be given: parameters without a default, and the first way to authenticate."""
        placed = parameters.placed(self._api, channel)
        for one in placed:
            parameter = one.parameter
            is_variable = not one.source
            if parameter.required and not is_variable and defaults.of_parameter(parameter, self._definitions) is None:
                yield assigned(one.name, self._parameter(parameter))
        if channel.address is None:
            yield 'address="/"'
        if parameters.server_of(self._api, channel) is None:
            yield assigned("url", literals.string(_NOWHERE))
        for asked in security.asked(self._with_first_way(channel), channel, [one.name for one in placed]):
            if asked.annotation.startswith("BasicCredentials"):
                yield assigned(asked.name, call("BasicCredentials", '"USER"', '"PASSWORD"'))
            elif asked.annotation.startswith("Token"):
                yield f'{asked.name}="{"TOKEN" if asked.name == "token" else "KEY"}"'

    def _with_first_way(self, channel: ir.Channel) -> ir.Api:
        ways = security.connecting(self._api, channel)
        wanted = {need.scheme for need in ways[0]} if ways else set[str]()
        return replace(self._api, security_schemes=tuple(s for s in self._api.security_schemes if s.name in wanted))

    def _parameter(self, parameter: ir.Parameter) -> Code:
        """A value for a parameter; `...`, which says itself that it is to be filled in, where none is known."""
        for text in (*parameter.examples, *parameter.values, parameter.wire_name):
            for value in defaults.candidates(text):
                try:
                    return self._expression(value, parameter.type, 0)
                except Unwritable:
                    continue
        kind = walk.resolve(parameter.type, self._definitions)
        return _blank(kind) if isinstance(kind, ir.Scalar) else "[]" if isinstance(kind, ir.Array) else "..."

    # --- sending ----------------------------------------------------------------------------------------------------

    def _calls(self, channel: ir.Channel) -> Iterator[_Call]:
        """The first message that can be sent with a short call, and the first request."""
        found: dict[bool, _Call] = {}
        tried = 0
        for method, name, operation in sent_by_client(self._operations.get(channel.name, ()), self._prepared.names):
            is_request = operation is not None
            if is_request in found or tried >= _MOST_TRIED:
                continue
            tried += 1
            arguments = self._sending(self._messages[name], is_request=is_request)
            if arguments is not None:
                found[is_request] = _Call(call(f"client.{method}", *arguments), is_request)
        yield from list(found.values())[:_MOST_CALLS]

    def _sending(self, message: ir.Message, *, is_request: bool) -> tuple[Code, ...] | None:
        """The arguments of the method that sends a message; None where they would be too much to read."""
        body = message.payload.type
        for payload in self._payloads(message):
            try:
                if not isinstance(body, ir.Record):
                    arguments: tuple[Code, ...] = (self._expression(payload, body, 0),)
                else:
                    arguments = tuple(self._fields(message, body, payload, is_request=is_request))
            except Unwritable:
                return None
            text = lay(call("", *arguments), 8)
            is_short = len(text) <= _LONGEST and all(len(line.strip()) <= _WIDEST for line in text.splitlines())
            return arguments if is_short else None
        return None

    def _fields(self, message: ir.Message, record: ir.Record, payload: object, *, is_request: bool) -> Iterator[Code]:
        values = _object(payload)
        members = record_members(record, self._prepared.types.tags.get(f"message:{message.name}"))
        attributes = self._members(message, request=is_request)
        for attribute, (field, _) in zip(attributes, members, strict=True):
            if not attribute.default:
                value = self._expression(_member(values, field), field.type, 1)
                yield assigned(attribute.name, value)

    # --- values -----------------------------------------------------------------------------------------------------

    def _expression(self, value: object, of: ir.Type, depth: int) -> Code:
        """A JSON value of a type as Python writes it. Raises Unwritable."""
        if depth > _DEEPEST:
            raise Unwritable
        match of:
            case ir.Scalar():
                return _scalar(value, of.kind)
            case ir.Constant() if value is None or isinstance(value, str | int | float):
                return literals.value(value)
            case ir.Array() if isinstance(value, list):
                return Group("[", tuple(self._expression(item, of.item, depth + 1) for item in value), "]")
            case ir.Map() if isinstance(value, dict):
                pairs = value.items()
                inner = (
                    joined(f"{literals.string(str(key))}: ", self._expression(one, of.value, depth + 1))
                    for key, one in pairs
                )
                return Group("{", tuple(inner), "}")
            case ir.Nullable():
                return "None" if value is None else self._expression(value, of.of, depth)
            case ir.Ref():
                return self._defined(value, self._definitions[of.name], depth)
            case ir.Union():
                return self._member_of(value, of, depth)
            case ir.Anything():
                return _plain(value, depth)
            case _:
                raise Unwritable

    def _defined(self, value: object, definition: ir.Definition, depth: int) -> Code:
        name = f"messages.{self._prepared.names.definitions[definition.name]}"
        match definition:
            case ir.Enumeration():
                if value not in definition.values:
                    raise Unwritable
                return f"{name}.{enumeration_members(definition)[definition.values.index(str(value))]}"
            case ir.Alias():
                return self._expression(value, definition.type, depth + 1)
            case ir.Record():
                values, tag = _object(value), self._prepared.types.tags.get(definition.name)
                if tag is not None and values.get(tag[0]) != tag[1]:
                    raise Unwritable
                members = (
                    assigned(python, self._expression(_member(values, field), field.type, depth + 1))
                    for field, python in record_members(definition, tag)
                    if field.required
                )
                return call(name, *members)

    def _member_of(self, value: object, union: ir.Union, depth: int) -> Code:
        for member in union.members:
            try:
                return self._expression(value, member, depth + 1)
            except Unwritable:
                continue
        raise Unwritable


def _printed(lines: Iterable[str]) -> list[str]:
    """The lines of a block, with `print(reply)` after what gives one; `pass` where there is none."""
    found: list[str] = []
    for line in lines:
        found.append(line)
        if line.startswith("reply = "):
            found.append("print(reply)")
    return found or ["pass"]


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unwritable
    return value


def _member(values: dict[str, object], field: ir.Field) -> object:
    if field.wire_name not in values:
        raise Unwritable
    return values[field.wire_name]


def _scalar(value: object, kind: ir.Kind) -> Code:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case ir.Kind.NULL if value is None:
            return "None"
        case ir.Kind.BOOLEAN if isinstance(value, bool):
            return literals.value(value)
        case ir.Kind.INTEGER if is_number and isinstance(value, int):
            return literals.value(value)
        case ir.Kind.NUMBER if is_number:
            return literals.value(value)
        case ir.Kind.STRING if isinstance(value, str):
            return literals.string(value)
        case _ if kind in _READERS and isinstance(value, str):
            name, read = _READERS[kind]
            try:
                read(value)
            except (ValueError, ArithmeticError):
                raise Unwritable from None
            return call(name, literals.string(value))
        case _:
            raise Unwritable


def _blank(scalar: ir.Scalar) -> Code:
    """Something of a kind, for a parameter of which nothing else is known."""
    match scalar.kind:
        case ir.Kind.INTEGER | ir.Kind.NUMBER:
            return literals.value(scalar.limits.minimum or 1)
        case ir.Kind.BOOLEAN:
            return "True"
        case ir.Kind.UUID:
            return call("UUID", '"00000000-0000-4000-8000-000000000000"')
        case _:
            return '"…"'


def _plain(value: object, depth: int) -> Code:
    """Any JSON value as Python writes it."""
    if depth > _DEEPEST:
        raise Unwritable
    match value:
        case dict():
            pairs = tuple(joined(f"{literals.string(str(k))}: ", _plain(v, depth + 1)) for k, v in value.items())
            return Group("{", pairs, "}")
        case list():
            return Group("[", tuple(_plain(item, depth + 1) for item in value), "]")
        case _:
            return literals.value(value)
