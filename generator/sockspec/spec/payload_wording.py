"""What is wrong with a payload, in words for people: for each error of `jsonschema` a sentence, a place, and a hint.

The errors are values of that library, which is not imported here; its own texts are never shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sockspec.spec.alternatives import branches as branches_of
from sockspec.spec.alternatives import cause as cause_of
from sockspec.spec.alternatives import is_own
from sockspec.spec.structure import Path, comparable, is_type
from sockspec.spec.text import Json, quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import kinds, listed, shown

_FEW: Final = 6
"""How many values or names are listed at most."""
_DEEPEST: Final = 30
"""How many alternatives within alternatives are looked into."""

_FORMATS: Final = {
    "byte": "text in base64",
    "date": "a date such as '2025-01-31'",
    "date-time": "a point in time such as '2025-01-31T12:00:00Z'",
    "decimal": "a decimal number as text, such as '12.50'",
    "email": "an e-mail address",
    "time": "a time of day such as '12:00:00Z'",
    "uri": "an absolute URL or URN",
    "uuid": "a UUID such as '123e4567-e89b-12d3-a456-426614174000'",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong with a payload."""

    path: Path
    """Keys and indexes from the payload to the value that is wrong: of a missing property the object that lacks it."""
    keyword: str
    """The keyword of JSON Schema that it breaks; `false` for the schema that nothing obeys."""
    message: str
    hint: str = ""
    at_key: bool = False
    """Whether the fault is that there is such a key, and not what stands there."""


def refusals(errors: Iterable[Any], payload: Json, whole: str = "the payload", most: int = 10) -> list[Refusal]:
    """What errors of `jsonschema` about a payload say: of each place one thing. `whole` is what to call the payload."""
    found: dict[tuple[Path, str, str], Refusal] = {}
    places: set[Path] = set()
    for error in errors:
        for refusal in refused(error, payload, whole):
            of_name = refusal.message if refusal.keyword in ("required", "dependentRequired") else ""
            if of_name or refusal.path not in places:
                places.add(refusal.path)
                found.setdefault((refusal.path, refusal.keyword, of_name), refusal)
        if len(found) >= most:
            break
    return [*found.values()][:most]


def refused(error: Any, payload: Json, whole: str = "the payload") -> Iterator[Refusal]:
    """What one error about a payload says: one thing, or more where several properties are unexpected at once."""
    cause, others = error, 0
    for _ in range(_DEEPEST):
        nearer, more = cause_of(cause)
        if nearer is None:
            break
        cause, others = nearer, others or more
    said = _Said(cause, payload, whole)
    for refusal in said.refusals():
        if others and not refusal.hint:
            hint = f"of {others + 1} alternatives this is the nearest"
            refusal = Refusal(refusal.path, refusal.keyword, refusal.message, hint, refusal.at_key)
        yield refusal


