"""What is said of two versions of a schema: one change for one edit, where it was made, and with what effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sockspec.diff.schemas import KINDS, Effect, SchemaChange, compare
from tests.schemas import IT, Schema, changes, document

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NULL: Schema = {"type": "null"}


def thing(**properties: Schema) -> dict[str, Any]:
    """An object; a property whose name ends in `_` is required."""
    return {
        "type": "object",
        "properties": {name.rstrip("_"): schema for name, schema in properties.items()},
        "required": [name.rstrip("_") for name in properties if name.endswith("_")],
    }


def tagged(tag: str, **properties: Schema) -> Schema:
    return thing(kind_={"const": tag}, **properties)


def shown(change: SchemaChange) -> str:
    strict = "" if change.strict is change.effect else f"/{change.strict.value}"
    return f"{change.kind} {'.'.join(change.path)} {change.effect.value}{strict}: {change.detail}"


CLOSED = {"additionalProperties": False}
LIST = {"type": "array"}

CASES: list[tuple[Schema, Schema, list[str]]] = [
    (thing(a=TEXT), thing(a=TEXT, b=WHOLE), ["property-added-optional b none/narrowed: 'b' is new"]),
    (thing(a=TEXT), thing(a=TEXT, b={}), ["property-added-optional b none: 'b' is new"]),
    (thing(a=TEXT), thing(a=TEXT, b_=WHOLE), ["property-added-required b narrowed: 'b' is new"]),
    (thing(a=TEXT) | CLOSED, thing(a=TEXT, b=TEXT) | CLOSED, ["property-added-optional b widened: 'b' is new"]),
    (thing(a=TEXT) | CLOSED, thing(a=TEXT, b_=TEXT) | CLOSED, ["property-added-required b both: 'b' is new"]),
    (
        thing(a=TEXT) | {"additionalProperties": TEXT},
        thing(a=TEXT, b=WHOLE) | {"additionalProperties": TEXT},
        ["property-added-optional b both: 'b' is new"],
    ),
    (thing(a=TEXT) | {"required": ["b"]}, thing(a=TEXT, b_=WHOLE), ["property-added-required b narrowed: 'b' is new"]),
    (thing(a=TEXT), thing(a_=TEXT), ["property-became-required a narrowed: 'a' has to be there"]),
    (thing(a=thing(b=TEXT)), thing(a=thing(b=WHOLE)), ["type-changed a.b both: 'string' became 'integer'"]),
    (thing(a=WHOLE), thing(a={"type": "number"}), ["type-widened a widened: 'integer' became 'number'"]),
    (thing(a=TEXT), thing(a={}), ["type-widened a widened: 'string' became any type"]),
    (thing(a=TEXT), thing(a=False), ["type-narrowed a narrowed: 'string' became nothing"]),
    (thing(a=TEXT), thing(a={"type": ["string", "null"]}), ["nullable-added a widened: null is allowed"]),
    (thing(a=TEXT), thing(a={"anyOf": [TEXT, NULL]}), ["nullable-added a widened: null is allowed"]),
    (
        thing(a={"enum": ["x", None], "type": ["string", "null"]}),
        thing(a={"enum": ["x"], "type": "string"}),
        ["nullable-removed a narrowed: null is not allowed any more"],
    ),
    (
        {"oneOf": [{"type": "string", "minLength": 3}, NULL]},
        {"type": ["string", "null"], "minLength": 2},
        ["min-length-lowered  widened: '3' became '2'"],
    ),
    (
        {"enum": ["a", "b"]},
        {"enum": ["b", 1]},
        ["enum-value-removed  narrowed: 'a' is gone", "enum-value-added  widened: '1' is new"],
    ),
    ({"const": "a"}, {"enum": ["b", "a"]}, ["enum-value-added  widened: 'b' is new"]),
    (TEXT, {"type": "string", "enum": ["a"]}, ["enum-added  narrowed: only 'a' is allowed"]),
    (tagged("a"), tagged("b"), ["const-changed kind both: 'a' became 'b'"]),
    (
        {"type": "integer", "minimum": 1},
        {"type": "integer", "exclusiveMinimum": 0},
        [],
    ),
    ({"minimum": 1}, {"minimum": 2.5}, ["minimum-raised  narrowed: '1' became '2.5'"]),
    ({"maximum": 9}, {"maximum": 8}, ["maximum-lowered  narrowed: '9' became '8'"]),
    (WHOLE, {"type": "integer", "maximum": 8}, ["maximum-added  narrowed: '8' is asked for"]),
    (WHOLE, {"type": "integer", "minimum": 8}, ["minimum-added  narrowed: '8' is asked for"]),
    (TEXT, {"type": "string", "minLength": 1}, ["min-length-added  narrowed: '1' is asked for"]),
    ({"maxLength": 1}, {"maxLength": 2}, ["max-length-raised  widened: '1' became '2'"]),
    (TEXT, {"type": "string", "maxLength": 1}, ["max-length-added  narrowed: '1' is asked for"]),
    (LIST, LIST | {"minItems": 1}, ["min-items-added  narrowed: '1' is asked for"]),
    ({"minItems": 1}, {"minItems": 2}, ["min-items-raised  narrowed: '1' became '2'"]),
    (LIST, LIST | {"maxItems": 1}, ["max-items-added  narrowed: '1' is asked for"]),
    ({"maxItems": 1}, {"maxItems": 2}, ["max-items-raised  widened: '1' became '2'"]),
    (thing(), thing() | {"minProperties": 1}, ["min-properties-added  narrowed: '1' is asked for"]),
    ({"minProperties": 1}, {"minProperties": 2}, ["min-properties-raised  narrowed: '1' became '2'"]),
    (thing(), thing() | {"maxProperties": 1}, ["max-properties-added  narrowed: '1' is asked for"]),
    ({"maxProperties": 1}, {"maxProperties": 2}, ["max-properties-raised  widened: '1' became '2'"]),
    (WHOLE, {"type": "integer", "multipleOf": 5}, ["multiple-of-added  narrowed: '5' is asked for"]),
    ({"multipleOf": 6}, {"multipleOf": 3}, ["multiple-of-changed  widened: '6' became '3'"]),
    ({"multipleOf": 6}, {"multipleOf": 4}, ["multiple-of-changed  both: '6' became '4'"]),
    ({"multipleOf": 0.3}, {"multipleOf": 0.1}, ["multiple-of-changed  unproven: '0.3' became '0.1'"]),
    (TEXT, {"type": "string", "pattern": "^a"}, ["pattern-added  narrowed: '^a' is asked for"]),
    ({"pattern": "^a"}, {"pattern": "^b"}, ["pattern-changed  unproven: '^a' became '^b'"]),
    ({"enum": ["ab"], "pattern": "^a"}, {"enum": ["ab"], "pattern": "b$"}, []),
    (TEXT, {"type": "string", "format": "date"}, ["format-added  narrowed: 'date' is asked for"]),
    (TEXT, {"type": "string", "format": "email"}, ["format-added  none: 'email' is asked for"]),
    ({"format": "date"}, {"format": "email"}, ["format-changed  widened: 'date' became 'email'"]),
    (LIST, LIST | {"uniqueItems": True}, ["unique-items-added  narrowed: items have to differ"]),
    (LIST, LIST | {"items": TEXT}, ["items-added [] narrowed: items are held to a schema"]),
    (
        LIST | {"items": thing(a=TEXT)},
        LIST | {"items": thing(a_=TEXT)},
        ["property-became-required [].a narrowed: 'a' has to be there"],
    ),
    (
        LIST | {"items": [TEXT]},
        LIST | {"items": [TEXT, WHOLE]},
        ["tuple-item-added [1] narrowed: the item at '1' has a schema of its own"],
    ),
    (
        thing(a=TEXT),
        thing(a=TEXT) | CLOSED,
        ["additional-properties-closed {} narrowed: other properties are not allowed any more"],
    ),
    (
        thing(a=TEXT),
        thing(a=TEXT) | {"additionalProperties": WHOLE},
        ["additional-properties-added {} narrowed: other properties are held to a schema"],
    ),
    (
        {"additionalProperties": thing(a=TEXT)},
        {"additionalProperties": thing(a=WHOLE)},
        ["type-changed {}.a both: 'string' became 'integer'"],
    ),
    (
        thing(),
        thing() | {"patternProperties": {"^x-": TEXT}},
        ["pattern-properties-added {^x-} narrowed: names that match '^x-' have a schema of their own"],
    ),
    (
        {"patternProperties": {"^x-": TEXT}},
        {"patternProperties": {"^x-": WHOLE}},
        ["type-changed {^x-} both: 'string' became 'integer'"],
    ),
    (
        {"oneOf": [TEXT, WHOLE]},
        {"oneOf": [WHOLE, TEXT, {"type": "boolean"}]},
        ["union-member-added  widened: the alternative 'boolean' is new"],
    ),
    (
        {"oneOf": [TEXT, {}]},
        {"oneOf": [TEXT, {}, WHOLE]},
        ["union-member-added  unproven: the alternative 'integer' is new"],
    ),
    (TEXT, {"anyOf": [WHOLE, TEXT]}, ["union-member-added  widened: the alternative 'integer' is new"]),
    (
        {"oneOf": [tagged("a", x=TEXT), tagged("b"), tagged("d")]},
        {"oneOf": [tagged("c"), tagged("b"), tagged("a", x=WHOLE)]},
        [
            "union-member-removed  narrowed: the alternative 'kind': 'd' is gone",
            "union-member-added  widened: the alternative 'kind': 'c' is new",
            "type-changed x both: 'string' became 'integer'",
        ],
    ),
    ({"anyOf": [TEXT, WHOLE]}, {"oneOf": [TEXT, WHOLE]}, []),
    (
        thing(a=TEXT),
        thing(a=TEXT) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        ["union-added  narrowed: 'anyOf' is new"],
    ),
    (TEXT, {"type": "string", "not": {"const": "x"}}, ["not-changed  narrowed: 'not' is new"]),
    ({"not": TEXT}, {"not": {"type": ["string", "null"]}}, ["not-changed  narrowed: 'not' changed"]),
    (LIST | {"contains": TEXT}, LIST | {"contains": {}}, ["contains-changed  widened: 'contains' changed"]),
    (
        {"if": TEXT, "then": {"minLength": 1}},
        {"if": TEXT, "then": {"maxLength": 1}},
        ["condition-changed  unproven: 'if' and 'then' changed"],
    ),
    (
        {"propertyNames": {"maxLength": 3}},
        {"propertyNames": {"maxLength": 2}},
        ["property-names-changed  narrowed: 'propertyNames' changed"],
    ),
    (
        {"dependencies": {"a": ["b"]}},
        {"dependencies": {"a": ["b", "c"]}},
        ["dependencies-changed  narrowed: 'dependencies' changed"],
    ),
    (
        {"type": "string", "default": "a"},
        {"type": "string", "default": "b"},
        ["default-changed  none: '\"a\"' became '\"b\"'"],
    ),
    (TEXT, {"type": "string", "deprecated": True}, ["deprecated  none: is deprecated"]),
    ({"allOf": [thing(a=TEXT), thing(b_=WHOLE)]}, thing(a=TEXT, b_=WHOLE), []),
    ({"enum": [1, 2, 3]}, {"type": "integer", "minimum": 1, "maximum": 3}, []),
    ({"type": "boolean"}, {"enum": [True, False]}, []),
    (thing(a={"enum": [1]}), thing(a={"const": 1.0}), []),
    (
        {"oneOf": [tagged("a"), tagged("b")]},
        thing(kind_={"enum": ["a", "b"]}),
        [],
    ),
]
"""An old schema, a new one, and what is said of them."""


@pytest.mark.parametrize(("old", "new", "said"), CASES, ids=[f"{at}" for at in range(len(CASES))])
def test_an_edit_is_told_once_where_it_was_made(old: Schema, new: Schema, said: list[str]) -> None:
    assert list(map(shown, changes(old, new))) == said


def test_every_kind_is_shown_by_a_case_or_by_its_mirror() -> None:
    reached = {change.kind for old, new, _ in CASES for pair in ((old, new), (new, old)) for change in changes(*pair)}
    assert {"schema-changed", "unevaluated-changed", "tuple-item-removed", "union-changed"} >= KINDS.keys() - reached


def test_the_mirror_of_a_kind_is_a_kind_whose_mirror_it_is() -> None:
    assert [kind.id for kind in KINDS.values() if KINDS[kind.mirror].mirror != kind.id] == []


def test_what_two_properties_refer_to_is_told_once_and_two_edits_alike_are_told_twice() -> None:
    user = thing(a={"$ref": "#/definitions/Name"}, b={"$ref": "#/definitions/Name"}, c=TEXT, d=TEXT)
    changed = thing(a={"$ref": "#/definitions/Name"}, b={"$ref": "#/definitions/Name"}, c=WHOLE, d=WHOLE)
    found = compare(document(user, Name=TEXT), IT, document(changed, Name=WHOLE), IT)
    assert [(change.path, change.new_pointer) for change in found] == [
        (("a",), "#/definitions/Name/type"),
        (("c",), "#/definitions/It/properties/c/type"),
        (("d",), "#/definitions/It/properties/d/type"),
    ]


def tree(name: str, value: Schema) -> Schema:
    return thing(value_=value, kids={"type": "array", "items": {"$ref": f"#/definitions/{name}"}})


def test_a_recursive_schema_is_walked_once_and_proven_by_induction() -> None:
    renamed = compare(
        document({"$ref": "#/definitions/A"}, A=tree("A", TEXT)), IT, document(tree("B", TEXT), B=tree("B", TEXT)), IT
    )
    widened = compare(
        document({"$ref": "#/definitions/A"}, A=tree("A", WHOLE)),
        IT,
        document({"$ref": "#/definitions/A"}, A=tree("A", {"type": "number"})),
        IT,
    )
    assert renamed == ()
    assert list(map(shown, widened)) == ["type-widened value widened: 'integer' became 'number'"]


def test_what_stands_beside_a_reference_counts_by_draft_2020_12_only() -> None:
    beside = {"$ref": "#/definitions/Name", "minLength": 3}
    seventh = document({"$ref": "#/definitions/Name"}, Name=TEXT)
    later = {"$schema": "https://json-schema.org/draft/2020-12/schema", "definitions": {"It": beside, "Name": TEXT}}
    assert compare(seventh, IT, document(beside, Name=TEXT), IT) == ()
    assert list(map(shown, compare(seventh, IT, later, IT))) == ["min-length-added  narrowed: '3' is asked for"]


def later_draft(schema: Schema, **definitions: Schema) -> dict[str, Any]:
    return document(schema, **definitions) | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def test_what_is_left_over_is_the_same_only_where_it_is_written_alike() -> None:
    # `additionalProperties: true` asserts nothing, and yet nothing is left over where it stands.
    old = later_draft(thing(a=TEXT) | {"unevaluatedProperties": False, "additionalProperties": True})
    new = later_draft(thing(a=TEXT) | {"unevaluatedProperties": False})
    assert compare(old, IT, later_draft(old["definitions"]["It"]), IT) == ()
    (found,) = compare(old, IT, new, IT)
    assert (found.kind, found.effect, found.detail) == (
        "schema-changed",
        Effect.UNPROVEN,
        "it could not be proven that 'unevaluatedProperties' means the same",
    )


def test_a_schema_with_unevaluated_properties_is_the_same_as_itself_however_it_refers_to_others() -> None:
    closed = {"allOf": [{"$ref": "#/definitions/Part"}], "unevaluatedProperties": False}
    old, other = later_draft(closed, Part=thing(a=TEXT)), later_draft(closed, Part=thing(a=WHOLE))
    assert compare(old, IT, later_draft(closed, Part=thing(a=TEXT)), IT) == ()
    assert "type-changed" in [change.kind for change in compare(old, IT, other, IT)]


def nested(depth: int, leaf: Schema) -> Schema:
    for _ in range(depth):
        leaf = thing(a_=leaf)
    return leaf


def doubled(word: str, depth: int, leaf: Schema) -> Schema:
    for at in range(depth):
        leaf = {word: [leaf, {"required": [f"p{at}"], "properties": {"a": leaf}}]}
    return leaf


def web(word: str) -> dict[str, Any]:
    """Definitions that all refer to all others."""
    names = [f"N{at}" for at in range(12)]
    every = {word: [thing(**{f"{name}_": {"$ref": f"#/definitions/{name}"}}) for name in names]}
    return dict.fromkeys(names, every)


HOSTILE: dict[str, Callable[[], tuple[dict[str, Any], dict[str, Any]]]] = {
    "deep": lambda: (document(nested(450, TEXT)), document(nested(450, WHOLE))),
    "doubled anyOf": lambda: (document(doubled("anyOf", 40, TEXT)), document(doubled("anyOf", 40, WHOLE))),
    "doubled oneOf": lambda: (document(doubled("oneOf", 30, TEXT)), document(doubled("oneOf", 30, WHOLE))),
    "many choices": lambda: (
        document({"allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(30)]}),
        document({"allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"c{n}"]}]} for n in range(30)]}),
    ),
    "all to all": lambda: (
        document({"$ref": "#/definitions/N0"}, **web("oneOf")),
        document({"$ref": "#/definitions/N0"}, **web("anyOf")),
    ),
    "expressions that take for ever": lambda: (
        document({"enum": ["a" * 40 + "!"], "patternProperties": {"^(a|a?)+$": TEXT}}),
        document({"pattern": "^(a+)+$", "properties": {"a" * 40 + "!": WHOLE}}),
    ),
    "a reference to itself": lambda: (document({"$ref": IT}), document({"allOf": [{"$ref": IT}, TEXT]})),
    "references that lead nowhere": lambda: (
        document({"$ref": "#/definitions/None"}),
        document({"$ref": "other.json#/It"}),
    ),
    "no schema at all": lambda: (
        document({"type": 5, "enum": 3, "minimum": "x", "properties": [], "items": 7, "allOf": {}, "not": 5}),
        document({"required": [1], "anyOf": [3], "pattern": "(", "multipleOf": 0, "const": float("nan")}),
    ),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_schemas_are_compared_within_bounds(hostile: str) -> None:
    old, new = HOSTILE[hostile]()
    found = compare(old, IT, new, IT)
    assert any(change.effect.may_narrow for change in found)
    assert any(change.effect.may_narrow for change in compare(new, IT, old, IT))
    assert compare(old, IT, old, IT) == () or hostile == "references that lead nowhere"
