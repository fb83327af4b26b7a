"""The dialects of JSON Schema that documents are written in, and which keywords assert something in each."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from sockspec.spec.resolve import Node

_COMMON = frozenset(
    """type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern
    items maxItems minItems uniqueItems contains maxProperties minProperties required properties patternProperties
    additionalProperties propertyNames if then else allOf anyOf oneOf not format""".split()
)
_DRAFT_7 = _COMMON | {"additionalItems", "dependencies"}
_DRAFT_2020 = _COMMON | frozenset(
    """prefixItems minContains maxContains dependentRequired dependentSchemas unevaluatedItems
    unevaluatedProperties""".split()
)

SCHEMA = frozenset(
    """additionalItems additionalProperties contains else if items not propertyNames then unevaluatedItems
    unevaluatedProperties""".split()
)
"""Keywords whose value is a schema."""

SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "items"})
"""Keywords whose value is a list of schemas (`items` in draft 7 may be either)."""

NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""Keywords whose value maps names to schemas."""


class Dialect(enum.Enum):
    """Which JSON Schema a document's schemas are."""

    ASYNCAPI = "AsyncAPI"
    """Draft 7, as AsyncAPI extends it. What stands beside `$ref` is ignored."""

    OPENAPI_30 = "OpenAPI 3.0"
    """What OpenAPI 3.0 calls a Schema Object, judged as draft 7. What stands beside `$ref` is ignored; `nullable` and
    boolean `exclusiveMinimum` and `exclusiveMaximum` are keywords of its own."""

    OPENAPI_31 = "OpenAPI 3.1"
    """Draft 2020-12, as OpenAPI 3.1 extends it. What stands beside `$ref` applies as well."""

    @property
    def uri(self) -> str:
        """The draft of JSON Schema by which payloads are judged."""
        if self is Dialect.OPENAPI_31:
            return "https://json-schema.org/draft/2020-12/schema"
        return "http://json-schema.org/draft-07/schema#"

    @property
    def siblings_apply(self) -> bool:
        """Whether keywords beside `$ref` assert anything."""
        return self is Dialect.OPENAPI_31

    @property
    def assertions(self) -> frozenset[str]:
        """The keywords that can make a payload invalid; all others only describe."""
        return _DRAFT_2020 if self is Dialect.OPENAPI_31 else _DRAFT_7

    @property
    def tuple_keywords(self) -> tuple[str, str]:
        """The keyword that lists the items by position, and the one for the items after them."""
        return ("prefixItems", "items") if self is Dialect.OPENAPI_31 else ("items", "additionalItems")


_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def keywords(schema: Node) -> Iterator[tuple[str, Node]]:
    """The keywords of a schema; OpenAPI 3.0's `minimum: 1, exclusiveMinimum: true` as `exclusiveMinimum: 1`."""
    value = schema.value
    flags = [word for word in _EXCLUSIVE if isinstance(value, dict) and isinstance(value.get(word), bool)]
    if not flags:
        yield from schema.items()
        return
    replaced = {_EXCLUSIVE[word]: word for word in flags if isinstance(value, dict) and value[word] is True}
    for keyword, node in schema.items():
        if keyword not in flags:
            yield replaced.get(keyword, keyword), node
