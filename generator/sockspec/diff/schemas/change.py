"""A change between two schemas, as a value."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Effect(enum.Enum):
    """What a change does to the set of valid payloads."""

    NARROWED = "narrowed"
    """Payloads that were valid are not any more; none has become valid."""
    WIDENED = "widened"
    """Payloads have become valid; every one that was valid still is."""
    BOTH = "both"
    """Some were valid and are not, others are and were not."""
    NONE = "none"
    """The same payloads are valid."""
    UNPROVEN = "unproven"
    """It could not be proven which of these it is; narrowing has to be reckoned with, and widening as well."""

    @property
    def may_narrow(self) -> bool:
        """Whether a payload that was valid may not be any more."""
        return self in (Effect.NARROWED, Effect.BOTH, Effect.UNPROVEN)

    @property
    def may_widen(self) -> bool:
        """Whether a payload that was not valid may be now."""
        return self in (Effect.WIDENED, Effect.BOTH, Effect.UNPROVEN)

    @property
    def mirrored(self) -> Effect:
        """The effect of the change the other way round."""
        return {Effect.NARROWED: Effect.WIDENED, Effect.WIDENED: Effect.NARROWED}.get(self, self)

    def known(self, *, narrows: bool = True, widens: bool = True) -> Effect:
        """The effect where it is proven that it does not narrow, or does not widen."""
        may_narrow, may_widen = self.may_narrow and narrows, self.may_widen and widens
        if may_narrow and may_widen:
            return self
        if may_narrow:
            return Effect.NARROWED
        return Effect.WIDENED if may_widen else Effect.NONE


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One edit to a schema. `effect` leaves payloads out that have an undeclared member of a name that became declared."""

    kind: str
    """One of `KINDS`."""
    path: tuple[str, ...]
    """Where in the payload: `("data", "text")`; `[]` are items, `[0]` an item by position, `{}` additional properties."""
    effect: Effect
    detail: str
    """What was and what is, as a piece of a sentence: `'string' became 'integer'`."""
    old_pointer: str
    """Where in the old document of schemas: `#/definitions/Join/properties/text`."""
    new_pointer: str
    strict: Effect = Effect.NONE
    """The effect on all payloads. It differs from `effect` only for `property-added-optional` and `property-removed`."""

    @property
    def path_text(self) -> str:
        """The path as one word: `data.text`, `items[].name`."""
        text = ""
        for step in self.path:
            text += step if step.startswith("[") else f".{step}"
        return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change."""

    id: str
    meaning: str
    mirror: str
    """The kind of the same change the other way round."""


KINDS: Final[dict[str, Kind]] = {}
