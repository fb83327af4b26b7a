"""A change between two schemas, as a value."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Effect(enum.Enum):
    """What a change does to the set of valid payloads."""

    NARROWED = "narrowed"
    """Payloads that were valid may not be any more; none has become valid."""
    WIDENED = "widened"
    """Payloads may have become valid; every one that was valid still is."""
    BOTH = "both"
    """Some were valid and are not, others are and were not."""
    NONE = "none"
    """The same payloads are valid."""
    UNPROVEN = "unproven"
    """It could not be proven which of these it is."""

    @property
    def may_narrow(self) -> bool:
        """Whether it is not proven that every payload that was valid still is."""
        return self in (Effect.NARROWED, Effect.BOTH, Effect.UNPROVEN)

    @property
    def may_widen(self) -> bool:
        """Whether it is not proven that every payload that is valid was so before."""
        return self in (Effect.WIDENED, Effect.BOTH, Effect.UNPROVEN)

    @property
    def mirrored(self) -> Effect:
        """The effect of the change the other way round."""
        return {Effect.NARROWED: Effect.WIDENED, Effect.WIDENED: Effect.NARROWED}.get(self, self)

    def within(self, *, narrows: bool, widens: bool) -> Effect:
        """The effect, where it is known whether anything can narrow or widen at all."""
        return effect(self.may_narrow and narrows, self.may_widen and widens, otherwise=self)


def effect(narrows: bool, widens: bool, *, otherwise: Effect = Effect.BOTH) -> Effect:
    """The effect of what narrows, widens, or both, which is `otherwise` then."""
    if narrows and widens:
        return otherwise
    if narrows:
        return Effect.NARROWED
    return Effect.WIDENED if widens else Effect.NONE


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One edit to a schema."""

    kind: str
    """One of `KINDS`."""
    path: tuple[str, ...]
    """Where in the payload: `("data", "text")`. `[]` are items, `[0]` is an item by position, `{}` are additional
    properties, and `{^x-}` those whose names match an expression."""
    effect: Effect
    """What it does to payloads, such aside as have, by chance, a member of a name that a schema begins to speak of."""
    detail: str
    """What was and what is: `'string' became 'integer'`."""
    old_pointer: str
    """Where in the old document of schemas: `#/definitions/Join/properties/text`. The keyword, where it is there."""
    new_pointer: str
    strict: Effect
    """What it does to payloads, such included."""