def place(path: Sequence[str | int]) -> str:
    """A path as people write it: `data.levels[2].size`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


class _Said:
    """An error that is to be put into words."""

    def __init__(self, error: Any, payload: Json, whole: str) -> None:
        self.path: Path = tuple(error.absolute_path)
        if error.validator is None:
            self.path = _forbidden(error.instance, payload, self.path)
        self.keyword = str(error.validator) if error.validator is not None else "false"
        self.value: Json = error.instance
        self.limit: Any = error.validator_value
        self.schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
        self._error = error
        self._whole = whole

    @property
    def name(self) -> str:
        """What is wrong, as the subject of a sentence."""
        if not self.path:
            return self._whole
        owner = f"{self._whole}'" if self._whole.endswith("s") else f"{self._whole}'s"
        return f"{owner} {quoted(place(self.path))}"

    def refusals(self) -> Iterator[Refusal]:
        if _is_name(self._error):
            message = f"{self.name} has a property {shown(self.value)}, a name that is not allowed there"
            yield self._at((*self.path, str(self.value)), message, at_key=True)
            return
        match self.keyword:
            case "required":
                yield from self._missing()
            case "additionalProperties" | "unevaluatedProperties":
                yield from self._unexpected()
            case "dependentRequired" | "dependencies":
                yield from self._dependent()
            case _:
                yield self._at(self.path, f"{self.name} {self._predicate()}", self._hint())

    def _at(self, path: Path, message: str, hint: str = "", *, at_key: bool = False) -> Refusal:
        return Refusal(path, self.keyword, message, hint, at_key)

    def _missing(self) -> Iterator[Refusal]:
        present = self.value if isinstance(self.value, dict) else {}
        declared: Any = self.schema.get("properties")
        known = declared if isinstance(declared, dict) else {}
        for name in self.limit if isinstance(self.limit, list) else ():
            if name in present or self._error.message != f"{name!r} is a required property":
                continue
            near = nearest(name, [other for other in present if other not in known])
            hint = f"it has {quoted(near)}; was {quoted(name)} meant?" if near is not None else ""
            yield self._at(self.path, f"{self.name} lacks the property {quoted(name)}", hint)

    def _unexpected(self) -> Iterator[Refusal]:
        present = self.value if isinstance(self.value, dict) else {}
        declared: Any = self.schema.get("properties")
        known = list(declared) if isinstance(declared, dict) else []
        names = [name for name in present if name not in known and repr(name) in self._error.message]
        for name in names:
            near = nearest(name, [other for other in known if other not in present]) or nearest(name, known)
            hint = f"did you mean {quoted(near)}?" if near is not None else ""
            what = f"a property {quoted(name)}, which its schema does not have"
            if self.keyword == "unevaluatedProperties" and self.limit is not False:
                what = f"a property {quoted(name)}, whose value its schema does not allow"
            yield self._at((*self.path, name), f"{self.name} has {what}", hint, at_key=True)
        if not names:
            yield self._at(self.path, f"{self.name} has properties that its schema does not have")

    def _dependent(self) -> Iterator[Refusal]:
        present = self.value if isinstance(self.value, dict) else {}
        for name, needed in self.limit.items() if isinstance(self.limit, dict) else ():
            for other in needed if isinstance(needed, list) and name in present else ():
                if other not in present and self._error.message == f"{other!r} is a dependency of {name!r}":
                    message = f"{self.name} has {quoted(name)} and so needs the property {quoted(other)}"
                    yield Refusal(self.path, "dependentRequired", message)

    def _predicate(self) -> str:
        limit, value = self.limit, shown(self.value)
        match self.keyword:
            case "type":
                return f"is {value}; {_kinds(limit)} was expected"
            case "enum":
                return f"is {value}; {_choice(limit)} was expected"
            case "const":
                return f"is {value}; {_exactly(limit)} was expected"
            case "minimum":
                return f"is {value}; at least {shown(limit)} was expected"
            case "maximum":
                return f"is {value}; at most {shown(limit)} was expected"
            case "exclusiveMinimum":
                return f"is {value}; more than {shown(limit)} was expected"
            case "exclusiveMaximum":
                return f"is {value}; less than {shown(limit)} was expected"
            case "multipleOf":
                return f"is {value}; a multiple of {shown(limit)} was expected"
            case "pattern":
                return f"is {value}; text that matches {quoted(str(limit))} was expected"
            case "format":
                return (
                    f"is {value}; {_FORMATS.get(str(limit), f'text of the format {quoted(str(limit))}')} was expected"
                )
            case "minLength" | "maxLength":
                return self._count("character", "min" in self.keyword)
            case "minItems" | "maxItems":
                return self._count("item", "min" in self.keyword)
            case "minProperties" | "maxProperties":
                return self._count("property", "min" in self.keyword)
            case _:
                return self._rarer(value)

    def _count(self, what: str, is_least: bool) -> str:
        size = len(self.value) if isinstance(self.value, (str, list, dict)) else 0
        wanted = f"at least {shown(self.limit)}" if is_least else f"at most {shown(self.limit)}"
        verb = "was" if self.limit == 1 else "were"
        return f"has {_counted(size, what)}; {wanted} {verb} expected"

    def _rarer(self, value: str) -> str:
        limit = self.limit
        match self.keyword:
            case "uniqueItems":
                return f"has the same item twice{_twice(self.value)}; the items were expected to differ"
            case "contains":
                which = "has no items" if not self.value else "has no item of the kind that it has to have"
                return f"{which}{_such(limit)}; at least one was expected"
            case "minContains":
                return f"has too few items of the kind of which at least {shown(limit)} were expected"
            case "maxContains":
                return f"has too many items of the kind of which at most {shown(limit)} were expected"
            case "items" | "additionalItems" | "unevaluatedItems":
                return f"has {_counted(_length(self.value), 'item')}, more than its schema has places for"
            case "not":
                return f"is {value}, which is what it must not be{_such(limit)}"
            case "oneOf" if not self._error.context:
                return f"is {value}, which fits more than one of {_length(limit)} alternatives; just one was expected"
            case "anyOf" | "oneOf":
                return self._alternatives(value)
            case "false":
                return f"is {value}; no value was expected here"
            case _:
                return f"is {value}, which {quoted(self.keyword)} of its schema does not allow"

    def _alternatives(self, value: str) -> str:
        """No alternative is nearer than the others: what each of them wants."""
        branches = branches_of(self._error)
        types = [one.validator_value for errors in branches for one in errors if is_own(one, "type")]
        if types and len(types) == len(branches):
            return f"is {value}; {_kinds([name for each in types for name in _listed(each)])} was expected"
        lacking = [one.validator_value for errors in branches for one in errors[:1] if is_own(one, "required")]
        if lacking and len(lacking) == len(branches):
            present = self.value if isinstance(self.value, dict) else {}
            names = dict.fromkeys(name for each in lacking for name in each if name not in present)
            return f"lacks a property: {listed([*names][:_FEW])} was expected"
        return f"is {value}, which fits none of {len(branches)} alternatives"

    def _hint(self) -> str:
        if self.keyword in ("enum", "const") and isinstance(self.value, str):
            allowed = self.limit if self.keyword == "enum" and isinstance(self.limit, list) else [self.limit]
            near = nearest(self.value, [one for one in allowed if isinstance(one, str)])
            return f"did you mean {quoted(near)}?" if near is not None else ""
        if self.keyword == "type" and isinstance(self.value, str):
            meant = _unquoted(self.value)
            wanted = [name for name in _listed(self.limit) if name != "string"]
            if meant is not None and any(is_type(meant, name) for name in wanted if name in _TYPES):
                return f"write it without quotes: {self.value}"
        if self.keyword == "type" and _listed(self.limit) == ["string"] and is_type(self.value, ["number", "boolean"]):
            return f"write it between quotes: {json.dumps(json.dumps(self.value))}"
        return ""


_TYPES: Final = ("array", "boolean", "integer", "null", "number", "object")


def _unquoted(text: str) -> Json:
    try:
        value = json.loads(text) if len(text) < 40 else None
    except ValueError:
        return None
    return value if isinstance(value, (int, float, bool)) else None


# --- places -----------------------------------------------------------------------------------------------------------


def _forbidden(value: Json, payload: Json, path: Path) -> Path:
    """Where a value stands whose schema is `false`: its error has the path of the object or the list around it."""
    around: Any = payload
    for key in path:
        around = around[key]
    if around is value:
        return path
    items = around.items() if isinstance(around, dict) else enumerate(around if isinstance(around, list) else ())
    return next(((*path, key) for key, one in items if one is value), path)


def _is_name(error: Any) -> bool:
    """Whether an error is about the name of a property: its keywords lead through `propertyNames`."""
    tokens = list(error.absolute_schema_path)
    named = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
    is_word = True
    for token in tokens[:-1]:
        if is_word and token == "propertyNames":
            return True
        is_word = not (is_word and token in named)
    return bool(tokens) and is_word and tokens[-1] == "propertyNames"


# --- words ------------------------------------------------------------------------------------------------------------


def _listed(types: Any) -> list[str]:
    return [str(each) for each in types] if isinstance(types, list) else [str(types)]


def _kinds(types: Any) -> str:
    names = [*dict.fromkeys(_listed(types))]
    if "number" in names:
        names = [name for name in names if name != "integer"]
    known = [name for name in names if name in (*_TYPES, "string")]
    if not names:
        return "a value of no type"
    return kinds(known) if known and len(known) == len(names) else f"a value of type {listed(names)}"


def _exactly(value: Json) -> str:
    if isinstance(value, (dict, list)) and value:
        return f"just what its schema has as 'const' ({_counted(len(value), 'item' if isinstance(value, list) else 'property')})"
    return shown(value)


def _choice(values: Any) -> str:
    allowed: list[Json] = values if isinstance(values, list) else [values]
    if not allowed:
        return "no value"
    if len(allowed) <= _FEW and not any(isinstance(one, (dict, list)) for one in allowed):
        return listed(allowed)
    return f"one of the {len(allowed)} values of its schema"


def _counted(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    return f"{count} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, dict)) else 0


def _twice(value: Json) -> str:
    """Where the items are that are the same."""
    seen: dict[tuple[Any, ...], int] = {}
    for index, item in enumerate(value if isinstance(value, list) else ()):
        first = seen.setdefault(comparable(item), index)
        if first != index:
            return f" (at {first} and {index})"
    return ""


def _such(schema: Any) -> str:
    """What a simple schema asks for, in brackets."""
    match schema:
        case {"const": value}:
            return f" ({_exactly(value)})"
        case {"enum": [*values]}:
            return f" ({_choice(values)})"
        case {"required": [*names]} if names and all(isinstance(name, str) for name in names):
            return f" (an object with {listed(names[:_FEW], 'and')})"
        case {"type": types}:
            return f" ({_kinds(types)})"
        case _:
            return ""
