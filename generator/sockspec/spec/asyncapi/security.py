"""Security schemes, and what servers and operations ask of them."""

from __future__ import annotations

from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Report
from sockspec.spec.resolve import Documents, Node


class Security:
    """The security schemes of a document by name."""

    def __init__(self, documents: Documents, report: Report) -> None:
        self._documents = documents
        self._report = report
        self._schemes: dict[str, ir.SecurityScheme] = {}
        self._names: dict[tuple[Path, str], str] = {}
        components = documents.root.get("components")
        listed = components.get("securitySchemes") if components is not None else None
        for name, node in listed.items() if listed is not None else ():
            self._add(name, node)

    def schemes(self) -> tuple[ir.SecurityScheme, ...]:
        """All schemes, in the order of the document."""
        return tuple(self._schemes.values())

    def of(self, node: Node | None) -> ir.Security:
        """The alternatives that a `security` list gives: requirement objects (2.x) or schemes (3.x)."""
        if node is None:
            return ()
        return tuple(self._alternative(item) for item in node.elements() if isinstance(item.value, dict))

    def _alternative(self, node: Node) -> tuple[ir.Requirement, ...]:
        target = self._documents.follow(node)
        if node.reference is not None or target.get("type") is not None:
            name = self._names.get(target.identity) or self._add(self._free_name(target), target)
            scopes = target.get("scopes")
            return (ir.Requirement(name, _texts(scopes)),)
        found: list[ir.Requirement] = []
        for name, scopes in node.items():
            found.append(ir.Requirement(name, _texts(scopes)))
        return tuple(found)

    def _free_name(self, node: Node) -> str:
        name = node.text("type", "scheme")
        return name if name not in self._schemes else f"{name}{len(self._schemes)}"

    def _add(self, name: str, node: Node) -> str:
        scheme = self._documents.follow(node)
        self._names[scheme.identity] = name
        kind = scheme.text("type")
        place = scheme.text("in")
        if kind == "httpApiKey":
            kind = "apiKey"
        self._schemes[name] = ir.SecurityScheme(
            name,
            kind,
            scheme.key_location,
            scheme.text("scheme").lower(),
            scheme.text("name"),
            place,
            scheme.text("bearerFormat"),
            tuple(self._scopes(scheme)),
            scheme.text("description"),
        )
        return name

    def _scopes(self, scheme: Node) -> dict[tuple[str, str], None]:
        flows = scheme.get("flows")
        found: dict[tuple[str, str], None] = {}
        for _, flow in flows.items() if flows is not None else ():
            listed = flow.get("availableScopes") or flow.get("scopes")
            for scope, meaning in listed.items() if listed is not None else ():
                found[scope, meaning.value if isinstance(meaning.value, str) else ""] = None
        return found


def _texts(node: Node | None) -> tuple[str, ...]:
    values = node.value if node is not None and isinstance(node.value, list) else []
    return tuple(value for value in values if isinstance(value, str))
