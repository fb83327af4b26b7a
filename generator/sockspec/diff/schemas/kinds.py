"""The kinds of changes: one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change."""

    id: str
    meaning: str
    mirror: str
    """The kind of the same change the other way round."""


def _pair(one: str, other: str, meaning: str, mirrored: str) -> tuple[Kind, Kind]:
    return Kind(one, meaning, other), Kind(other, mirrored, one)


def _own(name: str, meaning: str) -> tuple[Kind]:
    return (Kind(name, meaning, name),)


def _bound(name: str, what: str, lowest: str) -> tuple[Kind, ...]:
    """The four kinds of a bound, of which `lowest` says whether it bounds from below or from above."""
    tighter, looser = ("raised", "lowered") if lowest == "lower" else ("lowered", "raised")
    return (
        *_pair(f"{name}-added", f"{name}-removed", f"There is a bound on {what} now.", f"The bound on {what} is gone."),
        *_pair(
            f"{name}-{tighter}",
            f"{name}-{looser}",
            f"The {lowest} bound on {what} leaves fewer of them.",
            f"The {lowest} bound on {what} leaves more of them.",
        ),
    )


KINDS: Final[dict[str, Kind]] = {
    kind.id: kind
    for kind in (
        *_pair(
            "property-added-optional",
            "property-removed-optional",
            "The schema speaks of a property that it did not speak of, and that may be left out. Where other properties "
            "are allowed anyway, payloads that had one of that very name by chance are not reckoned with.",
            "The schema does not speak any more of a property that could be left out.",
        ),
        *_pair(
            "property-added-required",
            "property-removed-required",
            "A property is there that payloads must have.",
            "A property is gone that payloads had to have.",
        ),
        *_pair(
            "property-became-required",
            "property-became-optional",
            "A property could be left out, and must not be any more.",
            "A property had to be there, and may be left out.",
        ),
        *_own("type-changed", "A value is of another type."),
        *_pair("type-narrowed", "type-widened", "A value may be of fewer types.", "A value may be of more types."),
        *_pair(
            "nullable-removed", "nullable-added", "A value must not be null any more.", "A value may be null as well."
        ),
        *_pair(
            "enum-added",
            "enum-removed",
            "Only listed values are allowed.",
            "Any value is allowed, not listed ones only.",
        ),
        *_pair("enum-value-removed", "enum-value-added", "A listed value is gone.", "There is another listed value."),
        *_own("const-changed", "The one value that is allowed is another one."),
        *_bound("minimum", "numbers", "lower"),
        *_bound("maximum", "numbers", "upper"),
        *_bound("min-length", "the length of a text", "lower"),
        *_bound("max-length", "the length of a text", "upper"),
        *_bound("min-items", "the number of items", "lower"),
        *_bound("max-items", "the number of items", "upper"),
        *_bound("min-properties", "the number of properties", "lower"),
        *_bound("max-properties", "the number of properties", "upper"),
        *_pair(
            "multiple-of-added",
            "multiple-of-removed",
            "Numbers have to be multiples.",
            "Numbers need not be multiples any more.",
        ),
        *_own("multiple-of-changed", "Numbers have to be multiples of another number."),
        *_pair(
            "pattern-added", "pattern-removed", "Texts have to match an expression.", "Texts need not match any more."
        ),
        *_own("pattern-changed", "Texts have to match another expression. Expressions are not compared."),
        *_pair("format-added", "format-removed", "A format is named.", "No format is named any more."),
        *_own(
            "format-changed",
            "Another format is named. It judges payloads only where it is one of those that payloads are held to.",
        ),
        *_pair(
            "unique-items-added", "unique-items-removed", "Items have to differ.", "Items need not differ any more."
        ),
        *_pair(
            "items-added", "items-removed", "Items are held to a schema.", "Items are not held to a schema any more."
        ),
        *_pair(
            "tuple-item-added",
            "tuple-item-removed",
            "An item has a schema of its own by its position.",
            "An item has no schema of its own any more.",
        ),
        *_pair(
            "additional-properties-closed",
            "additional-properties-opened",
            "Properties that the schema does not speak of are not allowed any more.",
            "Properties that the schema does not speak of are allowed.",
        ),
        *_pair(
            "additional-properties-added",
            "additional-properties-removed",
            "Properties that the schema does not speak of are held to a schema.",
            "Properties that the schema does not speak of are not held to a schema any more.",
        ),
        *_pair(
            "pattern-properties-added",
            "pattern-properties-removed",
            "Properties whose names match an expression have a schema.",
            "Properties whose names match an expression have no schema of their own any more.",
        ),
        *_pair(
            "union-added",
            "union-removed",
            "One of several alternatives has to fit.",
            "No alternative has to fit any more.",
        ),
        *_pair(
            "union-member-removed", "union-member-added", "An alternative is gone.", "There is another alternative."
        ),
        *_own("union-changed", "One alternative exactly has to fit, where any number could, or the other way round."),
        *_own("not-changed", "What a value must not be has changed (`not`)."),
        *_own("contains-changed", "What some items have to be has changed (`contains`)."),
        *_own("condition-changed", "What holds in some cases only has changed (`if`, `then`, `else`)."),
        *_own("property-names-changed", "What names of properties have to be has changed (`propertyNames`)."),
        *_own("dependencies-changed", "What a property asks for when it is there has changed."),
        *_own(
            "unevaluated-changed", "What holds for the rest has changed (`unevaluatedProperties`, `unevaluatedItems`)."
        ),
        *_own("default-changed", "The default is another one; it judges nothing."),
        *_pair("deprecated", "deprecation-removed", "A value is deprecated.", "A value is not deprecated any more."),
        *_own("schema-changed", "The schemas differ otherwise, and it is not proven that the same payloads are valid."),
    )
}
"""The kinds by their names."""
