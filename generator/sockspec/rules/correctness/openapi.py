"""What the parts of an OpenAPI document have to say of each other: operations, paths and their parameters, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.places import METHODS
from sockspec.rules.rule import OPENAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.resolve import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import shown

PATH_PARAMETER = Code(
    "path-parameter",
    Severity.ERROR,
    "The parameters in a path (`/rooms/{room}`) and those that the operation or the path declares with `in: path` are "
    "not the same.",
)
EQUIVALENT_PATHS = Code(
    "equivalent-paths",
    Severity.ERROR,
    "Two paths differ in nothing but the names of their parameters, such as `/rooms/{room}` and `/rooms/{id}`. OpenAPI "
    "takes them for the same path (Paths Object).",
    tolerable=True,
)
REPEATED_NAME = Code(
    "repeated-name",
    Severity.ERROR,
    "Two tags of the document, or two parameters of an operation at the same place (`in`), have the same name.",
)
UNKNOWN_PARENT = Code(
    "unknown-parent",
    Severity.ERROR,
    "The `parent` of a tag (OpenAPI 3.2) is no tag of the document, or leads back to the tag itself.",
)

_PARAMETER = re.compile(r"\{([^{}]*)\}")


# --- paths ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Declared:
    """The path parameters that a list declares."""

    nodes: Mapping[str, Node]
    is_whole: bool
    """Whether all parameters of the list could be read."""


def _paths(subject: Subject) -> Iterator[tuple[str, Node, Node]]:
    """The paths, with where each is listed and the path item itself."""
    listed = subject.root.get("paths")
    for path, entry in listed.items() if listed is not None else ():
        if path.startswith("/"):
            yield path, entry, subject.documents.follow(entry)


def _path_parameters(subject: Subject) -> Iterator[Diagnostic]:
    for path, entry, item in _paths(subject):
        written = dict.fromkeys(_PARAMETER.findall(path))
        shared = _declared(subject, (item, entry))
        unused = {name: node for name, node in shared.nodes.items() if name not in written}
        meant: set[str] = set()
        for operation in _operations(item, entry):
            own = _declared(subject, (operation,))
            declared = {**shared.nodes, **own.nodes}
            unused |= {name: node for name, node in own.nodes.items() if name not in written}
            for name in written if shared.is_whole and own.is_whole else ():
                if name not in declared:
                    near = nearest(name, [each for each in declared if each not in written])
                    meant.add(near or "")
                    yield _undeclared(path, name, operation, near)
        # A path item without operations is one that the reader may not see (Paths Object).
        for name, node in unused.items() if any(_operations(item, entry)) else ():
            if name not in meant:  # else it is misspelt, and that is one fault
                message = f"the parameter {quoted(name)} with 'in: path' is not in the path {quoted(path)}"
                hint = f"write {{{name}}} into the path, or remove the parameter"
                yield PATH_PARAMETER.at((node.get("name") or node).location, message, hint=hint)


def _undeclared(path: str, name: str, operation: Node, near: str | None) -> Diagnostic:
    message = f"the path {quoted(path)} has a parameter {quoted(name)} that is not declared"
    hint = f"add {{name: {name}, in: path, required: true, schema: ...}} to 'parameters'"
    if near is not None:
        hint = f"{quoted(near)} is declared; was {quoted(name)} meant?"
    return PATH_PARAMETER.at(operation.key_location, message, hint=hint)


def _operations(*items: Node) -> Iterator[Node]:
    """The operations of a path item, each once."""
    seen: set[int] = set()
    for item in items:
        additional = item.get("additionalOperations")
        others = [node for _, node in additional.items()] if additional is not None else []
        for operation in (*(node for method in METHODS if (node := item.get(method)) is not None), *others):
            if isinstance(operation.value, dict) and id(operation.value) not in seen:
                seen.add(id(operation.value))
                yield operation


def _declared(subject: Subject, holders: tuple[Node, ...]) -> _Declared:
    found: dict[str, Node] = {}
    is_whole = True
    for holder in holders:
        parameters = holder.get("parameters")
        for entry in parameters.elements() if parameters is not None else ():
            parameter = subject.documents.follow(entry)
            name = parameter.get("name")
            if subject.documents.is_broken(entry) or name is None or not isinstance(name.value, str):
                is_whole = False
            elif parameter.text("in") == "path":
                found.setdefault(name.value, parameter)
    return _Declared(found, is_whole)


def _equivalent_paths(subject: Subject) -> Iterator[Diagnostic]:
    first: dict[str, tuple[str, Node]] = {}
    for path, entry, _ in _paths(subject):
        form = _PARAMETER.sub("{}", path)
        other, node = first.setdefault(form, (path, entry))
        if node is not entry:
            message = f"the path {quoted(path)} is the same as {quoted(other)} but for the names of its parameters"
            yield EQUIVALENT_PATHS.at(entry.key_location, message, related=(node.key_location,))


# --- names that are repeated ------------------------------------------------------------------------------------------


def _repeated(subject: Subject) -> Iterator[Diagnostic]:
    first: set[str] = set()
    for tag in _tags(subject):
        name = tag.text("name")
        if name and name in first:
            yield REPEATED_NAME.at(tag.location, f"two tags have the name {quoted(name)}")
        first.add(name)
    for holder in (*subject.schemas.objects("operation"), *subject.schemas.objects("pathItem")):
        parameters, seen = holder.get("parameters"), set[tuple[str, str]]()
        for entry in parameters.elements() if parameters is not None else ():
            parameter = subject.documents.follow(entry)
            name, place = parameter.text("name"), parameter.text("in")
            # The names of headers have no case (RFC 9110, section 5.1).
            key = (name.lower() if place == "header" else name, place)
            if name and place and key in seen:
                message = f"two parameters have the name {quoted(name)} and the same 'in'"
                yield REPEATED_NAME.at(entry.location, message)
            seen.add(key)


def _tags(subject: Subject) -> list[Node]:
    tags = subject.root.get("tags")
    return [*tags.elements()] if tags is not None else []


def _parents(subject: Subject) -> Iterator[Diagnostic]:
    parents = {tag.text("name"): tag.get("parent") for tag in _tags(subject)}
    rounds: set[str] = set()
    for name, parent in parents.items():
        if parent is None or not isinstance(parent.value, str):
            continue
        if parent.value not in parents:
            near = nearest(parent.value, parents)
            message = f"the tag {quoted(name)} has the parent {shown(parent.value)}, which does not exist"
            hint = f"did you mean {quoted(near)}?" if near is not None else ""
            yield UNKNOWN_PARENT.at(parent.location, message, hint=hint)
        trail: dict[str, None] = {}
        here: str | None = name
        while here is not None and here not in trail and here not in rounds:
            trail[here] = None
            above = parents.get(here)
            here = above.value if above is not None and isinstance(above.value, str) else None
        if here is not None and here in trail:
            message = f"the parents of the tag {quoted(here)} lead back to it"
            yield UNKNOWN_PARENT.at((parents[here] or parent).location, message)
        rounds.update(trail)


RULES = (
    Rule(
        PATH_PARAMETER,
        Group.CORRECTNESS,
        OPENAPI,
        bad="""\
/rooms/{room}:
  get:
    parameters: [{name: rom, in: path, required: true, schema: {type: string}}]
""",
        good="""\
/rooms/{room}:
  get:
    parameters: [{name: room, in: path, required: true, schema: {type: string}}]
""",
        check=_path_parameters,
    ),
    Rule(
        EQUIVALENT_PATHS,
        Group.CORRECTNESS,
        OPENAPI,
        bad="""\
paths:
  /rooms/{room}: {}
  /rooms/{id}: {}
""",
        good="""\
paths:
  /rooms/{room}: {}
""",
        check=_equivalent_paths,
    ),
    Rule(
        REPEATED_NAME,
        Group.CORRECTNESS,
        OPENAPI,
        bad="""\
tags: [{name: chat}, {name: chat}]
""",
        good="""\
tags: [{name: chat}, {name: rooms}]
""",
        check=_repeated,
    ),
    Rule(
        UNKNOWN_PARENT,
        Group.CORRECTNESS,
        ("OpenAPI 3.2",),
        bad="""\
tags: [{name: chat, parent: wbsocket}, {name: websocket}]
""",
        good="""\
tags: [{name: chat, parent: websocket}, {name: websocket}]
""",
        check=_parents,
    ),
)
