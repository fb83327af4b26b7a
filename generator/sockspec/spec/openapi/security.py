"""Security schemes and requirements of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sockspec import ir
from sockspec.diagnostics import Report
from sockspec.spec.names import unknown_security_scheme
from sockspec.spec.resolve import Documents, Node


class Schemes:
    """The security schemes of a document, and which of them are asked for."""

    def __init__(self, documents: Documents, report: Report) -> None:
        components = documents.root.get("components")
        schemes = components.get("securitySchemes") if components is not None else None
        self._known = dict(schemes.items()) if schemes is not None else {}
        self._documents = documents
        self._report = report
        self._used: set[str] = set()

    def requirements(self, node: Node | None) -> ir.Security:
        """The alternatives of a `security` list; an empty requirement among them means that nothing is needed."""
        if node is None:
            return ()
        return tuple(tuple(self._alternative(one)) for one in node.elements() if isinstance(one.value, dict))

    def _alternative(self, node: Node) -> Iterator[ir.Requirement]:
        for name, scopes in node.items():
            if name not in self._known:
                self._report.add(unknown_security_scheme(name, self._known, scopes.key_location))
                continue
            self._used.add(name)
            yield ir.Requirement(name, tuple(one.value for one in scopes.elements() if isinstance(one.value, str)))

    def used(self) -> tuple[ir.SecurityScheme, ...]:
        """The schemes that requirements named, in the order of the document."""
        return tuple(self._scheme(name, node) for name, node in self._known.items() if name in self._used)

    def _scheme(self, name: str, node: Node) -> ir.SecurityScheme:
        scheme = self._documents.follow(node)
        flows = scheme.get("flows")
        return ir.SecurityScheme(
            name,
            scheme.text("type"),
            node.key_location,
            scheme=scheme.text("scheme").lower(),
            parameter_name=scheme.text("name"),
            parameter_in=scheme.text("in"),
            bearer_format=scheme.text("bearerFormat"),
            scopes=tuple(_scopes(flow for _, flow in flows.items()) if flows is not None else ()),
            description=scheme.text("description") or node.text("description"),
        )


def _scopes(flows: Iterable[Node]) -> Iterator[tuple[str, str]]:
    """The scopes of all flows, each once."""
    found: dict[str, str] = {}
    for flow in flows:
        scopes = flow.get("scopes")
        for scope, meaning in scopes.items() if scopes is not None else ():
            found.setdefault(scope, meaning.value if isinstance(meaning.value, str) else "")
    yield from found.items()
