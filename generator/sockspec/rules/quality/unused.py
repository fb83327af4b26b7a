"""Components that nothing leads to."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.node import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import Seen, mappings

UNUSED_COMPONENT = Code(
    "unused-component",
    Severity.INFO,
    "Nothing that the document describes leads to a component, by whatever way: references, names of security schemes, or "
    "the mapping of a discriminator. It was forgotten, or was meant to be used.",
)

_Component = tuple[str, str]
"""A kind of components, and the name of one."""


def _unused(subject: Subject) -> Iterator[Diagnostic]:
    components = subject.root.get("components")
    listed = {
        (kind, name): node
        for kind, group in (components.items() if components is not None else ())
        if not kind.startswith("x-")
        for name, node in group.items()
    }
    if not listed:
        return
    used = _Used(subject)
    used.reach(node for key, node in subject.root.items() if key != "components")
    used.reach(_of_api(subject))
    broken: list[tuple[Location, str]] = []
    for (kind, name), node in listed.items():
        if (kind, name) not in used.found:
            broken.append((node.key_location, f"nothing uses {quoted(name)} of 'components.{kind}'"))
    yield from each_or_most(UNUSED_COMPONENT, broken, len(listed), "components are not used")


def _of_api(subject: Subject) -> Iterator[Node]:
    """The schemas that became messages though nothing refers to them, as OpenAPI documents may have them."""
    if subject.api is not None and not subject.is_asyncapi:
        for message in subject.api.messages:
            node = subject.node_at(message.location)
            if node is not None:
                yield node


class _Used:
    """The components that some parts of a document lead to, however far."""

    def __init__(self, subject: Subject) -> None:
        self._documents = subject.documents
        self._root = subject.root
        self._seen: Seen = set()
        self._waiting: list[Node] = []
        components = self._root.get("components")
        self._components = components if components is not None else self._root
        self.found: set[_Component] = set()

    def reach(self, parts: Iterator[Node]) -> None:
        """Note all that parts of the document lead to."""
        for part in parts:
            self._lead(part)
        while self._waiting:
            for node, _ in mappings(self._waiting.pop(), self._seen):
                self._look(node)

    def _look(self, node: Node) -> None:
        """Note what a mapping leads to."""
        if node.reference is not None:
            target = self._documents.target(node)
            if target is not None:
                self._lead(target)
        security = node.get("security")
        for alternative in security.elements() if security is not None else ():
            for name, _ in alternative.items():
                self._name("securitySchemes", name)
        discriminator = node.get("discriminator")
        mapped = discriminator.get("mapping") if discriminator is not None else None
        for _, value in mapped.items() if mapped is not None else ():
            written = value.value if isinstance(value.value, str) else ""
            self._name("schemas", written.rpartition("/")[2])

    def _lead(self, target: Node) -> None:
        """Note a part, and the component that it is or is in."""
        self._waiting.append(target)
        tokens = target.pointer.split("/")
        if target.document is self._root.document and tokens[1:2] == ["components"] and len(tokens) > 3:
            kind, name = tokens[2], tokens[3].replace("~1", "/").replace("~0", "~")
            self.found.add((kind, name))

    def _name(self, kind: str, name: str) -> None:
        """Note a component that is named and not referred to."""
        group = self._components.get(kind)
        node = group.get(name) if group is not None else None
        if node is not None and (kind, name) not in self.found:
            self.found.add((kind, name))
            self._waiting.append(node)


RULES = (
    Rule(
        UNUSED_COMPONENT,
        Group.QUALITY,
        ALL,
        bad="components:\n  schemas:\n    Forgotten: {type: string}\n",
        good="components: {}\n",
        check=_unused,
        aliases=("asyncapi-unused-component", "asyncapi2-unused-securityScheme"),
    ),
)
