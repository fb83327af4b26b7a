"""Records that no class can have the members of are plain mappings."""

from __future__ import annotations

from dataclasses import replace

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity

NAME_NOT_TYPED = Code(
    "name-not-typed",
    Severity.WARNING,
    "The name of a property has a quotation mark, a backslash or a control character, which the typed decoder cannot "
    "have in the name of a member. The object that has it is a plain `dict` in the package, judged by the validator.",
)


def plain(api: ir.Api, report: Report) -> ir.Api:
    """The API with a map in place of each record that has a property whose name no decoder can have."""
    definitions = tuple(_definition(definition, report) for definition in api.definitions)
    messages = tuple(_message(message, report) for message in api.messages)
    return replace(api, definitions=definitions, messages=messages)


def _definition(definition: ir.Definition, report: Report) -> ir.Definition:
    if not isinstance(definition, ir.Record) or not (unsaid := _unspeakable(definition, report)):
        return definition
    return ir.Alias(
        definition.name,
        ir.Map(ir.Anything()),
        definition.location,
        definition.title,
        definition.description,
        (*definition.unsaid, *unsaid),
    )


def _message(message: ir.Message, report: Report) -> ir.Message:
    record = message.payload.type
    if not isinstance(record, ir.Record) or not (unsaid := _unspeakable(record, report)):
        return message
    payload = replace(message.payload, type=ir.Map(ir.Anything()), unsaid=(*record.unsaid, *unsaid))
    return replace(message, payload=payload)


def _unspeakable(record: ir.Record, report: Report) -> tuple[ir.Unsaid, ...]:
    found: list[ir.Unsaid] = []
    for field in record.fields:
        if any(character in '"\\' or character < " " for character in field.wire_name):
            found.append(ir.Unsaid("properties", field.location))
            report.add(
                NAME_NOT_TYPED.at(field.location, f"no class can have a member for the property {field.wire_name!r}")
            )
    return tuple(found)
