"""The codecs of a package: view of `codecs.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.python import literals
from sockspec.python.layout import Code, assigned, call, statement, subscript, tuple_of
from sockspec.python.names import Names


@dataclass(frozen=True, slots=True)
class Codec:
    """A constant, and its docstring."""

    code: str
    doc: str


def view(
    api: ir.Api, names: Names, dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch]
) -> tuple[Codec, ...]:
    """A codec for each channel and direction, also for a direction that has no messages."""
    codecs: list[Codec] = []
    for channel in api.channels:
        for side in ir.Direction:
            found = dispatches.get((channel.name, side))
            choices = found.choices if found is not None else ()
            arguments: list[Code] = ["SCHEMAS", *(_entry(choice, names) for choice in choices)]
            arguments += _tags(found) if found is not None else []
            union = names.unions[channel.name, side]
            of = subscript("Codec", f"messages.{union}" if choices else "Never")
            name = names.codecs[channel.name, side]
            who = "clients" if side is ir.Direction.CLIENT_TO_SERVER else "the server"
            doc = literals.docstring(f"What {who} may send on {channel.address or channel.name}.")
            codecs.append(Codec(statement(name, of, call("Codec", *arguments)), doc))
    return tuple(codecs)


def _entry(choice: dispatch.Choice, names: Names) -> Code:
    message = choice.message
    arguments: list[Code] = [
        f"messages.{names.messages[message.name]}",
        literals.string(message.payload.schema),
        literals.string(message.lane.value),
    ]
    if choice.values:
        arguments.append(assigned("marks" if choice.is_array else "tags", _values(choice)))
        if not choice.required:
            arguments.append("tag_required=False")
    if message.payload.content is not ir.Content.JSON:
        arguments.append(f"content={literals.string(message.payload.content.value)}")
    if not isinstance(message.payload.type, ir.Record):
        arguments.append("bare=True")
    if message.correlation:
        arguments.append(assigned("correlation", tuple_of([literals.string(name) for name in message.correlation])))
    return call("Entry", *arguments)


def _tags(found: dispatch.Dispatch) -> list[Code]:
    """What tells the messages apart."""
    arguments: list[Code] = []
    for word, path in (("tag", found.path), ("second_tag", found.second)):
        if path:
            steps = [literals.value(step) for step in path]
            arguments.append(assigned(word, steps[0] if len(steps) == 1 else tuple_of(steps)))
    if found.position is not None:
        arguments.append(f"position={found.position}")
    return arguments


def _values(choice: dispatch.Choice) -> Code:
    """The values that mean a message: each alone, or with each value of the second tag."""
    first = [literals.value(value) for value in choice.values]
    if not choice.seconds:
        return tuple_of(first)
    seconds = [literals.value(value) for value in choice.seconds]
    return tuple_of([f"({one}, {other})" for one in first for other in seconds])
