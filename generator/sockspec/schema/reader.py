"""Schemas into types: what each schema says that a type can say, and a note of what it cannot."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.schema import arrays, records, unions
from sockspec.schema.bundle import Bundle
from sockspec.schema.dialect import Dialect
from sockspec.schema.discriminators import implied
from sockspec.schema.names import Names
from sockspec.schema.scalars import constant, length, scalar
from sockspec.schema.shape import SCHEMA_LOOP, Shape, gather, is_true
from sockspec.spec.resolve import Documents, Node

_BY_TYPE = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "array": frozenset(
        """items prefixItems additionalItems minItems maxItems uniqueItems contains minContains maxContains
        unevaluatedItems""".split()
    ),
    "object": frozenset(
        """properties required additionalProperties patternProperties minProperties maxProperties propertyNames
        dependencies dependentRequired dependentSchemas unevaluatedProperties""".split()
    ),
}
"""Keywords that say something of values of one type only, and nothing of the others."""
_JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "null", "object", "array"})
_ANNOTATION_FORMATS_KEPT = frozenset({"date-time", "date", "time", "uuid", "byte", "decimal"})


_MOST_PROPERTIES = 5_000
"""How many properties a class may have."""

TOO_MANY_PROPERTIES = Code(
    "too-many-properties",
    Severity.WARNING,
    f"An object has more than {_MOST_PROPERTIES:,} properties, too many for a class that anybody reads. It is a plain "
    "`dict` in the package, judged by the validator.",
)
PARAMETER_KEYWORD = Code(
    "parameter-keyword-not-checked",
    Severity.WARNING,
    "Parameters of the handshake are texts, which no validator of JSON sees: they are held to what a type of Python can "
    "say, and this keyword is beyond that. Check it in the server.",
)


class SchemaReader:
    """Reads the schemas of one API, each once, into definitions that refer to each other by name."""

    def __init__(self, documents: Documents, report: Report, dialect: Dialect) -> None:
        self.documents = documents
        self.dialect = dialect
        self.report = report
        self._bundle = Bundle(documents, dialect, report)
        self._names = Names(documents)
        self.implied = implied(documents)
        self._by_target: dict[tuple[Path, str], str] = {}
        self.known: dict[str, ir.Definition | None] = {}
        self._waiting: deque[tuple[str, tuple[Node, ...]]] = deque()
        self._shapes: dict[tuple[Path, str], Shape] = {}

    def payload(self, node: Node | None, *, message: str, content_type: str = "") -> ir.Payload:
        """What a message carries. A record that is made of the payload alone bears the message's name."""
        if node is None:
            content = ir.Content.BINARY if _is_binary(content_type) else ir.Content.JSON
            return ir.Payload(_bytes() if content is ir.Content.BINARY else ir.Anything(), content=content)
        shape = self.shape((node,))
        content = _content(shape, content_type)
        if content is not ir.Content.JSON:
            kind = ir.Kind.BYTES if content is ir.Content.BINARY else ir.Kind.STRING
            return ir.Payload(ir.Scalar(kind), content=content)
        unsaid: list[ir.Unsaid] = []
        payload_type: ir.Type | ir.Record
        if self._is_record(shape):
            payload_type = records.record(self, message, shape)
        else:
            payload_type = self.convert((node,), message, unsaid)
        target = self.documents.follow(node)
        definition = self._names.of_target(target) if target.identity != node.identity else ""
        schema = self._bundle.add(node, message)
        self._finish()
        return ir.Payload(payload_type, schema, content, tuple(unsaid), definition)

    def parameter(self, name: str, node: Node | None) -> ir.Type:
        """The type of a value in the handshake: path, query or header."""
        if node is None:
            return ir.Scalar(ir.Kind.STRING)
        unsaid: list[ir.Unsaid] = []
        converted = self.convert((node,), f"{name} parameter", unsaid)
        if unsaid:
            keywords = ", ".join(dict.fromkeys(repr(one.keyword) for one in unsaid))
            self.report.add(PARAMETER_KEYWORD.at(node.location, f"{keywords} of the parameter {name!r}: not checked"))
        self._finish()
        return converted

    def definitions(self) -> tuple[ir.Definition, ...]:
        """Everything that payloads refer to, in the order in which it was met."""
        found = tuple(definition for definition in self.known.values() if definition is not None)
        for alias in unions.looping(found):
            self.report.add(SCHEMA_LOOP.at(alias.location, f"the schema {alias.name!r} is made of itself"))
        return found

    def schemas(self) -> Mapping[str, object]:
        """The JSON Schema document that judges the payloads."""
        return self._bundle.document()

    def schema_place(self, pointer: str) -> Location:
        """Where in the documents the part of `schemas` at a pointer was written, or the nearest value around it."""
        return self._bundle.place(pointer)

    # --- one schema into one type ---------------------------------------------------------------------------------

    def shape(self, nodes: tuple[Node, ...]) -> Shape:
        """What schemas that all hold say together."""
        first, *others = nodes
        known = None if others else self._shapes.get(first.identity)
        if known is None:
            known = gather(self.documents, self.dialect, nodes, self.report)
            if not others:
                self._shapes[first.identity] = known
        return known

    def convert(self, nodes: tuple[Node, ...], name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
        """The type of schemas that all hold; `name` is for what needs one, `unsaid` takes what no type says."""
        target = self._only_reference(nodes)
        if target is not None:
            return self._reference(target)
        shape = self.shape(nodes)
        unsaid.extend(shape.unsaid)
        converted = self._convert_shape(shape, nodes, name, unsaid)
        nullable = shape.words.get("nullable")
        if nullable is not None and nullable.value is True and not isinstance(converted, ir.Nullable | ir.Anything):
            return ir.Nullable(converted)
        return converted

    def _convert_shape(self, shape: Shape, nodes: tuple[Node, ...], name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
        if shape.values is not None:
            chosen = constant(shape.values, shape.types)
            if chosen is None:
                keyword = "const" if "const" in shape.words else "enum"
                unsaid.append(ir.Unsaid(keyword, shape.words[keyword].location))
                return ir.Anything()
            # A listed value may still break another keyword of the schema: only the validator knows.
            self.note(shape, {"const", "enum"}, tuple(_BY_TYPE), unsaid)
            self.note(shape, {"const", "enum"}, (), unsaid)
            return chosen
        if unions.keyword(shape) is not None and not self._narrows_record(shape):
            return unions.convert(self, shape, name, unsaid)
        types = self._types(shape)
        if shape.types == () and "type" not in shape.words:
            unsaid.append(ir.Unsaid("type", shape.node.location))
        if not types:
            self.note(shape, frozenset(), tuple(_BY_TYPE), unsaid)
            self.note(shape, frozenset(), (), unsaid)
            return ir.Anything()
        members = [
            self._of_json_type(shape, nodes, json_type, name, unsaid) for json_type in types if json_type != "null"
        ]
        said = {"oneOf", "anyOf"} - {unions.keyword(shape)} if self._narrows_record(shape) else {"oneOf", "anyOf"}
        self.note(shape, said, (), unsaid)
        if not members:
            return ir.Scalar(ir.Kind.NULL)
        one = members[0] if len(members) == 1 else ir.Union(tuple(members))
        return ir.Nullable(one) if "null" in types else one

    def _of_json_type(
        self, shape: Shape, nodes: tuple[Node, ...], json_type: str, name: str, unsaid: list[ir.Unsaid]
    ) -> ir.Type:
        if json_type == "object":
            if self._is_record(shape):
                return self._named(name, nodes)
            plain = _without_nullable(shape)
            if plain is not None and self._is_record(self.shape(plain)):
                return self._named(name if name not in self.known else f"{name} value", plain)
            return self._map(shape, name, unsaid)
        if json_type == "array":
            return arrays.array(self, shape, name, unsaid)
        one, said = scalar(shape, json_type)
        family = "number" if json_type == "integer" else json_type
        self.note(shape, said, (family,), unsaid)
        return one

    def _types(self, shape: Shape) -> tuple[str, ...]:
        """The JSON types that a shape means, where it does not name them by the keywords that it uses."""
        if shape.types is not None:
            known = tuple(dict.fromkeys(t for t in shape.types if t in _JSON_TYPES))
            return tuple(t for t in known if not (t == "integer" and "number" in known))
        if shape.properties or "additionalProperties" in shape.words or "patternProperties" in shape.words:
            return ("object",)
        if shape.required:
            return ("object",)
        if "items" in shape.words or "prefixItems" in shape.words:
            return ("array",)
        return ()

    def note(
        self, shape: Shape, said: frozenset[str] | set[str], types: Sequence[str], unsaid: list[ir.Unsaid]
    ) -> None:
        """Note the assertions of a shape that nobody said: those of these types, or with no types the general ones."""
        speaking = _speaking(self.dialect, tuple(types))
        for keyword, node in shape.words.items():
            if keyword not in speaking or keyword in said:
                continue
            if keyword == "format" and shape.text("format") not in _ANNOTATION_FORMATS_KEPT:
                continue
            if keyword in ("const", "enum") and shape.values is not None:
                continue
            unsaid.append(ir.Unsaid(keyword, node.key_location))

    # --- objects ----------------------------------------------------------------------------------------------------

    def _is_record(self, shape: Shape) -> bool:
        if shape.values is not None or self._types(shape) != ("object",) or is_true(shape, "nullable"):
            return False
        if unions.keyword(shape) is not None and not self._narrows_record(shape):
            return False
        if len(shape.properties) > _MOST_PROPERTIES:
            return False
        return bool(shape.properties or shape.required) or shape.is_false("additionalProperties")

    def _narrows_record(self, shape: Shape) -> bool:
        """Whether `oneOf` or `anyOf` stands beside properties, and so only says more of one and the same record."""
        keyword = unions.keyword(shape)
        if keyword is None or not shape.properties:
            return False
        branches = [self.shape((branch,)) for branch in shape.words[keyword].elements()]
        if unions.beside(shape) and unions.is_tagged(self, shape):
            return False
        return all(b.types in (None, ("object",)) and b.values is None for b in branches)

    def _map(self, shape: Shape, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
        if len(shape.properties) > _MOST_PROPERTIES:
            place = shape.node.location
            self.report.add(TOO_MANY_PROPERTIES.at(place, f"{name!r} has {len(shape.properties):,} properties"))
            unsaid.append(ir.Unsaid("properties", place))
            return ir.Map(ir.Anything())
        if shape.properties or shape.required:
            unsaid.append(ir.Unsaid("properties", shape.node.location))
        values = shape.words.get("additionalProperties")
        said = {"additionalProperties", "properties", "required", "minProperties", "maxProperties"}
        self.note(shape, said, ("object",), unsaid)
        if "patternProperties" in shape.words and values is not None and not isinstance(values.value, bool):
            # A key that matches a pattern need not be of the type of the others.
            unsaid.append(ir.Unsaid("additionalProperties", values.key_location))
            values = None
        value = ir.Anything() if values is None else self.convert((values,), f"{name} value", unsaid)
        return ir.Map(value, length(shape.bounds.get("minProperties")), length(shape.bounds.get("maxProperties")))

    # --- references and definitions ---------------------------------------------------------------------------------

    def _only_reference(self, nodes: tuple[Node, ...]) -> Node | None:
        """The schema that a schema refers to without adding an assertion of its own."""
        if len(nodes) != 1 or not isinstance(nodes[0].value, dict):
            return None
        node = nodes[0]
        reference = node.get("$ref")
        if reference is not None and isinstance(reference.value, str):
            if self.dialect.siblings_apply and self._asserts(node):
                return None
            return self.documents.follow(node)
        branches = node.get("allOf")
        if branches is None or self._asserts(node) or node.get("nullable") is not None:
            return None
        speaking = [branch for branch in branches.elements() if self._asserts(branch) or branch.get("$ref") is not None]
        if len(speaking) != 1:
            return None
        reference = speaking[0].get("$ref")
        return self._only_reference((speaking[0],)) if reference is not None else None

    def _asserts(self, node: Node) -> bool:
        return isinstance(node.value, dict) and any(
            keyword in self.dialect.assertions and keyword != "allOf" for keyword in node.value
        )

    def _reference(self, target: Node) -> ir.Type:
        if target.value is True or target.value == {}:
            return ir.Anything()
        name = self._names.of_target(target)
        if target.identity not in self._by_target:
            self._by_target[target.identity] = name
            self._define(name, (target,))
        return ir.Ref(name)

    def _named(self, words: str, nodes: tuple[Node, ...]) -> ir.Ref:
        name = self._names.claim(words)
        self._define(name, nodes)
        return ir.Ref(name)

    def _define(self, name: str, nodes: tuple[Node, ...]) -> None:
        self.known[name] = None
        self._waiting.append((name, nodes))

    def _finish(self) -> None:
        while self._waiting:
            name, nodes = self._waiting.popleft()
            self.known[name] = self._definition(name, nodes)

    def _definition(self, name: str, nodes: tuple[Node, ...]) -> ir.Definition:
        shape = self.shape(nodes)
        location, title, description = shape.node.location, shape.text("title"), shape.text("description")
        if self._is_record(shape):
            return records.record(self, name, shape)
        unsaid: list[ir.Unsaid] = []
        converted = self.convert(nodes, name, unsaid)
        if isinstance(converted, ir.Constant) and len(converted.values) > 1:
            strings = tuple(value for value in converted.values if isinstance(value, str))
            if len(strings) == len(converted.values):
                names = _texts(shape, "x-enum-varnames") or _texts(shape, "x-enumNames")
                descriptions = _texts(shape, "x-enum-descriptions")
                return ir.Enumeration(name, strings, location, title, description, descriptions, names, tuple(unsaid))
        return ir.Alias(name, converted, location, title, description, tuple(unsaid))


@cache
def _speaking(dialect: Dialect, types: tuple[str, ...]) -> frozenset[str]:
    """The assertions of a dialect that are about these JSON types; with no types, those that are about all."""
    if not types:
        return dialect.assertions - frozenset().union(*_BY_TYPE.values())
    families = {"number" if name == "integer" else name for name in types}
    return dialect.assertions & frozenset().union(*(_BY_TYPE.get(family, frozenset()) for family in families))


def _texts(shape: Shape, keyword: str) -> tuple[str, ...]:
    node = shape.words.get(keyword)
    values = node.value if node is not None and isinstance(node.value, list) else []
    texts = tuple(value for value in values if isinstance(value, str))
    return texts if len(texts) == len(shape.values or ()) else ()


def _without_nullable(shape: Shape) -> tuple[Node, ...] | None:
    """The schema without its own `nullable`, twice so that it stays apart in the cache; None where it has none."""
    value = shape.node.value
    if not shape.is_alone or not isinstance(value, dict) or "nullable" not in value:
        return None
    own = replace(shape.node, value={word: one for word, one in value.items() if word != "nullable"})
    return (own, own)


def _is_binary(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("application/octet-stream", "application/binary") or media_type.partition("/")[0] in (
        "audio",
        "video",
        "image",
    )


def _bytes() -> ir.Scalar:
    return ir.Scalar(ir.Kind.BYTES)


def _content(shape: Shape, content_type: str) -> ir.Content:
    """SEMANTICS of a payload that is one string: bytes in a binary frame, bare text, or a JSON string."""
    is_string = shape.types == ("string",)
    if is_string and (shape.text("format") == "binary" or _is_binary(content_type)):
        return ir.Content.BINARY
    if is_string and content_type.partition("/")[0].strip().lower() == "text":
        return ir.Content.TEXT
    return ir.Content.JSON
