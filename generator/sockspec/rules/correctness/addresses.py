"""The addresses of channels, and the parameters in them."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.edits import Edit, inserted
from sockspec.rules.rule import ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.asyncapi.address import PARAMETER
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNDECLARED_PARAMETER = Code(
    "undeclared-parameter",
    Severity.ERROR,
    "The address of a channel has a parameter that `parameters` does not describe (AsyncAPI, Channel Object). A package "
    "takes it for a string.",
    tolerable=True,
)


def _undeclared(subject: Subject) -> Iterator[Diagnostic]:
    for channel in subject.outline.channels:
        parameters = channel.node.get("parameters")
        declared = dict(parameters.items()) if parameters is not None else {}
        for name in dict.fromkeys(PARAMETER.findall(channel.address or "")):
            if name in declared:
                continue
            place = (channel.node.get("address") or channel.entry).location
            message = (
                f"the address {quoted(channel.address or '')} has the parameter {quoted(name)}, which nothing describes"
            )
            near = nearest(name, declared)
            hint = f"did you mean {quoted('{' + near + '}')}?" if near is not None else ""
            yield UNDECLARED_PARAMETER.at(place, message, hint=hint)


def _declared(subject: Subject, finding: Diagnostic) -> Iterator[Edit]:
    """A parameter without a word about it, which is what it was taken for; none where another may have been meant."""
    channels = (channel for channel in subject.outline.channels if channel.node.document.name == finding.location.path)
    for channel in channels:
        place = channel.node.get("address") or channel.entry
        if place.pointer != finding.location.pointer or finding.hint:
            continue
        parameters = channel.node.get("parameters")
        known = dict(parameters.items()) if parameters is not None else {}
        name = next((each for each in PARAMETER.findall(channel.address or "") if each not in known), None)
        if name is None:
            continue
        if parameters is None:
            pointer = channel.node.pointer
            yield from inserted(channel.node.document, pointer, "parameters", {name: {}}, after="address")
        else:
            yield from inserted(parameters.document, parameters.pointer, name, {}, after=next(reversed(known), ""))


RULES = (
    Rule(
        UNDECLARED_PARAMETER,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: /rooms/{room}
""",
        good="""\
channels:
  room:
    address: /rooms/{room}
    parameters:
      room: {description: the room's name}
""",
        check=_undeclared,
        fix="adds the parameter without a description, unless another name may have been meant.",
        fixer=_declared,
        aliases=("asyncapi2-channel-parameters", "asyncapi3-channel-parameters"),
    ),
)
