"""Names that authors choose: of tags, which differ, and of components, which have a form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.node import Node
from sockspec.spec.text import DUPLICATE_KEY, quoted

DUPLICATE_TAG = Code(
    "duplicate-tag",
    Severity.ERROR,
    "A list has two tags of the same name. Each name in it has to differ from the others (AsyncAPI, Tags Object).",
    tolerable=True,
)
MALFORMED_NAME = Code(
    "malformed-name",
    Severity.ERROR,
    "The keys of `servers`, of a channel's `parameters` and of all that `components` has are made of letters, digits, "
    "`_` and `-`, those of components of `.`, too (AsyncAPI, Components Object, Parameters Object, Servers Object).",
    tolerable=True,
)

_COMPONENT = re.compile(r"[A-Za-z0-9._-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def _tagged(subject: Subject) -> Iterator[Node]:
    """Everything that has a list of tags."""
    outline = subject.outline
    info = subject.root.get("info")
    yield from (subject.root, *((info,) if info is not None else ()))
    yield from (part.node for part in (*outline.servers, *outline.channels, *outline.operations, *outline.messages))
    yield from outline.message_traits
    yield from (part.node for part in outline.components("operationTraits"))
    for operation in outline.operations:
        traits = operation.node.get("traits")
        ends = [subject.kinds.end(entry) for entry in traits.elements()] if traits is not None else []
        yield from (end for end in ends if end is not None)


def _duplicate_tag(subject: Subject) -> Iterator[Diagnostic]:
    for holder in {node.identity: node for node in _tagged(subject)}.values():
        listed = holder.get("tags")
        found: dict[str, Node] = {}
        for entry in listed.elements() if listed is not None else ():
            tag = subject.kinds.end(entry)
            name = tag.text("name") if tag is not None else ""
            other = found.setdefault(name, entry) if name else entry
            if other is not entry:
                place = (entry.get("name") or entry).location
                related = (other.get("name") or other).location
                yield DUPLICATE_TAG.at(place, f"the tag {quoted(name)} is in the list already", related=[related])


def _malformed(subject: Subject) -> Iterator[Diagnostic]:
    components = subject.root.get("components")
    for group, listed in components.items() if components is not None else ():
        if not group.startswith("x-"):
            yield from _of_other_form(listed, _COMPONENT, "letters, digits, '.', '_' and '-'")
    servers = subject.root.get("servers")
    if servers is not None:
        yield from _of_other_form(servers, _PLAIN, "letters, digits, '_' and '-'")
    for channel in subject.outline.channels:
        parameters = channel.node.get("parameters")
        if parameters is not None:
            yield from _of_other_form(parameters, _PLAIN, "letters, digits, '_' and '-'")


def _of_other_form(listed: Node, form: re.Pattern[str], said: str) -> Iterator[Diagnostic]:
    for name, node in listed.items():
        if form.fullmatch(name) is None and not name.startswith("x-"):
            yield MALFORMED_NAME.at(node.key_location, f"the name {quoted(name)} has more than {said} in it")


RULES = (
    Rule(
        DUPLICATE_KEY,
        Group.CORRECTNESS,
        ALL,
        bad="""\
channels:
  room: {address: /room}
  room: {address: /rooms}
""",
        good="""\
channels:
  room: {address: /room}
  rooms: {address: /rooms}
""",
    ),
    Rule(
        DUPLICATE_TAG,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
tags:
  - name: chat
  - name: chat
    description: What people say.
""",
        good="""\
tags:
  - name: chat
    description: What people say.
""",
        check=_duplicate_tag,
        aliases=("asyncapi2-tags-uniqueness",),
    ),
    Rule(
        MALFORMED_NAME,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
components:
  schemas:
    chat message: {type: object}
""",
        good="""\
components:
  schemas:
    chatMessage: {type: object}
""",
        check=_malformed,
    ),
)
