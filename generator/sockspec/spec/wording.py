"""What to tell people about the faults that `structure` finds: a code, words, a place, and how to mend it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.spec.source import Document, Json, escape
from sockspec.spec.structure import Fault, Path, is_type
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNKNOWN_PROPERTY = Code(
    "unknown-property",
    Severity.ERROR,
    "The specification has no property of that name in this place. It is misspelt, stands at the wrong level, or comes "
    "from another version. Properties of your own begin with `x-`.",
)
MISSING_PROPERTY = Code(
    "missing-property",
    Severity.ERROR,
    "A property that the specification requires is not there. The place is the object's that lacks it.",
)
WRONG_TYPE = Code(
    "wrong-type",
    Severity.ERROR,
    "The value is of another kind than the specification wants: a text where a mapping belongs, for example. A key "
    "with nothing after it has the value null.",
)
NOT_ALLOWED_VALUE = Code(
    "not-allowed-value",
    Severity.ERROR,
    "The specification lists the values that may stand here, and this is none of them. They are case-sensitive.",
)
INVALID_VALUE = Code(
    "invalid-value",
    Severity.ERROR,
    "The value is of the right kind but out of bounds: empty, too long, too large, repeated, not of the form that the "
    "specification asks for, or at odds with another property.",
)
OFFICIALLY_REFUSED = Code(
    "officially-refused",
    Severity.WARNING,
    "The specification's text allows this, and it is read as it is meant. But AsyncAPI's official JSON Schema refuses "
    "it, and with it most other tools.",
)
INVALID_FORMAT = Code(
    "invalid-format",
    Severity.WARNING,
    "The specification wants an absolute URL or an e-mail address here, and the text is none. Nothing is generated "
    "from it, but tools that check formats refuse the document.",
)

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
_CODES = {
    "additionalProperties": UNKNOWN_PROPERTY,
    "unevaluatedProperties": UNKNOWN_PROPERTY,
    "required": MISSING_PROPERTY,
    "type": WRONG_TYPE,
    "enum": NOT_ALLOWED_VALUE,
    "const": NOT_ALLOWED_VALUE,
    "format": INVALID_FORMAT,
}
_FEW = 12
"""How many names are listed at most."""

_SLIP = 0.75


def diagnostics(faults: Iterable[Fault], document: Document) -> Iterator[Diagnostic]:
    """The faults in words, without those that only follow from others."""
    for fault in _causes(list(faults)):
        code = _CODES.get(fault.keyword, INVALID_VALUE)
        if fault.schema.get("tolerated"):
            code = OFFICIALLY_REFUSED
        elif _lacks_one_of(fault):
            code = MISSING_PROPERTY
        path = (*fault.path, fault.name) if code is UNKNOWN_PROPERTY else fault.path
        at_key = code in (UNKNOWN_PROPERTY, MISSING_PROPERTY) or fault.keyword == "propertyNames"
        yield code.at(document.locate(pointer(path), key=at_key), message(fault), hint=_hint(fault))


def pointer(path: Path) -> str:
    """A path as a JSON pointer."""
    return "".join(f"/{escape(str(key))}" for key in path)


def subject(path: Path) -> str:
    """The value at a path in a few words: `'action'`, `'tags[2]'`."""
    indexes = ""
    for key in reversed(path):
        if isinstance(key, str):
            return quoted(key + indexes)
        indexes = f"[{key}]{indexes}"
    return quoted(indexes) if indexes else "the document"


def shown(value: Json) -> str:
    """A value in a few words, quoted where it is text."""
    match value:
        case str():
            return quoted(value)
        case dict():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return json.dumps(value)


def listed(values: Iterable[Json], word: str = "or") -> str:
    """`'a', 'b' or 'c'`."""
    *others, last = [shown(value) for value in values]
    return f"{', '.join(others)} {word} {last}" if others else last


def kinds(expected: str | list[str]) -> str:
    """JSON types in plain words: `a mapping or a list`."""
    names = [_KINDS[each] for each in ([expected] if isinstance(expected, str) else expected)]
    return " or ".join(names)


def _causes(faults: list[Fault]) -> Iterator[Fault]:
    """Of the faults of one value the first; and no missing property of an object that has it under a misspelt name, or
    that is a reference where none belongs.
    """
    missing: dict[Path, list[str]] = {}
    for fault in faults:
        if fault.keyword == "required":
            missing.setdefault(fault.path, []).append(fault.name)
    misspelt: set[tuple[Path, str]] = set()
    references: set[Path] = set()
    for fault in faults:
        if fault.keyword == "additionalProperties":
            near = nearest(fault.name, _unused(fault) | dict.fromkeys(missing.get(fault.path, [])))
            if near is not None:
                misspelt.add((fault.path, near))
            if fault.name == "$ref":
                references.add(fault.path)
    judged: set[Path] = set()
    for fault in faults:
        if fault.keyword == "required":
            if (fault.path, fault.name) not in misspelt and fault.path not in references:
                yield fault
        elif fault.keyword == "additionalProperties":
            wanted = dict.fromkeys(missing.get(fault.path, []), True)
            known = {**fault.schema.get("properties", {}), **wanted}
            yield replace(fault, schema={**fault.schema, "properties": known})
        elif fault.path not in judged:
            judged.add(fault.path)
            yield fault


def _unused(fault: Fault) -> dict[str, Json]:
    """The properties that an object might have and has not."""
    present = fault.value if isinstance(fault.value, dict) else {}
    return dict.fromkeys(name for name in fault.schema.get("properties", {}) if name not in present)


def _lacks_one_of(fault: Fault) -> tuple[str, ...]:
    """The properties of which one has to be there and none is."""
    branches: list[Any] = fault.schema.get("anyOf", []) if fault.keyword == "anyOf" else []
    if "says" in fault.schema:
        return ()
    if all(isinstance(branch, dict) and set(branch) == {"required"} for branch in branches):
        return tuple(branch["required"][0] for branch in branches)
    return ()


def message(fault: Fault, *, otherwise: str = "which is not allowed here") -> str:
    """What is wrong, in one line. `otherwise` ends it where nothing more can be said than that the value is wrong."""
    schema, value, name = fault.schema, fault.value, subject(fault.path)
    inside = f" in {name}" if fault.path else ""
    lacking = _lacks_one_of(fault)
    if lacking:
        return f"missing property {listed(lacking)}{inside}"
    if fault.keyword == "required":
        return f"missing property {quoted(fault.name)}{inside}"
    if fault.keyword == "additionalProperties":
        return f"unexpected property {quoted(fault.name)}{inside}"
    if "says" in schema:
        return str(schema["says"]).replace("{value}", shown(value))
    match fault.keyword:
        case "type":
            return f"{name} is {shown(value)}; {kinds(schema['type'])} was expected"
        case "enum":
            return f"{name} is {shown(value)}; {listed(schema['enum'])} was expected"
        case "const":
            return f"{name} is {shown(value)}; {shown(schema['const'])} was expected"
        case "minItems":
            return f"{name} is an empty list; at least one item was expected"
        case "minProperties":
            return f"{name} is empty; at least one property was expected"
        case "maxProperties":
            return f"{name} has {_length(value)} properties; at most {schema['maxProperties']} was expected"
        case "minLength":
            return f"{name} is empty"
        case "maxLength":
            return f"{name} has {_length(value)} characters; at most {schema['maxLength']} were expected"
        case "minimum":
            return f"{name} is {shown(value)}; at least {schema['minimum']} was expected"
        case "maximum":
            return f"{name} is {shown(value)}; at most {schema['maximum']} was expected"
        case "exclusiveMinimum":
            return f"{name} is {shown(value)}; more than {schema['exclusiveMinimum']} was expected"
        case "uniqueItems":
            return f"{name} is {shown(value)}, like an item before it; the items were expected to differ"
        case "format":
            kind = "an e-mail address" if schema["format"] == "email" else "an absolute URL or URN"
            return f"{name} is {shown(value)}; {kind} was expected"
        case _:
            return f"{name} is {shown(value)}, {otherwise}"


def _hint(fault: Fault) -> str:
    """How to mend it. `{name}` in a hint of a meta-schema stands for the name that was written in place of a reference."""
    hint = _advice(fault)
    if "{name}" not in hint:
        return hint
    match fault.value:
        case str() as written:
            name = written.rpartition("/")[2]
        case dict() as mapping if [*map(type, mapping.values())] == [list]:  # `{bearer: []}`, as AsyncAPI 2 has it
            name = next(iter(mapping))
        case _:
            name = ""
    return hint.replace("{name}", name or "...")


def _advice(fault: Fault) -> str:
    if fault.keyword == "additionalProperties":
        return _hint_at_name(fault)
    if fault.keyword == "required":
        of_property = fault.schema.get("properties", {}).get(fault.name)
        return (of_property.get("hint") if isinstance(of_property, Mapping) else None) or fault.hint
    if fault.keyword in ("enum", "const") and isinstance(fault.value, str):
        expected = fault.schema.get("enum", [fault.schema.get("const")])
        near = nearest(fault.value, dict.fromkeys(each for each in expected if isinstance(each, str)))
        if near is not None and (not fault.hint or _is_slip(fault.value, near)):
            return f"did you mean {quoted(near)}?"
        return fault.hint
    if fault.path[-1:] == ("$ref",) and fault.keyword == "type" and isinstance(fault.value, str):
        return "this '$ref' stands among names and is taken for one; a reference replaces the whole mapping around it"
    is_scalar = is_type(fault.value, ["number", "boolean"])
    if fault.keyword == "type" and fault.schema["type"] == "string" and is_scalar:
        return fault.hint or f"write it between quotes: {json.dumps(json.dumps(fault.value))}"
    return fault.hint


def _hint_at_name(fault: Fault) -> str:
    """What to do about a property that nobody knows."""
    moved = fault.schema.get("moved", {}).get(fault.name)
    if moved:
        return str(moved)
    if fault.name.startswith("x-"):
        return "the name of an extension has letters, digits, '.', '_' and '-' only"
    unused = _unused(fault)
    near = nearest(fault.name, unused) or nearest(fault.name, fault.schema.get("properties", {}))
    if near is not None:
        return f"did you mean {quoted(near)}?"
    own = [name for name in unused if not name.startswith("x-")]  # not the extensions of which we know the schema
    return f"it may have {listed(own)}" if 0 < len(own) <= _FEW else ""


def _length(value: Json) -> int:
    return len(value) if isinstance(value, (str, list, dict)) else 0


def _is_slip(written: str, near: str) -> bool:
    """Whether a word is so near to what was written that no other advice can be better."""
    return difflib.SequenceMatcher(None, written.casefold(), near.casefold()).ratio() > _SLIP
