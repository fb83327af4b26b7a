"""Types of the API as annotations of Python."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from sockspec import ir
from sockspec.analysis import lanes
from sockspec.analysis.constants import TagValue
from sockspec.python import literals
from sockspec.python.layout import Code, assigned, call, either, joined, subscript

_SCALARS = {
    ir.Kind.STRING: "str",
    ir.Kind.INTEGER: "int",
    ir.Kind.BOOLEAN: "bool",
    ir.Kind.NULL: "None",
    ir.Kind.BYTES: "bytes",
    ir.Kind.DATE_TIME: "DateTime",
    ir.Kind.DATE: "dt.date",
    ir.Kind.TIME: "dt.time",
    ir.Kind.UUID: "UUID",
    ir.Kind.DECIMAL: "Decimal",
}
_TEXTS = frozenset(
    {ir.Kind.STRING, ir.Kind.BYTES, ir.Kind.DATE_TIME, ir.Kind.DATE, ir.Kind.TIME, ir.Kind.UUID, ir.Kind.DECIMAL}
)


class Types:
    """Writes annotations. `names` gives the class of each definition; what needs a name of its own is handed out."""

    def __init__(
        self,
        definitions: Mapping[str, ir.Definition],
        names: Mapping[str, str],
        tags: Mapping[str, tuple[str, TagValue]],
    ) -> None:
        self.definitions = definitions
        self.names = names
        self.tags = tags

    def annotation(self, of: ir.Type, prefix: str = "") -> Code:
        """The annotation of a type; `prefix` is where the module's own names are found, such as `messages.`."""
        match of:
            case ir.Scalar():
                return self._scalar(of, prefix)
            case ir.Constant():
                return self._constant(of)
            case ir.Array():
                limits = _meta(min_length=of.min_items, max_length=of.max_items)
                return _annotated(subscript("list", self.annotation(of.item, prefix)), limits)
            case ir.Tuple():
                items = [self.annotation(item, prefix) for item in of.items]
                if of.rest is not None:
                    items.append(joined("*", subscript("tuple", self.annotation(of.rest, prefix), "...")))
                return subscript("tuple", *items) if items else "tuple[()]"
            case ir.Map():
                limits = _meta(min_length=of.min_properties, max_length=of.max_properties)
                return _annotated(subscript("dict", "str", self.annotation(of.value, prefix)), limits)
            case ir.Ref():
                return prefix + self.names[of.name]
            case ir.Nullable():
                inner = self.annotation(of.of, prefix)
                return inner if inner in ("Any", "None") else either(inner, "None")
            case ir.Union():
                return either(*(self.annotation(member, prefix) for member in of.members))
            case ir.Anything():
                return "Any"

    def _scalar(self, scalar: ir.Scalar, prefix: str) -> Code:
        limits = scalar.limits
        if scalar.kind is ir.Kind.STRING:
            pattern = literals.string(limits.pattern) if limits.pattern is not None else None
            return _annotated("str", _meta(min_length=limits.min_length, max_length=limits.max_length, pattern=pattern))
        if scalar.kind is ir.Kind.INTEGER:
            return _annotated("int", _meta(**_integer_bounds(limits), multiple_of=_integer_multiple(limits)))
        if scalar.kind is ir.Kind.NUMBER and (bounds := _bounds(limits)):
            whole = _annotated("int", _meta(**_integer_bounds(limits)))
            return either(whole, _annotated("float", _meta(**bounds)))
        if scalar.kind is ir.Kind.NUMBER:
            return either("int", "float")
        return _SCALARS[scalar.kind]

    def _constant(self, constant: ir.Constant) -> Code:
        literal = [value for value in constant.values if isinstance(value, str | int) and not isinstance(value, bool)]
        if len(literal) == len(constant.values) and all(abs(v) < 2**63 for v in literal if isinstance(v, int)):
            return subscript("Literal", *(literals.value(value) for value in literal))
        kinds = dict.fromkeys(_python_type(value) for value in constant.values)
        return either(*kinds)

    def decodable(self, union: ir.Union) -> bool:
        """Whether msgspec can decode the union by itself: it tells members apart by their JSON types and their tags."""
        families: set[str] = set()
        if lanes.is_tagged(union, self.tags):
            return True
        for member in union.members:
            for family in self._families(member):
                if family in families:
                    return False
                families.add(family)
        return True

    def _families(self, of: ir.Type, seen: frozenset[str] = frozenset()) -> Iterable[str]:
        """What msgspec sees of a type when it decodes a union."""
        match of:
            case ir.Scalar():
                return (_family(of.kind),) if of.kind is not ir.Kind.NUMBER else ("integer", "number")
            case ir.Constant():
                return {_value_family(value) for value in of.values}
            case ir.Tuple(rest=rest) if rest is not None:
                # What stands in for it at run time cannot be decoded as part of a union.
                return ("array", "array")
            case ir.Array() | ir.Tuple():
                return ("array",)
            case ir.Map():
                return ("object",)
            case ir.Nullable():
                return self._families(of.of, seen)
            case ir.Union():
                inner = [family for member in of.members for family in self._families(member, seen)]
                return inner if self.decodable(of) else [*inner, *inner]
            case ir.Anything():
                return ("object", "object")
            case ir.Ref():
                definition = self.definitions[of.name]
                if isinstance(definition, ir.Record):
                    return ("object",)
                if isinstance(definition, ir.Enumeration):
                    return ("text",)
                # An alias that leads back to itself cannot be decoded as part of a union.
                return ("object", "object") if of.name in seen else self._families(definition.type, seen | {of.name})


def _family(kind: ir.Kind) -> str:
    return "text" if kind in _TEXTS else kind.value


def _value_family(value: object) -> str:
    if isinstance(value, str):
        return "text"
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "null"


def _python_type(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _bounds(limits: ir.Limits) -> dict[str, str | int | None]:
    """The tighter bound of each side as msgspec's keyword; it takes one a side."""
    found: dict[str, str | int | None] = {}
    low, above = limits.minimum, limits.exclusive_minimum
    if above is not None and (low is None or above >= low):
        found["gt"] = literals.value(above)
    elif low is not None:
        found["ge"] = literals.value(low)
    high, below = limits.maximum, limits.exclusive_maximum
    if below is not None and (high is None or below <= high):
        found["lt"] = literals.value(below)
    elif high is not None:
        found["le"] = literals.value(high)
    return found


def _integer_bounds(limits: ir.Limits) -> dict[str, str | int | None]:
    """The same for integers, rounded to whole numbers; bounds that msgspec cannot hold are left out."""
    rounded = ir.Limits(
        minimum=None if limits.minimum is None else math.ceil(limits.minimum),
        maximum=None if limits.maximum is None else math.floor(limits.maximum),
        exclusive_minimum=None if limits.exclusive_minimum is None else math.floor(limits.exclusive_minimum),
        exclusive_maximum=None if limits.exclusive_maximum is None else math.ceil(limits.exclusive_maximum),
    )
    return {word: bound for word, bound in _bounds(rounded).items() if abs(int(str(bound))) < 2**63}


def _integer_multiple(limits: ir.Limits) -> int | None:
    multiple = limits.multiple_of
    return multiple if isinstance(multiple, int) and 0 < multiple < 2**63 else None


def _meta(**limits: str | int | None) -> list[Code]:
    return [assigned(word, str(limit)) for word, limit in limits.items() if limit is not None]


def _annotated(of: Code, limits: list[Code]) -> Code:
    return subscript("Annotated", of, call("Meta", *limits)) if limits else of
