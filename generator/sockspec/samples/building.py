"""One candidate for a schema: a value that obeys what was looked at, to be judged by others."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sockspec.samples import expressions, scalars
from sockspec.samples.flattening import DeadEnd, Flattener, Schema, Spent
from sockspec.samples.judge import Judge

_TYPES: Final[tuple[str, ...]] = ("object", "string", "integer", "number", "array", "boolean", "null")
_HINTS: Final[Mapping[str, Sequence[str]]] = {
    "object": """properties required additionalProperties patternProperties propertyNames minProperties maxProperties
    dependencies dependentRequired dependentSchemas unevaluatedProperties""".split(),
    "array": """items prefixItems additionalItems contains minItems maxItems uniqueItems unevaluatedItems
    minContains""".split(),
    "number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split(),
    "string": "minLength maxLength pattern format".split(),
}
_DEEPEST: Final = 6
"""Levels below which optional members are left out, so that recursion ends."""
_DEEPEST_OF_ALL: Final = 60
_MOST_ITEMS: Final = 1_000
_MOST_OPTIONAL: Final = 100


class Style(enum.Enum):
    """How much of what is optional a sample has."""

    MINIMAL = "minimal"
    FULL = "full"
    RANDOM = "random"


class Builder:
    """Makes one candidate; its steps are bounded."""

    def __init__(self, judge: Judge, rng: random.Random, style: Style, *, attempt: int, steps: int) -> None:
        self._judge = judge
        self._rng = rng
        self._style = style
        self._plain = style is not Style.RANDOM
        self._steps = steps
        self.taken = 0
        """Steps that were taken."""
        self._flattener = Flattener(judge, rng, straight=attempt == 0)

    def build(self, schemas: Iterable[Schema], depth: int = 0) -> Any:
        """A value for schemas that hold together. DeadEnd where these choices lead nowhere, Spent after too many steps."""
        self._step()
        if depth > _DEEPEST_OF_ALL:
            raise DeadEnd("nothing short of endless nesting")
        given = tuple(schemas)
        parts, refused = self._flattener.flatten(given)
        listed = _listed(parts)
        if listed is not None:
            return self._first(listed, parts, refused, cost=1 + len(listed) // 100)
        kinds = self._kinds(parts)
        if not kinds:
            raise DeadEnd("no type fits all")
        last = DeadEnd("no value fits")
        for kind in kinds:
            try:
                return self._of(kind, parts, refused, depth)
            except DeadEnd as dead:
                last = dead
        raise last

    def _step(self, count: int = 1) -> None:
        self.taken += count
        if self.taken > self._steps:
            raise Spent

    def _kinds(self, parts: list[dict[str, Any]]) -> list[str]:
        """The types to try, the likeliest first."""
        allowed = set(_TYPES)
        for part in parts:
            named = part.get("type")
            if isinstance(named, str):
                named = [named]
            if isinstance(named, list):
                allowed &= {*named, *(["integer"] if "number" in named else [])}
        if any("type" in part for part in parts):
            order: list[str] = sorted(
                (kind for kind in _TYPES if kind in allowed),
                key=lambda kind: (kind == "null", kind == "integer" and "number" in allowed),
            )
            if "null" in allowed and not self._plain and self._rng.random() < 0.2:
                order.insert(0, "null")
            return [kind for kind in _TYPES if kind in allowed] if self._plain else order
        hinted = [k for k, words in _HINTS.items() if any(word in part for word in words for part in parts)]
        return hinted + [
            kind for kind in ("object", "string", "integer", "null", "array", "boolean") if kind not in hinted
        ]

    def _of(self, kind: str, parts: list[dict[str, Any]], refused: list[Schema], depth: int) -> Any:
        match kind:
            case "object":
                return self._object(parts, depth)
            case "array":
                return self._array(parts, depth)
            case "string":
                found: Iterator[Any] = scalars.texts(parts, self._rng, plain=self._plain)
            case "boolean":
                found = iter([True, False] if self._plain or self._rng.random() < 0.5 else [False, True])
            case "null":
                found = iter([None])
            case _:
                found = scalars.numbers(parts, self._rng, plain=self._plain, whole=kind == "integer")
        return self._first(found, parts, refused)

    def _first(
        self, values: Iterable[Any], parts: list[dict[str, Any]], refused: list[Schema], *, cost: int = 0
    ) -> Any:
        """The first value that fits; the steps are what trying one of many listed ones costs, where they are listed."""
        if cost and not self._plain:
            listed = list(values)
            values = self._rng.sample(listed, len(listed))
        for value in values:
            self._step(cost or 1)
            if all(self._judge.accepts(part, value) for part in parts) and not any(
                self._judge.accepts(schema, value) for schema in refused
            ):
                return value
        raise DeadEnd("no value fits all keywords")

    # --- objects -----------------------------------------------------------------------------------------------------

    def _object(self, parts: list[dict[str, Any]], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        required = list(dict.fromkeys(name for part in parts for name in _strings(part.get("required"))))
        declared = list(dict.fromkeys(name for part in parts for name in _mapping(part.get("properties"))))
        most = scalars.most(parts, "maxProperties")
        least = scalars.least(parts, "minProperties")
        wanted = self._wanted(declared, required, least, depth)
        for name in sorted({*required, *wanted}, key=[*declared, *required].index):
            optional = name not in required
            if optional and most is not None and len(made) + len(set(required) - made.keys()) >= most:
                continue
            self._member(made, parts, name, depth, optional=optional)
        parts = self._depending(made, parts, depth)
        self._fill(made, parts, least, depth)
        return made

    def _wanted(self, declared: list[str], required: list[str], least: int, depth: int) -> list[str]:
        optional = [name for name in declared if name not in required]
        missing = max(0, least - len(required))
        if depth >= _DEEPEST or self._style is Style.MINIMAL:
            return optional[:missing]
        if self._style is Style.FULL:
            return optional[: max(_MOST_OPTIONAL, missing)]
        return [n for n in optional[:_MOST_OPTIONAL] if self._rng.random() < 0.5] or optional[:missing]

    def _member(
        self, made: dict[str, Any], parts: list[dict[str, Any]], name: str, depth: int, *, optional: bool
    ) -> None:
        """Give an object a property; one that is optional and cannot be had is left out."""
        try:
            if any("propertyNames" in p and not self._judge.accepts(p["propertyNames"], name) for p in parts):
                raise DeadEnd(f"the name {name!r} is not allowed")
            made[name] = self.build(_of_property(parts, name), depth + 1)
        except DeadEnd:
            if not optional:
                raise

    def _depending(self, made: dict[str, Any], parts: list[dict[str, Any]], depth: int) -> list[dict[str, Any]]:
        """Add what some properties ask for when they are there; the parts, with the schemas that apply as well."""
        done: set[tuple[int, str, str]] = set()
        for _ in range(20):
            fresh = [
                ((number, word, name), needs)
                for number, part in enumerate(parts)
                for word in ("dependencies", "dependentRequired", "dependentSchemas")
                for name, needs in _mapping(part.get(word)).items()
                if name in made and (number, word, name) not in done
            ]
            if not fresh:
                break
            for key, needs in fresh:
                done.add(key)
                if isinstance(needs, list):
                    more = [{"required": needs}]
                else:
                    more, _ = self._flattener.flatten((needs,))
                parts = [*parts, *more]
                required = _required(more)
                for name in dict.fromkeys(n for part in more for n in _names_of(part)):
                    if name not in made or not isinstance(needs, list):
                        self._member(made, parts, name, depth, optional=name not in required)
        return parts

    def _fill(self, made: dict[str, Any], parts: list[dict[str, Any]], least: int, depth: int) -> None:
        """Add properties that nobody has named until there are enough of them."""
        if least > _MOST_ITEMS:
            raise DeadEnd(f"{least} properties are asked for")
        bare = self._style is not Style.MINIMAL and depth < _DEEPEST and not made
        wanted = max(least, 1 if bare and any(_is_map(part) for part in parts) else 0)
        for name in self._names(parts, wanted):
            if len(made) >= wanted:
                return
            if name not in made:
                self._member(made, parts, name, depth, optional=True)
        if len(made) < least:
            raise DeadEnd("too few properties can be had")

    def _names(self, parts: list[dict[str, Any]], wanted: int) -> Iterator[str]:
        for part in parts:
            yield from _mapping(part.get("properties"))
            for pattern in _mapping(part.get("patternProperties")):
                for more in (0, 1, 2, 3, 4) * min(wanted, 20):
                    try:
                        yield expressions.text(pattern, self._rng, more=more)
                    except ValueError:
                        break
            if isinstance(part.get("propertyNames"), dict):
                for _ in range(wanted * 4):
                    try:
                        yield self.build((part["propertyNames"], {"type": "string"}))
                    except DeadEnd:
                        break
        yield from (f"key{number}" for number in range(1, wanted + 10))

    # --- arrays ------------------------------------------------------------------------------------------------------

    def _array(self, parts: list[dict[str, Any]], depth: int) -> list[Any]:
        least = max(scalars.least(parts, "minItems"), max((_containing(part) for part in parts), default=0))
        most = scalars.most(parts, "maxItems")
        if least > _MOST_ITEMS:
            raise DeadEnd(f"{least} items are asked for")
        if least and any(part.get("contains") is False for part in parts):
            raise DeadEnd("an item is asked for that nothing can be")
        prefix = max((len(_prefix(part)) for part in parts), default=0)
        items: list[Any] = []
        while len(items) < self._length(least, most, prefix, depth):
            try:
                items.append(self._item(parts, items, depth))
            except DeadEnd:
                if len(items) < least:
                    raise
                break
        return items

    def _length(self, least: int, most: int | None, prefix: int, depth: int) -> int:
        if depth >= _DEEPEST or self._style is Style.MINIMAL:
            return least
        length = max(least, prefix or 1)
        return length if most is None else min(most, length)

    def _item(self, parts: list[dict[str, Any]], before: list[Any], depth: int) -> Any:
        place = len(before)
        schemas = [s for part in parts if (s := _at(part, place)) is not None]
        wanted: list[Schema] = []
        for part in parts:
            if "contains" in part:
                found = sum(self._judge.accepts(part["contains"], item) for item in before)
                if found < _containing(part):
                    wanted.append(part["contains"])
        unique = any(part.get("uniqueItems") is True for part in parts)
        if not (unique or wanted):
            return self.build(schemas, depth + 1)
        return self._other_item(schemas, wanted, before if unique else [], depth)

    def _other_item(self, schemas: list[Schema], wanted: list[Schema], before: list[Any], depth: int) -> Any:
        """An item that differs from others, and is one that the array has to contain where that is possible."""
        differs = {"items": {}, "uniqueItems": True}
        plain, style = self._plain, self._style
        try:
            for attempt in range(30):
                try:
                    item = self.build([*schemas, *wanted] if attempt < 20 else schemas, depth + 1)
                except DeadEnd:
                    if attempt >= 20 or not wanted:
                        raise
                    continue
                if not before or self._judge.accepts(differs, [*before, item]):
                    return item
                self._plain, self._style = False, Style.RANDOM
        finally:
            self._plain, self._style = plain, style
        raise DeadEnd("no further item differs from the others")


def _listed(parts: list[dict[str, Any]]) -> list[Any] | None:
    """The values that are listed, where they are."""
    for part in parts:
        if "const" in part:
            return [part["const"]]
    lists = [part["enum"] for part in parts if isinstance(part.get("enum"), list)]
    return min(lists, key=len) if lists else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _required(parts: list[dict[str, Any]]) -> set[str]:
    return {name for part in parts for name in _strings(part.get("required"))}


def _names_of(part: dict[str, Any]) -> list[str]:
    return [*_strings(part.get("required")), *_mapping(part.get("properties"))]


def _is_map(part: dict[str, Any]) -> bool:
    return isinstance(part.get("additionalProperties"), dict) or "patternProperties" in part


def _of_property(parts: list[dict[str, Any]], name: str) -> list[Schema]:
    """The schemas that a property of that name is held to."""
    found: list[Schema] = []
    evaluated = False
    for part in parts:
        own = [schema for key, schema in _mapping(part.get("properties")).items() if key == name]
        own += [
            schema for pattern, schema in _mapping(part.get("patternProperties")).items() if _matches(pattern, name)
        ]
        if not own and "additionalProperties" in part:
            own = [part["additionalProperties"]]
        evaluated = evaluated or bool(own)
        found += own
    if not evaluated:
        found += [part["unevaluatedProperties"] for part in parts if "unevaluatedProperties" in part]
    return found


def _matches(pattern: str, name: str) -> bool:
    try:
        return expressions.matches(pattern, name)
    except ValueError as error:
        raise DeadEnd(str(error)) from None


def _prefix(part: dict[str, Any]) -> list[Schema]:
    listed = part.get("prefixItems", part.get("items"))
    return listed if isinstance(listed, list) else []


def _at(part: dict[str, Any], place: int) -> Schema | None:
    """The schema of the item at a place; None where anything may stand there."""
    prefix = _prefix(part)
    if place < len(prefix):
        return prefix[place]
    rest: Schema | None = part.get("additionalItems" if isinstance(part.get("items"), list) else "items")
    return part.get("unevaluatedItems") if rest is None else rest


def _containing(part: dict[str, Any]) -> int:
    """How many of its items an array has to have of the kind that `contains` names."""
    if "contains" not in part:
        return 0
    return scalars.least([part], "minContains", 0) if "minContains" in part else 1
