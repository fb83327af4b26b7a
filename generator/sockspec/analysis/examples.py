"""Whether the examples of a document obey their own schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Report, Severity

EXAMPLE_REFUSED = Code(
    "example-refused",
    Severity.WARNING,
    "An example of a message is not valid by the message's own schema, so a reader who follows it is refused. Correct "
    "the example or the schema. Formats and regular expressions are not looked at.",
)

_MOST_REFERENCES = 20_000
"""How many references are followed in all."""

_WITH_EXPRESSIONS = ("pattern", "patternProperties", "additionalProperties", "unevaluatedProperties")
"""Keywords that run the document's regular expressions, some of which never end."""


def check(api: ir.Api, report: Report) -> None:
    """Report each example that its schema refuses."""
    judged = [message for message in api.messages if message.examples and message.payload.schema]
    if judged:
        for diagnostic in _refused(api, judged):
            report.add(diagnostic)


class _TooLong(Exception):
    """The schemas refer to each other too often."""


def _bounded(schemas: Mapping[str, object]) -> Any:
    """A validator that a hostile document cannot keep busy: without regular expressions, with so many references."""
    from jsonschema import validators

    base: Any = validators.validator_for(schemas)
    extend: Any = validators.extend
    left = _MOST_REFERENCES

    def follow(*arguments: Any) -> Iterator[Any]:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooLong
        yield from base.VALIDATORS["$ref"](*arguments) or ()

    return extend(base, {"$ref": follow, **dict.fromkeys(_WITH_EXPRESSIONS)})


def _refused(api: ir.Api, messages: list[ir.Message]) -> Iterator[Diagnostic]:
    # Takes a tenth of a second to import, which documents without examples can spare.
    from jsonschema.exceptions import best_match

    validator = _bounded(api.schemas)
    for message in messages:
        judge = validator({**api.schemas, "$ref": message.payload.schema})
        for example in message.examples:
            try:
                fault = best_match(judge.iter_errors(json.loads(json.dumps(example.payload))))
            except (RecursionError, ValueError, TypeError, _TooLong):
                continue  # too deep, too long, or nothing that JSON can say
            if fault is not None:
                where = "/".join(("", *map(str, fault.absolute_path)))
                place = repr(where) if where else "the whole"
                said = f"an example of {message.name!r} is not valid by its schema: {place} breaks {fault.validator!r}"
                yield EXAMPLE_REFUSED.at(example.location, said)
