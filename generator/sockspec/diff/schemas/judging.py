"""Single keywords held against each other: types, values, bounds, and what can only be equal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from sockspec.diff.schemas.change import Effect, effect
from sockspec.diff.schemas.facts import implies_multiple
from sockspec.diff.schemas.outline import Outline
from sockspec.diff.schemas.terms import TYPES, Bound, tighter_lower, tighter_upper
from sockspec.runtime.formats import FORMATS
from sockspec.spec.text import quoted

Found = tuple[str, Effect, str, tuple[str, ...]]
"""A kind, its effect, the detail, and the keywords that it is about."""


def types(old: frozenset[str], new: frozenset[str]) -> Iterator[Found]:
    """What has changed of the types that are allowed."""
    if old == new:
        return
    kind, what = "type-changed", Effect.BOTH
    if old < new:
        kind, what = "type-widened", Effect.WIDENED
    elif new < old:
        kind, what = "type-narrowed", Effect.NARROWED
    yield kind, what, f"{_types(old)} became {_types(new)}", ("type",)


def _types(names: frozenset[str]) -> str:
    if names >= TYPES - {"null"}:
        return "any type"
    shown = sorted(names - {"integer"} if "number" in names else names)
    return " or ".join(map(quoted, shown)) or "nothing"


def nullable(old: bool, new: bool) -> Iterator[Found]:
    """Whether null has become allowed, or is not any more."""
    if old and not new:
        yield "nullable-removed", Effect.NARROWED, "null is not allowed any more", ("type", "enum")
    elif new and not old:
        yield "nullable-added", Effect.WIDENED, "null is allowed", ("type", "enum")


def values(old: frozenset[str] | None, new: frozenset[str] | None, *, is_const: bool) -> Iterator[Found]:
    """What has changed of the values that are listed, given as JSON texts."""
    words = ("const", "enum")
    if old is None or new is None:
        if new is not None:
            yield "enum-added", Effect.NARROWED, f"only {_listed(new)} is allowed", words
        elif old is not None:
            yield "enum-removed", Effect.WIDENED, f"any value is allowed, not only {_listed(old)}", words
    elif is_const and len(old) == len(new) == 1 and old != new:
        yield "const-changed", Effect.BOTH, f"{_listed(old)} became {_listed(new)}", words
    else:
        for value in sorted(old - new):
            yield "enum-value-removed", Effect.NARROWED, f"{_value(value)} is gone", words
        for value in sorted(new - old):
            yield "enum-value-added", Effect.WIDENED, f"{_value(value)} is new", words


def _listed(keys: frozenset[str]) -> str:
    shown = [_value(key) for key in sorted(keys)]
    return " or ".join(shown if len(shown) <= 5 else [*shown[:5], f"{len(shown) - 5} more"]) or "nothing"


def _value(key: str) -> str:
    value = json.loads(key)
    return quoted(value) if isinstance(value, str) else quoted(key)


def bounds(old: Outline, new: Outline) -> Iterator[Found]:
    """What has changed of all that bounds from above or from below."""
    for word, exclusive, name, tighter in (
        ("minimum", "exclusiveMinimum", "minimum", tighter_lower),
        ("maximum", "exclusiveMaximum", "maximum", tighter_upper),
    ):
        sides = [_number_bound(outline, word, exclusive, tighter) for outline in (old, new)]
        yield from _bound(sides[0], sides[1], name, tighter, (word, exclusive))
    for stem in ("Length", "Items", "Properties"):
        for end, tighter, least in (("min", tighter_lower, 0), ("max", tighter_upper, None)):
            word = end + stem
            counted = [_count_bound(outline, word, tighter, least) for outline in (old, new)]
            yield from _bound(counted[0], counted[1], f"{end}-{stem.lower()}", tighter, (word,))


_Tighter = Callable[[Bound | None, Bound | None], Bound | None]


def _number_bound(outline: Outline, word: str, exclusive: str, tighter: _Tighter) -> Bound | None:
    found: Bound | None = None
    for keyword, without in ((word, False), (exclusive, True)):
        for value in outline.values(keyword):
            if isinstance(value, int | float) and not isinstance(value, bool):
                found = tighter(found, (value, without))
    return found


def _count_bound(outline: Outline, word: str, tighter: _Tighter, least: int | None) -> Bound | None:
    found: Bound | None = None
    for value in outline.values(word):
        if isinstance(value, int | float) and not isinstance(value, bool) and value != least:
            found = tighter(found, (value, False))
    return found


def _bound(
    old: Bound | None, new: Bound | None, name: str, tighter: _Tighter, words: tuple[str, ...]
) -> Iterator[Found]:
    if old == new:
        return
    if old is None or new is None:
        if new is not None:
            yield f"{name}-added", Effect.NARROWED, f"{_bounded(new)} is asked for", words
        elif old is not None:
            yield f"{name}-removed", Effect.WIDENED, f"{_bounded(old)} is not asked for any more", words
        return
    is_tighter = tighter(old, new) == new
    is_lower = tighter is tighter_lower
    kind = f"{name}-{'raised' if is_tighter is is_lower else 'lowered'}"
    narrowed = Effect.NARROWED if is_tighter else Effect.WIDENED
    yield kind, narrowed, f"{_bounded(old)} became {_bounded(new)}", words


def _bounded(bound: Bound) -> str:
    return f"'{bound[0]}'" + (" (itself left out)" if bound[1] else "")


def texts(old: Outline, new: Outline) -> Iterator[Found]:
    """What has changed of expressions and formats, which are equal or are not."""
    before, after = ({value for value in side.values("pattern") if isinstance(value, str)} for side in (old, new))
    yield from _either(before - after, after - before, "pattern", ("pattern",), lambda one, other: Effect.UNPROVEN)
    before, after = ({value for value in side.values("format") if isinstance(value, str)} for side in (old, new))
    yield from _either(before - after, after - before, "format", ("format",), _formats, _format)


def _format(name: str) -> bool:
    return name in FORMATS


def _formats(old: str, new: str) -> Effect:
    return effect(new in FORMATS, old in FORMATS)


def _either(
    gone: set[str],
    come: set[str],
    name: str,
    words: tuple[str, ...],
    changed: Callable[[str, str], Effect],
    asserts: Callable[[str], bool] = bool,
) -> Iterator[Found]:
    for one, other in zip(sorted(gone), sorted(come), strict=False):
        yield f"{name}-changed", changed(one, other), f"{quoted(one)} became {quoted(other)}", words
    for one in sorted(gone)[len(come) :]:
        yield f"{name}-removed", effect(False, asserts(one)), f"{quoted(one)} is not asked for any more", words
    for one in sorted(come)[len(gone) :]:
        yield f"{name}-added", effect(asserts(one), False), f"{quoted(one)} is asked for", words


def multiples(old: Outline, new: Outline) -> Iterator[Found]:
    """What has changed of the numbers that numbers have to be multiples of."""
    before, after = ({repr(one) for one in side.values("multipleOf") if _is_factor(one)} for side in (old, new))
    words = ("multipleOf",)
    yield from _either(before - after, after - before, "multiple-of", words, _multiples)


def _is_factor(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _multiples(old: str, new: str) -> Effect:
    are_whole = old.isdecimal() and new.isdecimal()
    otherwise = Effect.BOTH if are_whole else Effect.UNPROVEN
    return effect(not implies_multiple(old, new), not implies_multiple(new, old), otherwise=otherwise)


def uniqueness(old: Outline, new: Outline) -> Iterator[Found]:
    """Whether items have to differ."""
    before, after = (True in side.values("uniqueItems") for side in (old, new))
    if after and not before:
        yield "unique-items-added", Effect.NARROWED, "items have to differ", ("uniqueItems",)
    elif before and not after:
        yield "unique-items-removed", Effect.WIDENED, "items need not differ any more", ("uniqueItems",)


def notes(old: Outline, new: Outline) -> Iterator[Found]:
    """What has changed of keywords that judge nothing."""
    before, after = (side.values("default")[-1:] for side in (old, new))
    if _texts(before) != _texts(after):
        yield "default-changed", Effect.NONE, f"{_note(before)} became {_note(after)}", ("default",)
    was, is_now = (True in side.values("deprecated") for side in (old, new))
    if is_now and not was:
        yield "deprecated", Effect.NONE, "is deprecated", ("deprecated",)
    elif was and not is_now:
        yield "deprecation-removed", Effect.NONE, "is not deprecated any more", ("deprecated",)


def _texts(values: list[Any]) -> list[str]:
    return [json.dumps(value, sort_keys=True) for value in values]


def _note(values: list[Any]) -> str:
    return quoted(json.dumps(values[0])) if values else "no default"


def opaque(old: Outline, new: Outline, same: Callable[[Any, Any], bool]) -> Iterator[Found]:
    """What has changed of keywords that are compared as a whole. `same` says whether two values mean the same."""
    for kind, words in _OPAQUE:
        pairs = [(old.values(word), new.values(word)) for word in words]
        if all(len(one) == len(other) and all(map(same, one, other)) for one, other in pairs):
            continue
        was, is_now = any(one for one, _ in pairs), any(other for _, other in pairs)
        found = Effect.UNPROVEN if was and is_now else effect(is_now, was)
        named = " and ".join(quoted(word) for word, (one, other) in zip(words, pairs, strict=True) if one or other)
        detail = f"{named} changed" if was and is_now else f"{named} {'is new' if is_now else 'is gone'}"
        yield kind, found, detail, words


_OPAQUE: Final = (
    ("not-changed", ("not",)),
    ("contains-changed", ("contains", "minContains", "maxContains")),
    ("condition-changed", ("if", "then", "else")),
    ("property-names-changed", ("propertyNames",)),
    ("dependencies-changed", ("dependencies", "dependentRequired", "dependentSchemas")),
    ("unevaluated-changed", ("unevaluatedProperties", "unevaluatedItems")),
)
