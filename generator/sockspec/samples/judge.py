"""The verdict on samples: that of the runtime, bounded so that no hostile schema keeps it busy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jsonschema import FormatChecker, validators
from jsonschema.exceptions import ValidationError
from referencing.exceptions import Unresolvable

from sockspec.runtime.formats import FORMATS
from sockspec.samples import expressions

_MOST_REFERENCES: Final = 5_000
"""References that one verdict follows; a schema whose references double at each step is refused above that."""
_MOST_TOGETHER: Final = 60_000
"""References that are followed for all the samples of one call."""

_MOST_BRANCHES: Final = 100_000
"""Branches of `allOf`, `anyOf` and `oneOf` that one verdict tries."""

_LARGEST_UNIQUE: Final = 2_000
"""Items that are held against each other, which takes time by the square of their number."""


class _Undecided(Exception):
    """The verdict would take too long."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A keyword that a payload breaks; `within` are the breaches of the alternatives, where it has some."""

    pointer: str
    keyword: str
    within: tuple[Breach, ...] = ()

    def leaves(self) -> Iterator[tuple[str, str]]:
        """Pointer and keyword of this breach and of all within."""
        yield self.pointer, self.keyword
        for inner in self.within:
            yield from inner.leaves()


class Judge:
    """What judges the samples of one package: the document of its schemas, read once."""

    def __init__(self, schemas: Mapping[str, object]) -> None:
        self.document: Mapping[str, Any] = {"$schema": _DEFAULT, "definitions": {}, **schemas}
        self._left = 0
        self._left_branches = 0
        self._left_together = _MOST_TOGETHER
        base: Any = validators.validator_for(self.document)
        self.siblings_apply: Final = "2020-12" in str(self.document["$schema"])
        """Whether keywords beside `$ref` assert anything."""
        guarded = {
            "$ref": self._follow,
            "pattern": _pattern,
            "patternProperties": _by_pattern(base.VALIDATORS["patternProperties"]),
            "additionalProperties": _by_pattern(base.VALIDATORS["additionalProperties"]),
            "uniqueItems": _unique(base.VALIDATORS["uniqueItems"]),
            **{word: self._counted(base.VALIDATORS[word]) for word in ("allOf", "anyOf", "oneOf")},
        }
        self._reference = base.VALIDATORS["$ref"]
        checker = FormatChecker(formats=())
        for name, check in FORMATS.items():
            checker.checks(name)(_on_text(check))
        extend: Any = validators.extend
        self._validator: Any = extend(base, guarded)(self.document, format_checker=checker)

    def begin(self) -> None:
        """Begin with the samples of another schema, which may take as long as those before."""
        self._left_together = _MOST_TOGETHER

    def accepts(self, schema: Mapping[str, Any] | bool, value: object) -> bool:
        """Whether a value is valid by a schema, whose references lead into the document; no where it is not known."""
        self._left, self._left_branches = _MOST_REFERENCES, _MOST_BRANCHES
        try:
            return next(self._validator.evolve(schema=schema).iter_errors(value), None) is None
        except (_Undecided, RecursionError, ValueError, OverflowError, Unresolvable):
            return False

    def breaches(self, schema: Mapping[str, Any] | bool, value: object) -> tuple[Breach, ...] | None:
        """What is wrong with a value, in full; None where that is not known."""
        self._left, self._left_branches = _MOST_REFERENCES, _MOST_BRANCHES
        try:
            errors = self._validator.evolve(schema=schema).iter_errors(value)
            return tuple(_breach(error) for error in errors)
        except (_Undecided, RecursionError, ValueError, OverflowError, Unresolvable):
            return None

    def errors(self, schema: Mapping[str, Any] | bool, value: object) -> list[ValidationError] | None:
        """What is wrong with a value, in the words of the library; None where that is not known."""
        self._left, self._left_branches = _MOST_REFERENCES, _MOST_BRANCHES
        try:
            return [*self._validator.evolve(schema=schema).iter_errors(value)]
        except Exception:  # a schema that is none makes the library stumble in many ways
            return None

    def resolve(self, reference: str) -> Mapping[str, Any] | bool:
        """The schema at a reference into the document; KeyError where there is none."""
        found: Any = self.document
        for token in reference.removeprefix("#").split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        if not isinstance(found, (Mapping, bool)):
            raise KeyError(reference)
        return found

    def _counted(self, original: Any) -> Any:
        """A keyword that has branches, with a count of them."""

        def check(validator: Any, branches: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            self._left_branches -= len(branches)
            if self._left_branches < 0:
                raise _Undecided
            yield from original(validator, branches, instance, schema) or ()

        return check

    def _follow(self, validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        self._left -= 1
        self._left_together -= 1
        if self._left < 0 or self._left_together < 0:
            raise _Undecided
        yield from self._reference(validator, reference, instance, schema) or ()


_DEFAULT: Final = "http://json-schema.org/draft-07/schema#"


def _breach(error: ValidationError) -> Breach:
    path = "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in error.absolute_path)
    return Breach(path, str(error.validator or "false"), tuple(map(_breach, error.context or ())))


def _on_text(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not expressions.matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _by_pattern(original: Any) -> Any:
    """A keyword that matches names with `patternProperties`, after a look at what that would take."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        patterns = schema.get("patternProperties", ())
        if isinstance(instance, dict):
            for pattern in patterns:
                for name in instance:
                    expressions.matches(pattern, name)
        yield from original(validator, value, instance, schema) or ()

    return check


def _unique(original: Any) -> Any:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, list) and len(instance) > _LARGEST_UNIQUE:
            raise _Undecided
        yield from original(validator, value, instance, schema) or ()

    return check
