"""The verdict on a payload: `jsonschema`, over the message's own schema, with our formats.

Importing `jsonschema` takes longer than all the rest of a generated package, so it is imported with the first payload
that needs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from sockspec.runtime.formats import FORMATS
from sockspec.runtime.problems import Fault

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MOST_FAULTS: Final = 20
"""How many faults of one payload are told; a hostile payload may have millions."""

_BUNDLE: Final = "urn:sockspec:schemas"


class Schemas:
    """The JSON Schemas of a package: one document, read when the first payload needs it."""

    def __init__(self, read: Callable[[], str | bytes]) -> None:
        self._read = read
        self._validators: dict[str, Validator] = {}

    @classmethod
    def of(cls, package: str) -> Schemas:
        """The schemas that a generated package brings along in its `schemas.json`."""

        def read() -> bytes:
            from importlib.resources import files

            return (files(package) / "schemas.json").read_bytes()

        return cls(read)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document that holds every schema under `definitions`."""
        document: dict[str, Any] = json.loads(self._read())
        return document

    def faults(self, schema: str, value: object) -> tuple[Fault, ...]:
        """What is wrong with a plain JSON value by the schema at a pointer; nothing where it is valid."""
        if not schema:
            return ()
        try:
            errors = self._validator(schema).iter_errors(cast(Any, value))
            return tuple(fault for _, fault in zip(range(MOST_FAULTS), _faults(errors), strict=False))
        except RecursionError:
            return (Fault("", "", "nested too deeply to be judged"),)

    def _validator(self, schema: str) -> Validator:
        known = self._validators.get(schema)
        if known is None:
            known = self._validators[schema] = self._compile(schema)
        return known

    def _compile(self, schema: str) -> Validator:
        from jsonschema import FormatChecker
        from jsonschema.validators import validator_for
        from referencing import Registry, Resource

        checker = FormatChecker(formats=())
        for name, check in FORMATS.items():
            checker.checks(name)(_on_text(check))
        registry: Registry[Any] = Registry().with_resource(_BUNDLE, Resource.from_contents(self.document))
        validator: Validator = validator_for(self.document)(
            {"$ref": _BUNDLE + schema}, registry=registry, format_checker=checker
        )
        return validator


def _on_text(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


def _faults(errors: Iterable[ValidationError]) -> Iterator[Fault]:
    """One fault for each thing to mend, from the alternative that comes nearest where there are several."""
    for error in errors:
        if error.validator in ("anyOf", "oneOf") and error.context:
            yield from _nearest(error)
        else:
            yield Fault(_pointer(error), str(error.validator or "false"), _wording(error))


def _nearest(error: ValidationError) -> Iterator[Fault]:
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0] if inner.schema_path else None, []).append(inner)
    nearest = max(branches.values(), key=lambda inner: (max(len(e.path) for e in inner), -len(inner)))
    if all(not e.path for e in nearest) and len(branches) > 1:
        yield Fault(_pointer(error), str(error.validator), "fits none of the alternatives")
    else:
        yield from _faults(nearest)


def _pointer(error: ValidationError) -> str:
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in error.absolute_path)


def _wording(error: ValidationError) -> str:
    """The fault in words that do not quote the payload."""
    keyword: Any = error.validator
    bound: Any = error.validator_value
    instance: Any = error.instance
    schema = error.schema if isinstance(error.schema, dict) else {}
    match keyword:
        case "type":
            return f"expected {_either(bound if isinstance(bound, list) else [bound])}"
        case "required":
            missing = next((n for n in bound if n not in instance and repr(n) in error.message), bound[0])
            return f"the property {missing!r} is missing"
        case "additionalProperties" | "unevaluatedProperties":
            extra = [name for name in instance if name not in schema.get("properties", {})]
            return f"unexpected property {extra[0]!r}" if extra else "unexpected property"
        case "enum":
            return f"expected {_either([json.dumps(value) for value in bound[:12]])}"
        case "const":
            return f"expected {json.dumps(bound)}"
        case "minLength" | "minItems" if bound == 1:
            return "expected one that is not empty"
        case "format":
            return f"expected a {bound}"
        case "pattern":
            return f"expected a text that matches {bound}"
        case _:
            return _BOUNDS.get(keyword, f"breaks the keyword {keyword!r}").format(bound)


_BOUNDS: Final = {
    "minLength": "expected at least {} characters",
    "maxLength": "expected at most {} characters",
    "minimum": "expected at least {}",
    "maximum": "expected at most {}",
    "exclusiveMinimum": "expected more than {}",
    "exclusiveMaximum": "expected less than {}",
    "multipleOf": "expected a multiple of {}",
    "minItems": "expected at least {} items",
    "maxItems": "expected at most {} items",
    "minProperties": "expected at least {} properties",
    "maxProperties": "expected at most {} properties",
    "uniqueItems": "expected items that differ from each other",
    "oneOf": "fits more than one of the alternatives",
    "not": "fits what it must not be",
    "contains": "no item is of the kind that one has to be",
    "additionalItems": "too many items",
    "dependencies": "a property is missing that another one asks for",
}


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
