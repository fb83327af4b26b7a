"""What the messages of an API are made of, as the guide's rules look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sockspec import ir
from sockspec.analysis import walk

TYPE, TIMESTAMP, ERROR = "type", "timestamp", "error"
"""Members of the guide's messages, and the `type` of its error message."""

Object = ir.Record | ir.Map


@dataclass(frozen=True)
class Payloads:
    """The messages of an API with the objects that they are."""

    api: ir.Api

    @cached_property
    def definitions(self) -> Mapping[str, ir.Definition]:
        """The definitions of the API by name."""
        return walk.by_name(self.api)

    @cached_property
    def sent(self) -> Mapping[tuple[str, ir.Direction], tuple[ir.Message, ...]]:
        """What each side may send on each channel, replies among it, in the order of the document."""
        names: dict[tuple[str, ir.Direction], dict[str, None]] = {}
        for operation in self.api.operations:
            names.setdefault((operation.channel, operation.direction), {}).update(dict.fromkeys(operation.messages))
            if operation.reply is not None:
                back = _OTHER[operation.direction]
                names.setdefault((operation.channel, back), {}).update(dict.fromkeys(operation.reply.messages))
        known = {message.name: message for message in self.api.messages}
        return {key: tuple(known[name] for name in listed if name in known) for key, listed in names.items()}

    def objects(self, message: ir.Message) -> tuple[Object, ...]:
        """The JSON objects that a payload may be; none where it may be something else."""
        if message.payload.content is not ir.Content.JSON:
            return ()
        found: list[Object] = []
        waiting, seen = [message.payload.type], set[str]()
        while waiting:
            part = waiting.pop()
            if isinstance(part, ir.Ref):
                if part.name in seen:
                    continue
                seen.add(part.name)
                part = walk.resolve(part, self.definitions)
            match part:
                case ir.Record() | ir.Map():
                    found.append(part)
                case ir.Union(members=members):
                    waiting.extend(reversed(members))
                case _:
                    return ()
        return tuple(found)

    def enveloped(self) -> Iterator[tuple[ir.Message, tuple[Object, ...]]]:
        """The messages whose payloads are objects, with these."""
        for message in self.api.messages:
            objects = self.objects(message)
            if objects:
                yield message, objects

    def values(self, of: ir.Type | ir.Record) -> tuple[object, ...]:
        """The values that a type lists (`const`, `enum`); none where it lists none."""
        end = walk.resolve(of, self.definitions)
        return end.values if isinstance(end, ir.Constant) else ()

    def types(self, message: ir.Message) -> tuple[str, ...]:
        """The constants that the `type` of a message has: one for each object that it may be."""
        fields = (member(one, TYPE) for one in self.objects(message))
        every = [self.values(field.type) for field in fields if field is not None]
        return tuple(str(values[0]) for values in every if len(values) == 1)

    def is_error(self, message: ir.Message) -> bool:
        """Whether a message is the guide's error message."""
        return message.is_error or ERROR in self.types(message)


_OTHER = {
    ir.Direction.CLIENT_TO_SERVER: ir.Direction.SERVER_TO_CLIENT,
    ir.Direction.SERVER_TO_CLIENT: ir.Direction.CLIENT_TO_SERVER,
}


def member(of: Object, name: str) -> ir.Field | None:
    """The declared member of an object; None where it has none of that name."""
    fields = of.fields if isinstance(of, ir.Record) else ()
    return next((field for field in fields if field.wire_name == name), None)
