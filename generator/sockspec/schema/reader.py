"""Schemas into types: what each schema says that a type can say, and a note of what it cannot."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import unions
from sockspec.schema.bundle import Bundle
from sockspec.schema.dialect import Dialect
from sockspec.schema.discriminators import implied, narrowed
from sockspec.schema.names import Names
from sockspec.schema.scalars import constant, length, scalar
from sockspec.schema.shape import SCHEMA_LOOP, Shape, gather
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.walk import nearest

_OBJECT_WORDS = frozenset({"properties", "required", "additionalProperties"})
_ARRAY_WORDS = frozenset({"items", "minItems", "maxItems"})
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
_ACCESS = {"readOnly": "read-only", "writeOnly": "write-only"}
_MOST_LEFT_OUT = 3
"""How many items at the end of an array may be left out for it to have a type for each length."""
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
REQUIRED_UNDECLARED = Code(
    "required-not-declared",
    Severity.WARNING,
    "`required` names a property that `properties` does not have, most often for a slip of the pen. The member is in the "
    "package, required, of any type. Declare the property, or correct its name.",
)
PARAMETER_KEYWORD = Code(
    "parameter-keyword-not-checked",
    Severity.WARNING,
    "Parameters of the handshake are texts, which no validator of JSON sees: they are held to what a type of Python can "
    "say, and this keyword is beyond that. Check it in the server.",
)
TYPES_CONTRADICT = Code(
    "types-contradict",
    Severity.WARNING,
    "Schemas that all have to hold (`allOf`, or what stands beside `$ref`) want different types, so that no value obeys "
    "them. The validator refuses every payload that has one. Take the wrong part out.",
)


class SchemaReader:
    """Reads the schemas of one API, each once, into definitions that refer to each other by name."""

    def __init__(self, documents: Documents, report: Report, dialect: Dialect) -> None:
        self.documents = documents
        self.dialect = dialect
        self._report = report
        self._bundle = Bundle(documents, dialect, report)
        self._names = Names(documents)
        self._implied = implied(documents)
        self._by_target: dict[tuple[Path, str], str] = {}
        self._definitions: dict[str, ir.Definition | None] = {}
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
            payload_type = self._record(message, shape)
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
            self._report.add(PARAMETER_KEYWORD.at(node.location, f"{keywords} of the parameter {name!r}: not checked"))
        self._finish()
        return converted

    def definitions(self) -> tuple[ir.Definition, ...]:
        """Everything that payloads refer to, in the order in which it was met."""
        found = tuple(definition for definition in self._definitions.values() if definition is not None)
        for alias in unions.looping(found):
            self._report.add(SCHEMA_LOOP.at(alias.location, f"the schema {alias.name!r} is made of itself"))
        return found

    def schemas(self) -> Mapping[str, object]:
        """The JSON Schema document that judges the payloads."""
        return self._bundle.document()

    # --- one schema into one type ---------------------------------------------------------------------------------

    def shape(self, nodes: tuple[Node, ...]) -> Shape:
        """What schemas that all hold say together."""
        first, *others = nodes
        known = None if others else self._shapes.get(first.identity)
        if known is None:
            known = gather(self.documents, self.dialect, nodes, self._report)
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
            self._unsaid(shape, {"const", "enum"}, tuple(_BY_TYPE), unsaid)
            self._unsaid(shape, {"const", "enum"}, (), unsaid)
            return chosen
        if unions.keyword(shape) is not None and not self._narrows_record(shape):
            return unions.convert(self, shape, name, unsaid)
        types = self._types(shape)
        if shape.types == () and "type" not in shape.words:
            place = shape.node.location
            self._report.add(TYPES_CONTRADICT.at(place, "no value has the types that all parts of this schema want"))
            unsaid.append(ir.Unsaid("type", place))
        if not types:
            self._unsaid(shape, frozenset(), tuple(_BY_TYPE), unsaid)
            self._unsaid(shape, frozenset(), (), unsaid)
            return ir.Anything()
        members = [
            self._of_json_type(shape, nodes, json_type, name, unsaid) for json_type in types if json_type != "null"
        ]
        said = {"oneOf", "anyOf"} - {unions.keyword(shape)} if self._narrows_record(shape) else {"oneOf", "anyOf"}
        self._unsaid(shape, said, (), unsaid)
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
                return self._named(name if name not in self._definitions else f"{name} value", plain)
            return self._map(shape, name, unsaid)
        if json_type == "array":
            return self._array(shape, name, unsaid)
        one, said = scalar(shape, json_type)
        family = "number" if json_type == "integer" else json_type
        self._unsaid(shape, said, (family,), unsaid)
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

    def _unsaid(
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
        if shape.values is not None or self._types(shape) != ("object",) or _is_true(shape, "nullable"):
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

    def _record(self, name: str, shape: Shape) -> ir.Record:
        unsaid = list(shape.unsaid)
        closing = shape.words.get("additionalProperties")
        closed = closing is not None and closing.value is False and "patternProperties" not in shape.words
        open_or_closed = closing is None or closing.value is True or closed
        self._unsaid(shape, _OBJECT_WORDS if open_or_closed else {"properties", "required"}, ("object",), unsaid)
        keyword = unions.keyword(shape)
        self._unsaid(shape, {"oneOf", "anyOf"} - {keyword}, (), unsaid)
        fields = [
            self._field(wire_name, tuple(nodes), f"{name} {wire_name}", wire_name in shape.required, unsaid)
            for wire_name, nodes in shape.properties.items()
        ]
        said = self._implied.get(shape.node.identity)
        if said is not None:
            fields = [narrowed(field, said, self._definitions) or field for field in fields]
        fields += self._branch_fields(name, shape, unsaid)
        extra = None if closed else self._extra(name, shape, unsaid)
        declared = {field.wire_name for field in fields}
        undeclared = [wire_name for wire_name in shape.required if wire_name not in declared]
        if undeclared and shape.properties:
            near = nearest(undeclared[0], declared)
            self._report.add(
                REQUIRED_UNDECLARED.at(
                    shape.node.location,
                    f"{', '.join(map(repr, undeclared))} required, and not among the properties",
                    hint=f"did you mean {near!r}?" if near is not None else "",
                )
            )
        fields += [ir.Field(wire_name, ir.Anything(), True, shape.node.location) for wire_name in undeclared]
        if closed and undeclared:
            # Required and forbidden at once: nothing obeys such a schema, and only the validator can say so.
            unsaid.append(ir.Unsaid("required", shape.node.location))
        return ir.Record(
            name,
            tuple(fields),
            shape.node.location,
            closed,
            shape.text("title"),
            shape.text("description"),
            _is_true(shape, "deprecated"),
            tuple(unsaid),
            extra,
        )

    def _extra(self, name: str, shape: Shape, unsaid: list[ir.Unsaid]) -> ir.Type | None:
        """The type of the values of undeclared properties, where the schema gives one."""
        closing, patterns = shape.words.get("additionalProperties"), shape.words.get("patternProperties")
        schemas = [schema for _, schema in patterns.items()] if patterns is not None else []
        if closing is not None and not isinstance(closing.value, bool) and closing.value != {}:
            schemas.append(closing)
        elif (schemas and not shape.is_false("additionalProperties")) or "minProperties" in shape.words:
            # Without its other properties an object may have too few of them.
            return ir.Anything()
        types = [self.convert((schema,), f"{name} value", unsaid) for schema in schemas if schema.value is not False]
        return unions.one_of_types(types) if types else None

    def _branch_fields(self, name: str, shape: Shape, unsaid: list[ir.Unsaid]) -> list[ir.Field]:
        """Properties that a record has only in some branches, or on some condition: optional in the record."""
        keyword = unions.keyword(shape)
        branches = list(shape.words[keyword].elements()) if keyword is not None else []
        for condition in ("then", "else"):
            branches += [shape.words[condition]] if "if" in shape.words and condition in shape.words else []
        for dependent in ("dependentSchemas", "dependencies"):
            found_schemas = shape.words.get(dependent)
            schemas = [node for _, node in found_schemas.items()] if found_schemas is not None else []
            branches += [node for node in schemas if isinstance(node.value, dict)]
        found: dict[str, list[Node]] = {}
        for branch in branches:
            for wire_name, nodes in self.shape((branch,)).properties.items():
                if wire_name not in shape.properties:
                    found.setdefault(wire_name, []).append(nodes[0])
        return [
            self._field(wire_name, (nodes[0],), f"{name} {wire_name}", False, unsaid)
            if len(nodes) == 1
            else ir.Field(wire_name, ir.Anything(), False, nodes[0].key_location, nodes[0].text("description"))
            for wire_name, nodes in found.items()
        ]

    def _field(
        self, wire_name: str, nodes: tuple[Node, ...], name: str, required: bool, unsaid: list[ir.Unsaid]
    ) -> ir.Field:
        shape = self.shape(nodes)
        default = shape.words.get("default")
        own = nodes[-1]
        description = own.text("description") or shape.text("description")
        return ir.Field(
            wire_name,
            self.convert(nodes, name, unsaid),
            required,
            own.key_location,
            description,
            default.value if default is not None else None,
            default is not None,
            _is_true(shape, "deprecated"),
            own.text("x-python-name"),
            next((access for keyword, access in _ACCESS.items() if _is_true(shape, keyword)), ""),
        )

    def _map(self, shape: Shape, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
        if len(shape.properties) > _MOST_PROPERTIES:
            place = shape.node.location
            self._report.add(TOO_MANY_PROPERTIES.at(place, f"{name!r} has {len(shape.properties):,} properties"))
            unsaid.append(ir.Unsaid("properties", place))
            return ir.Map(ir.Anything())
        if shape.properties or shape.required:
            unsaid.append(ir.Unsaid("properties", shape.node.location))
        values = shape.words.get("additionalProperties")
        said = {"additionalProperties", "properties", "required", "minProperties", "maxProperties"}
        self._unsaid(shape, said, ("object",), unsaid)
        if "patternProperties" in shape.words and values is not None and not isinstance(values.value, bool):
            # A key that matches a pattern need not be of the type of the others.
            unsaid.append(ir.Unsaid("additionalProperties", values.key_location))
            values = None
        value = ir.Anything() if values is None else self.convert((values,), f"{name} value", unsaid)
        return ir.Map(value, length(shape.bounds.get("minProperties")), length(shape.bounds.get("maxProperties")))

    # --- arrays -----------------------------------------------------------------------------------------------------

    def _array(self, shape: Shape, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
        positions = shape.words.get(self.dialect.tuple_keywords[0])
        low, high = length(shape.bounds.get("minItems")), length(shape.bounds.get("maxItems"))
        if positions is not None and isinstance(positions.value, list):
            return self._positions(shape, positions, name, unsaid)
        self._unsaid(shape, _ARRAY_WORDS, ("array",), unsaid)
        items_word = shape.words.get("items")
        item = ir.Anything() if items_word is None else self.convert((items_word,), f"{name} item", unsaid)
        return ir.Array(item, low, high)

    def _positions(self, shape: Shape, positions: Node, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
        """Items told apart by position: as many types as there are lengths that leave out items at the end."""
        positions_word, rest_word = self.dialect.tuple_keywords
        low, high = length(shape.bounds.get("minItems")) or 0, length(shape.bounds.get("maxItems"))
        elements = list(positions.elements())
        count = len(elements)
        is_closed = shape.is_false(rest_word) or (high is not None and high <= count)
        longest = count if high is None else min(high, count)
        if not count or not longest or longest - low > _MOST_LEFT_OUT or low > count:
            self._unsaid(shape, {"minItems", "maxItems"}, ("array",), unsaid)
            return ir.Array(ir.Anything(), low or None, high)
        said = {positions_word, rest_word, "minItems", "maxItems"}
        self._unsaid(shape, said if is_closed else {positions_word}, ("array",), unsaid)
        items = tuple(self.convert((item,), f"{name} {at}", unsaid) for at, item in enumerate(elements[:longest]))
        rest: ir.Type | None = None
        if not is_closed:
            rest_schema = shape.words.get(rest_word)
            rest = ir.Anything() if rest_schema is None else self.convert((rest_schema,), f"{name} rest", unsaid)
            unsaid.append(ir.Unsaid(positions_word, positions.key_location))
        tuples = [ir.Tuple(items[:shorter]) for shorter in range(low, longest)]
        return ir.Union((ir.Tuple(items, rest), *reversed(tuples))) if tuples else ir.Tuple(items, rest)

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
        self._definitions[name] = None
        self._waiting.append((name, nodes))

    def _finish(self) -> None:
        while self._waiting:
            name, nodes = self._waiting.popleft()
            self._definitions[name] = self._definition(name, nodes)

    def _definition(self, name: str, nodes: tuple[Node, ...]) -> ir.Definition:
        shape = self.shape(nodes)
        location, title, description = shape.node.location, shape.text("title"), shape.text("description")
        if self._is_record(shape):
            return self._record(name, shape)
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


def _is_true(shape: Shape, keyword: str) -> bool:
    node = shape.words.get(keyword)
    return node is not None and node.value is True


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
