"""The errors of `jsonschema` about OpenAPI documents, as faults like those of our own checker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from sockspec.spec import wording
from sockspec.spec.source import Json
from sockspec.spec.structure import Fault, Path


def faults(errors: Iterable[ValidationError], root: Json, words: frozenset[str]) -> list[Fault]:
    """Errors about the document `root` as faults of ours, each once, and without those that only follow from others.

    Where an object breaks a rule, JSON Schema counts its properties as unevaluated and complains about them too. Such
    complaints are kept for words that OpenAPI does not have at all.
    """
    found = [fault for error in errors for fault in as_faults(error, root)]
    others = [fault for fault in found if not _is_complaint(fault)]
    broken = {fault.path[:length] for fault in others for length in range(len(fault.path) + 1)}
    kept: dict[tuple[Any, ...], Fault] = {}
    for fault in found:
        if _is_complaint(fault) and (_is_mistaken(fault) or (fault.path in broken and fault.name in words)):
            continue
        kept.setdefault((fault.path, fault.keyword, fault.name), fault)
    return [*kept.values()]


def _is_complaint(fault: Fault) -> bool:
    return fault.keyword == "additionalProperties"


def _is_mistaken(fault: Fault) -> bool:
    """Whether the validator's schema of OpenAPI 3.1 is wrong: it has `body` for the `server` of a Link Object."""
    return fault.name == "server" and "operationRef" in fault.schema.get("properties", {})


def as_faults(error: ValidationError, root: Json, base: Path = ()) -> Iterator[Fault]:
    """An error about a part of `root`, a value that stands at `base` in its document."""
    causes = _causes(error)
    if causes:
        for cause in causes:
            yield from as_faults(cause, root, base)
        return
    path, keyword = (*base, *error.absolute_path), str(error.validator)
    value: Any = error.instance
    limit: Any = error.validator_value
    schema = error.schema if isinstance(error.schema, dict) else {}
    match keyword:
        case "required":
            missing = [name for name in limit if name not in value]
            yield from (Fault(path, keyword, value, schema, name) for name in missing)
        case "unevaluatedProperties" | "additionalProperties":
            unknown = [name for name in value if repr(name) in error.message]
            schema = {**schema, "moved": {name: hint for name in unknown if (hint := _about_name(name, schema))}}
            yield from (Fault(path, "additionalProperties", value, schema, name) for name in unknown)
        case "oneOf" if isinstance(value, dict) and all("required" in form for form in limit):
            names = [name for form in limit for name in form["required"]]
            present = [name for name in names if name in value]
            if present:
                yield Fault(path, keyword, value, _excluding(present))
            else:
                yield Fault(path, "anyOf", value, {"anyOf": [{"required": [name]} for name in names]})
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            message = f"the name {wording.shown(value)} has characters other than letters, digits, '.', '_' and '-'"
            yield Fault((*path, str(value)), "propertyNames", value, {"says": message})
        case "None":
            yield _forbidden(error, root, base)
        case "not" if isinstance(limit, dict) and "required" in limit:
            yield Fault(path, keyword, value, _excluding(limit["required"]))
        case "not" | "maxContains" if path[-1:] == ("parameters",):
            message = "a parameter with 'in: querystring' stands for all of the query, so there can be no other for it"
            yield Fault(path, keyword, value, {"says": message})
        case _:
            yield Fault(path, keyword, value, schema)


def _excluding(names: list[str]) -> dict[str, Any]:
    return {"says": f"{wording.listed(names, 'and')} exclude each other"}


def _forbidden(error: ValidationError, root: Json, base: Path) -> Fault:
    """The fault of a property whose schema is `false`. Its error has the object's path and the property's value."""
    owner: Any = root
    forbidden: Any = error.instance
    for key in error.absolute_path:
        owner = owner[key]
    path = (*base, *error.absolute_path)
    if isinstance(owner, dict):
        name = next((name for name, value in owner.items() if value is forbidden), None)
        if name is not None:
            return Fault(path, "additionalProperties", owner, {}, name)
    return Fault(path, "false", forbidden, {})


def _causes(error: ValidationError) -> list[ValidationError]:
    """The errors to tell of in place of one that only says that none of several forms fits.

    Those are the ones of the form that was meant: the only one to which the value has the right type, and that is no
    reference where nothing is referred to.
    """
    if not error.context or (
        error.validator == "anyOf" and all(each.validator == "required" for each in error.context)
    ):
        return []
    forms: dict[object, list[ValidationError]] = {}
    for each in error.context:
        forms.setdefault(each.relative_schema_path[0], []).append(each)
    fitting = [form for form in forms.values() if not any(_is_of_another_form(each) for each in form)]
    if len(fitting) == 1:
        return fitting[0]
    best = best_match([error])
    return [] if best is None or best is error else [best]


def _is_of_another_form(error: ValidationError) -> bool:
    """Whether an error of a form says that another one was meant."""
    is_reference = error.validator == "required" and error.validator_value == ["$ref"]
    return not error.relative_path and (error.validator == "type" or is_reference)


def _about_name(name: str, schema: dict[str, Any]) -> str:
    """What to do about a property whose name is not of the form that all names have there."""
    patterns = schema.get("patternProperties", {})
    if "^/" in patterns and not name.startswith("x-"):
        return "paths begin with '/'"
    if any(pattern.startswith("^[1-5]") for pattern in patterns):
        return "responses are named by a status such as '200' or '4XX', or 'default'"
    return ""


def property_names(schema: dict[str, Any]) -> frozenset[str]:
    """All names of properties that a schema knows anywhere."""
    names: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            properties = part.get("properties")
            names.update(properties if isinstance(properties, dict) else ())
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return frozenset(names)
