"""What the reader of messages has to know of a schema: what to call it, and whether it is one message or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import unescape

_TYPES = frozenset("object array string number integer boolean null".split())
ANNOTATIONS = frozenset(
    "title summary description deprecated example examples $comment externalDocs discriminator".split()
)
"""Keywords that describe and cannot make a payload invalid."""


def is_schema(node: Node) -> bool:
    """Whether a value can only be meant as a schema, and not as a map of names."""
    value = node.value
    if isinstance(value, bool):
        return True
    if not isinstance(value, dict):
        return False
    texts = [value[word] for word in ("title", "summary", "description") if word in value]
    if node.reference is not None or (value.keys() <= ANNOTATIONS and all(isinstance(text, str) for text in texts)):
        return True
    properties, named_type = value.get("properties"), value.get("type")
    return (
        (isinstance(named_type, str) and named_type in _TYPES)
        or isinstance(named_type, list)
        or any(isinstance(value.get(keyword), list) for keyword in ("oneOf", "anyOf", "allOf", "enum"))
        or isinstance(value.get("const"), str | int | float)
        or (isinstance(properties, dict) and all(isinstance(one, dict | bool) for one in properties.values()))
    )


def component(documents: Documents, name: str) -> Node | None:
    """The component schema of that name."""
    components = documents.root.get("components")
    schemas = components.get("schemas") if components is not None else None
    return schemas.get(name) if schemas is not None else None


def component_names(documents: Documents) -> list[str]:
    """The names of all component schemas."""
    components = documents.root.get("components")
    schemas = components.get("schemas") if components is not None else None
    return [name for name, _ in schemas.items()] if schemas is not None else []


def reference_to(target: Node, stands: Node) -> Node:
    """A reference to a value of the root document, as if it were written where another value stands."""
    return Node({"$ref": f"#{target.pointer}"}, target.document, f"{stands.pointer}/$ref")


def properties(documents: Documents, schema: Node) -> Mapping[str, Node]:
    """The properties of a schema, those of its `allOf` branches among them."""
    found: dict[str, Node] = {}
    for part in _parts(documents, schema):
        own = part.get("properties")
        if own is not None:
            for wire_name, node in own.items():
                found.setdefault(wire_name, node)
    return found


def required(documents: Documents, schema: Node) -> list[str]:
    """The names of the properties that a schema requires."""
    found: dict[str, None] = {}
    for part in _parts(documents, schema):
        names = part.get("required")
        if names is not None:
            found.update((one.value, None) for one in names.elements() if isinstance(one.value, str))
    return [*found]


def is_object(documents: Documents, schema: Node) -> bool:
    """Whether a schema describes objects: it says so, or it has properties and does not say otherwise."""
    types = [part.get("type") for part in _parts(documents, schema)]
    said = [node.value for node in types if node is not None]
    return "object" in said if said else bool(properties(documents, schema))


def constant(documents: Documents, schema: Node, wire_name: str) -> str | None:
    """The only text that a property may be (`const`, or an `enum` of one); None where there is none such."""
    for part in _parts(documents, schema):
        own = part.get("properties")
        node = own.get(wire_name) if own is not None else None
        if node is None:
            continue
        for said in _parts(documents, node):
            value = said.get("const")
            allowed = said.get("enum")
            if value is None and allowed is not None and isinstance(allowed.value, list) and len(allowed.value) == 1:
                value = next(allowed.elements())
            if value is not None and isinstance(value.value, str):
                return value.value
    return None


def _parts(documents: Documents, schema: Node) -> Iterator[Node]:
    """A schema and everything that has to hold with it, through references and `allOf`, the nearer first."""
    waiting, seen = [schema], set[tuple[object, str]]()
    while waiting:
        node = waiting.pop()
        if node.identity in seen:
            continue
        seen.add(node.identity)
        yield node
        branches = node.get("allOf")
        if branches is not None:
            waiting.extend(reversed(list(branches.elements())))
        if node.reference is not None:
            target = documents.target(node)
            if target is not None:
                waiting.append(target)


def members(documents: Documents, schema: Node) -> list[Node] | None:
    """The schemas of which a schema is one, where it is nothing but that; None where it says more.

    Unions within the union are opened too. A member that leads back to the union is left out.
    """
    if _branches(documents, schema) is None:
        return None
    found: list[Node] = []
    waiting, seen = [schema], set[tuple[object, str]]()
    while waiting:
        node = waiting.pop()
        target = documents.follow(node).identity
        if target in seen:
            continue
        seen.add(target)
        branches = _branches(documents, node)
        if branches is None:
            found.append(node)
        else:
            waiting.extend(reversed(branches))
    return found


def _branches(documents: Documents, schema: Node) -> list[Node] | None:
    union = documents.follow(schema)
    if not isinstance(union.value, dict) or (schema.reference is not None and _says_more(schema, "$ref")):
        return None
    for keyword in ("oneOf", "anyOf"):
        branches = union.get(keyword)
        if branches is None or not isinstance(branches.value, list) or not branches.value:
            continue
        listed = list(branches.elements())
        if not _says_more(union, keyword):
            return listed
        all_objects = all(documents.follow(one).text("type") == "object" for one in listed)
        return listed if all_objects and not _says_more(union, keyword, "type") else None
    return None


def _says_more(schema: Node, *keywords: str) -> bool:
    """Whether a schema has keywords that can make a payload invalid beside these."""
    return any(
        keyword not in keywords and keyword not in ANNOTATIONS and not keyword.startswith("x-")
        for keyword, _ in schema.items()
    )


def name(documents: Documents, schema: Node) -> str:
    """What to call a schema: by its place among the components, its title, or what is constant in it; else empty."""
    if schema.reference is not None:
        target = documents.target(schema)
        tokens = [unescape(token) for token in target.pointer.split("/")] if target is not None else []
        named = next((token for token in reversed(tokens) if token and not token.isdigit()), "")
        return named or (target.document.path.name.partition(".")[0] if target is not None else "")
    title = schema.text("title").strip()
    if title:
        return title
    only = unwrapped(schema)
    return name(documents, only) if only is not schema else _constant_name(documents, schema)


def unwrapped(schema: Node) -> Node:
    """The reference in a schema that is nothing but an `allOf` of it, as is written to describe it anew."""
    branches = schema.get("allOf")
    only = list(branches.elements()) if branches is not None and not _says_more(schema, "allOf") else []
    return only[0] if len(only) == 1 and only[0].reference is not None else schema


def _constant_name(documents: Documents, schema: Node) -> str:
    """The tag of a schema: the value of its first constant property, or its only property where there is but one."""
    own = properties(documents, schema)
    for wire_name in ("type", *own) if "type" in own else own:
        value = constant(documents, schema, wire_name)
        if value:
            return value
    needed = required(documents, schema)
    return needed[0] if len(needed) == 1 and len(own) == 1 else ""
