"""Parameters of the handshake: in the path, in the query, and as headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec.openapi.endpoints import Endpoint
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

PATH_PARAMETER_UNDECLARED = Code(
    "path-parameter-undeclared",
    Severity.WARNING,
    "The path has a `{parameter}` that neither the operation nor the path item declares. It is taken as text. Declare "
    "it with `in: path`.",
)
PATH_PARAMETER_UNUSED = Code(
    "path-parameter-unused",
    Severity.WARNING,
    "A parameter is declared with `in: path`, and the path has no place for it. It is left out.",
)
PARAMETER_LEFT_OUT = Code(
    "parameter-left-out",
    Severity.INFO,
    "The parameter has no place in a WebSocket handshake that a client can fill: cookies are the browser's, and some "
    "headers belong to the protocol.",
)

PARAMETER_STYLE = Code(
    "parameter-style",
    Severity.WARNING,
    "The parameter is written otherwise than by default (`style`, `explode`). It is read by the default: in the query a "
    "list has a value for each time that its name occurs, elsewhere its items are separated by commas.",
)

_DEFAULT_STYLES = {"query": "form", "path": "simple", "header": "simple"}
_IN_BRACES = re.compile(r"\{([^{}]+)\}")
_OF_THE_PROTOCOL = frozenset(
    """upgrade connection host sec-websocket-key sec-websocket-version sec-websocket-extensions sec-websocket-accept
    accept content-type authorization""".split()
)
"""Headers that the handshake sets itself, and those that OpenAPI says are not parameters (Parameter Object)."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of an endpoint by where they stand, and the subprotocols that a header lists."""

    path: tuple[ir.Parameter, ...]
    query: tuple[ir.Parameter, ...]
    headers: tuple[ir.Parameter, ...]
    subprotocols: tuple[str, ...]


def read(
    endpoint: Endpoint, more: Iterable[Node], documents: Documents, schemas: SchemaReader, report: Report
) -> Parameters:
    """The parameters of an endpoint: those of the operation win over those of the path item."""
    declared: dict[tuple[str, str], Node] = {}
    lists = [node for source in endpoint.sources if (node := source.get("parameters")) is not None]
    for node in [*(one for listed in lists for one in listed.elements()), *more]:
        parameter = documents.follow(node)
        declared.setdefault((parameter.text("in"), parameter.text("name")), parameter)
    path = {name: node for (place, name), node in declared.items() if place == "path"}
    headers = {name: node for (place, name), node in declared.items() if place == "header"}
    protocol = next((node for name, node in headers.items() if name.lower() == "sec-websocket-protocol"), None)
    for (place, name), node in declared.items():
        if place in ("cookie", "querystring"):
            report.add(PARAMETER_LEFT_OUT.at(node.location, f"the {place} parameter {quoted(name)} is left out"))
    return Parameters(
        tuple(_path_parameters(endpoint, path, documents, schemas, report)),
        tuple(
            _parameter(n, node, documents, schemas) for (place, n), node in declared.items() if place == "query" and n
        ),
        tuple(
            _parameter(name, node, documents, schemas)
            for name, node in headers.items()
            if name and name.lower() not in _OF_THE_PROTOCOL and node is not protocol
        ),
        _values(documents.follow(_schema(protocol) or protocol)) if protocol is not None else (),
    )


def _path_parameters(
    endpoint: Endpoint, declared: dict[str, Node], documents: Documents, schemas: SchemaReader, report: Report
) -> Iterator[ir.Parameter]:
    used = tuple(dict.fromkeys(_IN_BRACES.findall(endpoint.path)))
    for name in used:
        node = declared.get(name)
        if node is not None:
            yield _parameter(name, node, documents, schemas)
            continue
        message = f"the path has {quoted('{' + name + '}')}, which no parameter declares; it is taken as text"
        report.add(PATH_PARAMETER_UNDECLARED.at(endpoint.location, message))
        yield ir.Parameter(name, ir.Scalar(ir.Kind.STRING), endpoint.location)
    for name, node in declared.items():
        if name not in used:
            message = f"the path {quoted(endpoint.path)} has no {quoted('{' + name + '}')}"
            report.add(PATH_PARAMETER_UNUSED.at(node.location, message))


def _parameter(name: str, node: Node, documents: Documents, schemas: SchemaReader) -> ir.Parameter:
    schema = _schema(node)
    about = documents.follow(schema) if schema is not None else node
    _check_style(name, node, about, schemas.report)
    required = node.get("required")
    default = about.get("default")
    return ir.Parameter(
        name,
        schemas.parameter(name, schema),
        node.location,
        node.text("in") == "path" or (required is not None and required.value is True),
        node.text("description") or about.text("description"),
        as_text(default.value) if default is not None and default.value is not None else None,
        _values(about),
        tuple(_examples(node)),
    )


def _check_style(name: str, node: Node, schema: Node, report: Report) -> None:
    style, explode, place = node.text("style"), node.get("explode"), node.text("in")
    usual = _DEFAULT_STYLES.get(place, style)
    # For single values, and for lists elsewhere, it makes no difference.
    counts = place == "query" and schema.text("type") in ("array", "object")
    is_usual = explode is None or not counts or explode.value is True
    if (style or usual) != usual or not is_usual:
        written = node.get("style") if (style or usual) != usual else explode
        message = f"the parameter {quoted(name)} is read as 'style: {usual}' has it by default"
        report.add(PARAMETER_STYLE.at((written or node).location, message))


def _schema(node: Node) -> Node | None:
    """The schema of a parameter: its own, or that of its only media type."""
    content = node.get("content")
    media_types = content.items() if content is not None else ()
    return node.get("schema") or next((one for _, media_type in media_types if (one := media_type.get("schema"))), None)


def _values(schema: Node) -> tuple[str, ...]:
    """The texts that a schema allows, where it lists them."""
    const, enum = schema.get("const"), schema.get("enum")
    listed = [const.value] if const is not None else [one.value for one in enum.elements()] if enum is not None else []
    return tuple(as_text(value) for value in listed if isinstance(value, str | int | float))


def _examples(node: Node) -> Iterator[str]:
    example, examples = node.get("example"), node.get("examples")
    if example is not None:
        yield as_text(example.value)
    for _, one in examples.items() if examples is not None else ():
        value = one.get("value") or one.get("dataValue")
        if value is not None:
            yield as_text(value.value)


def as_text(value: object) -> str:
    """A value as it is written in a URL or a header: text as it stands, others as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
