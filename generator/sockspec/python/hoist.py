"""Unions that cannot stand inside an annotation get a name of their own."""

from __future__ import annotations

from dataclasses import replace

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.python.layout import flat
from sockspec.python.types import Types

_MOST_VALUES = 6
"""Texts that a parameter may be without a name for them."""
_LONGEST = 60
"""Characters of a union that a reader takes in beside a field's name."""


def hoist(api: ir.Api, types: Types) -> ir.Api:
    """The API with a definition for each union that the decoder cannot tell apart or that is too long to read."""
    hoisting = _Hoisting(api, types)
    messages = tuple(hoisting.message(message) for message in api.messages)
    definitions: list[ir.Definition] = []
    for definition in api.definitions:
        match definition:
            case ir.Record():
                definitions.append(hoisting.record(definition, definition.name))
            case ir.Alias(type=ir.Tuple() as of):
                definitions.append(replace(definition, type=hoisting.inside(of, definition.name, definition.location)))
            case ir.Alias(type=ir.Union() | ir.Nullable(of=ir.Union())):
                definitions.append(hoisting.alias(definition))
            case ir.Alias():
                definitions.append(
                    replace(definition, type=hoisting.type(definition.type, definition.name, definition.location))
                )
            case ir.Enumeration():
                definitions.append(definition)
    channels = tuple(
        replace(
            channel,
            parameters=hoisting.parameters(channel.parameters),
            query=hoisting.parameters(channel.query),
            headers=hoisting.parameters(channel.headers),
        )
        for channel in api.channels
    )
    enumerations = tuple(hoisting.enumerations.values())
    return replace(
        api, channels=channels, messages=messages, definitions=(*definitions, *hoisting.aliases, *enumerations)
    )


_CONTAINERS = (ir.Array, ir.Map, ir.Tuple)


class _Hoisting:
    def __init__(self, api: ir.Api, types: Types) -> None:
        self._types = types
        self._taken = {definition.name for definition in api.definitions}
        self.aliases: list[ir.Alias] = []
        self.enumerations: dict[tuple[object, ...], ir.Enumeration] = {}

    def parameters(self, parameters: tuple[ir.Parameter, ...]) -> tuple[ir.Parameter, ...]:
        """Parameters of a handshake, whose lists of many texts stand on both sides and so have a name."""
        return tuple(replace(one, type=self._parameter(one)) for one in parameters)

    def _parameter(self, parameter: ir.Parameter) -> ir.Type:
        values = parameter.type.values if isinstance(parameter.type, ir.Constant) else ()
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) <= _MOST_VALUES or len(texts) < len(values):
            return self.type(parameter.type, parameter.wire_name, parameter.location)
        if texts not in self.enumerations:
            name = self._free(parameter.wire_name)
            self.enumerations[texts] = ir.Enumeration(name, texts, parameter.location, parameter.description)
        return ir.Ref(self.enumerations[texts].name)

    def message(self, message: ir.Message) -> ir.Message:
        of = self._body(message)
        if of is message.payload.type:
            return message
        return replace(message, payload=replace(message.payload, type=of))

    def _body(self, message: ir.Message) -> ir.Type | ir.Record:
        of = message.payload.type
        return (
            self.record(of, message.name)
            if isinstance(of, ir.Record)
            else self.type(of, message.name, message.location)
        )

    def alias(self, alias: ir.Alias) -> ir.Alias:
        """The name of a union, whose members that the decoder needs a stand-in for have names as well."""
        union = alias.type.of if isinstance(alias.type, ir.Nullable) else alias.type
        if not isinstance(union, ir.Union):
            return alias
        members = tuple(
            self.type(member, f"{alias.name} {at}", alias.location) if isinstance(member, _CONTAINERS) else member
            for at, member in enumerate(union.members, 1)
        )
        if members == union.members:
            return alias
        own = replace(union, members=members)
        return replace(alias, type=ir.Nullable(own) if isinstance(alias.type, ir.Nullable) else own)

    def record(self, record: ir.Record, name: str) -> ir.Record:
        types = [self.type(f.type, f"{name} {f.wire_name}", f.location) for f in record.fields]
        extra = None if record.extra is None else self.type(record.extra, f"{name} extra", record.location)
        if extra is record.extra and all(of is field.type for of, field in zip(types, record.fields, strict=True)):
            return record
        fields = tuple(replace(f, type=of) for of, f in zip(types, record.fields, strict=True))
        return replace(record, fields=fields, extra=extra)

    def type(self, of: ir.Type, name: str, place: Location) -> ir.Type:
        match of:
            case ir.Array():
                item = self.type(of.item, f"{name} item", place)
                return of if item is of.item else replace(of, item=item)
            case ir.Map():
                value = self.type(of.value, f"{name} value", place)
                return of if value is of.value else replace(of, value=value)
            case ir.Tuple():
                hoisted = self.inside(of, name, place)
                return hoisted if of.rest is None else self._name(hoisted, name, place)
            case ir.Nullable():
                inner = self.type(of.of, name, place)
                return of if inner is of.of else ir.Nullable(inner)
            case ir.Union():
                # Looked at before what is inside has names that the annotation would not know yet.
                fits = self._types.decodable(of) and len(flat(self._types.annotation(of))) <= _LONGEST
                inner = self._members(of, name, place)
                if any(_is_open(member) for member in inner.members):
                    numbered = enumerate(inner.members, 1)
                    members = tuple(self.type(member, f"{name} {at}", place) for at, member in numbered)
                    return self._name(replace(inner, members=members), name, place)
                return inner if fits else self._name(inner, name, place)
            case ir.Scalar() | ir.Constant() | ir.Ref() | ir.Anything():
                return of

    def _members(self, union: ir.Union, name: str, place: Location) -> ir.Union:
        """The union with what stands inside its arrays, tuples and maps hoisted."""
        members = tuple(
            self.type(member, f"{name} {at}", place)
            if isinstance(member, _CONTAINERS) and not _is_open(member)
            else member
            for at, member in enumerate(union.members, 1)
        )
        return union if members == union.members else replace(union, members=members)

    def inside(self, of: ir.Tuple, name: str, place: Location) -> ir.Tuple:
        """The tuple with what has to have a name inside of it hoisted."""
        items = tuple(self.type(item, f"{name} {at}", place) for at, item in enumerate(of.items, 1))
        return ir.Tuple(items, None if of.rest is None else self.type(of.rest, f"{name} rest", place))

    def _name(self, union: ir.Union | ir.Tuple, words: str, place: Location) -> ir.Ref:
        name = self._free(words)
        self.aliases.append(ir.Alias(name, union, place))
        return ir.Ref(name)

    def _free(self, words: str) -> str:
        name = words
        while name in self._taken:
            name += " value"
        self._taken.add(name)
        return name


def _is_open(of: ir.Type) -> bool:
    """Whether a type is an array of named items with any number of others after them."""
    return isinstance(of, ir.Tuple) and of.rest is not None
