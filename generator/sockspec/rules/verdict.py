"""Whether a value is valid by a Schema Object, told quickly: yes, no, or that this is not for here to say.

It knows the keywords that nearly all schemas are made of and works on them where they are written. What it leaves open,
and what is wrong with a value that it refuses, is for `jsonschema`, which takes a hundred times as long and a tenth of a
second to be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sockspec.rules.schemas import Schema, Schemas
from sockspec.schema import expressions
from sockspec.spec.source import Json
from sockspec.spec.structure import comparable, is_type

_MOST_STEPS: Final = 200_000
"""Schemas that are held to values for one verdict."""
_MOST_TOGETHER: Final = 5_000_000
"""The same for all the verdicts about a document, some ten seconds."""
_DEEPEST: Final = 100
"""How deep schemas may lie within one another for this recursion."""

Answer = bool | None
"""None where it is open."""


class Verdicts:
    """Gives the verdicts about one document, within what that may cost."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._left = 0
        self._left_together = _MOST_TOGETHER
        self._depth = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the last verdict was left open because it took too long."""
        return self._left < 0 or self._left_together < 0

    def of(self, schema: Schema, value: Json, without: str = "") -> Answer:
        """The verdict on a value; `without` is a keyword of the schema itself that does not count."""
        self._left = min(_MOST_STEPS, self._left_together)
        before, self._depth = self._left, 0
        answer = self._judge(schema, value, without)
        self._left_together -= before - self._left
        return None if self._left < 0 else answer

    def _judge(self, schema: Schema, value: Json, without: str = "") -> Answer:
        self._left -= 1
        if self._left < 0 or self._depth >= _DEEPEST:
            return None
        self._depth += 1
        try:
            return self._by_keywords(schema, value, without)
        finally:
            self._depth -= 1

    def _by_keywords(self, schema: Schema, value: Json, without: str) -> Answer:
        words: Mapping[str, Any] = schema.value
        found: Answer
        answer: Answer = None if "$dynamicRef" in words else True
        if value is None and words.get("nullable") is True:
            return True  # as it is meant wherever it is written; another rule says where it is no keyword
        if isinstance(words.get("$ref"), str):
            target = self._schemas.target(schema)
            found = target if not isinstance(target, Schema) else self._judge(target, value)
            if not schema.dialect.siblings_apply or found is False:
                return found
            answer = answer and found
        for keyword, limit in words.items():
            if keyword == without or keyword == "$ref" or keyword not in schema.dialect.assertions:
                continue
            if keyword in _OF_KIND and not isinstance(value, _OF_KIND[keyword]):
                continue
            check = _CHECKS.get(keyword)
            try:
                found = None if check is None else check(self, schema, limit, value)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
                found = None  # the keyword is not what it has to be, which is a fault of structure
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    def inner(self, schema: object, value: Json) -> Answer:
        """The verdict of a schema that is within another."""
        if isinstance(schema, bool):
            return schema
        known = self._schemas.known(schema)
        return None if known is None else self._judge(known, value)


def _all(answers: Iterable[Answer]) -> Answer:
    answer: Answer = True
    for each in answers:
        if each is False:
            return False
        if each is None:
            answer = None
    return answer


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, (dict, list)) or isinstance(other, (dict, list)):
        return comparable(one) == comparable(other)
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _bound(test: Callable[[Any, Any], bool], flag: str) -> Any:
    """A bound on numbers, which a flag of OpenAPI 3.0 beside it may take for excluded."""

    def check(_: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
        if isinstance(limit, bool) or not _is_number(value):
            return True
        return test(value, limit) and not (schema.value.get(flag) is True and value == limit)

    return check


def _size(kind: type[str] | type[list[Any]] | type[dict[str, Any]], test: Callable[[int, Any], bool]) -> Any:
    def check(_: Verdicts, __: Schema, limit: Any, value: Any) -> Answer:
        return not isinstance(value, kind) or test(len(value), limit)

    return check


def _multiple(_: Verdicts, __: Schema, limit: Any, value: Any) -> Answer:
    if not _is_number(value):
        return True
    return value % limit == 0 if isinstance(value, int) and isinstance(limit, int) else None


def _required(_: Verdicts, __: Schema, limit: Any, value: Any) -> Answer:
    return not isinstance(value, dict) or all(name in value for name in limit)


def _properties(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    if not isinstance(value, dict):
        return True
    return _all(verdicts.inner(limit[name], each) for name, each in value.items() if name in limit)


def _additional(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    if not isinstance(value, dict) or limit is True:
        return True
    known: Any = schema.value.get("properties") or {}
    others = [each for name, each in value.items() if name not in known]
    if not others:
        return True
    return None if schema.value.get("patternProperties") else _all(verdicts.inner(limit, o) for o in others)


def _items(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    if not isinstance(value, list):
        return True
    if isinstance(limit, list):
        return _all(verdicts.inner(one, each) for one, each in zip(limit, value, strict=False))
    first: Any = schema.value.get("prefixItems") if schema.dialect.siblings_apply else None
    return _all(verdicts.inner(limit, each) for each in value[len(first or ()) :])


def _unique(_: Verdicts, __: Schema, limit: Any, value: Any) -> Answer:
    if limit is not True or not isinstance(value, list):
        return True
    return len({comparable(each) for each in value}) == len(value)


def _any(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    answer: Answer = False
    for one in limit:
        found = verdicts.inner(one, value)
        if found is True:
            return True
        answer = None if found is None else answer
    return answer


def _one(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    answers = [verdicts.inner(one, value) for one in limit]
    fitting = answers.count(True)
    if fitting > 1:
        return False
    return None if None in answers else fitting == 1


def _if(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    found = verdicts.inner(limit, value)
    return None if found is None else verdicts.inner(schema.value.get("then" if found else "else", True), value)


def _format(_: Verdicts, __: Schema, limit: Any, value: Any) -> Answer:
    from sockspec.runtime.formats import FORMATS

    return not isinstance(value, str) or limit not in FORMATS or FORMATS[limit](value)


def _not(verdicts: Verdicts, schema: Schema, limit: Any, value: Any) -> Answer:
    found = verdicts.inner(limit, value)
    return None if found is None else not found


_CHECKS: Final[Mapping[str, Callable[[Verdicts, Schema, Any, Any], Answer]]] = {
    "type": lambda _, __, limit, value: is_type(value, limit),
    "enum": lambda _, __, limit, value: any(_same(value, one) for one in limit),
    "const": lambda _, __, limit, value: _same(value, limit),
    "minimum": _bound(lambda value, limit: value >= limit, "exclusiveMinimum"),
    "maximum": _bound(lambda value, limit: value <= limit, "exclusiveMaximum"),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit, ""),
    "exclusiveMaximum": _bound(lambda value, limit: value < limit, ""),
    "multipleOf": _multiple,
    "minLength": _size(str, lambda size, limit: size >= limit),
    "maxLength": _size(str, lambda size, limit: size <= limit),
    "minItems": _size(list, lambda size, limit: size >= limit),
    "maxItems": _size(list, lambda size, limit: size <= limit),
    "minProperties": _size(dict, lambda size, limit: size >= limit),
    "maxProperties": _size(dict, lambda size, limit: size <= limit),
    "pattern": lambda _, __, limit, value: not isinstance(value, str) or expressions.matches(limit, value),
    "format": _format,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "prefixItems": _items,
    "uniqueItems": _unique,
    "allOf": lambda verdicts, schema, limit, value: _all(verdicts.inner(one, value) for one in limit),
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "if": _if,
    "then": lambda *_: True,
    "else": lambda *_: True,
}

_OF_KIND: Final[Mapping[str, type]] = {
    **dict.fromkeys(("additionalItems", "contains", "minContains", "maxContains", "unevaluatedItems"), list),
    **dict.fromkeys(
        ("patternProperties", "propertyNames", "dependencies", "dependentRequired", "dependentSchemas"), dict
    ),
    "unevaluatedProperties": dict,
}
"""Keywords that are left open where they say something, by the kind of the values of which they do."""
