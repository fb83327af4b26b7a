"""The rules for changes of payloads: each kind of change to a schema, once for each side that sends."""

from __future__ import annotations

from sockspec import ir
from sockspec.diagnostics import Severity
from sockspec.diff.rule import PAGE, Category, Rule
from sockspec.diff.schemas import KINDS, Effect, SchemaChange

SENDERS = {ir.Direction.CLIENT_TO_SERVER: "client", ir.Direction.SERVER_TO_CLIENT: "server"}
"""Who sends, as the first word of a rule's id."""

_WHY = {
    "client": "Where payloads that were valid are not any more, the server refuses what old clients send. Where more "
    "payloads are valid than before, what old clients send is among them.",
    "server": "Where payloads are valid that were not, old clients get what their schema refuses: a value that they do "
    "not know, or nothing where they read something. Where fewer are valid than before, what they get they know.",
}
_INSTEAD = {
    "client": "Go on taking what was valid, or take what is new in a message of its own.",
    "server": "Go on sending only what was valid, or send what is new in a message of its own that clients ask for.",
}

ANNOTATIONS = {"default-changed", "deprecated", "deprecation-removed"}
"""Kinds that say nothing of which payloads are valid, so that schemas for validators do not have them."""

PAYLOADS = {
    f"{side}-{kind.id}": Rule(
        f"{side}-{kind.id}",
        Severity.ERROR,
        f"In what {'clients send' if side == 'client' else 'the server sends'}: {kind.meaning[:1].lower()}{kind.meaning[1:]}",
        category=Category.WIRE,
        page=PAGE,
        why=_WHY[side],
        instead=_INSTEAD[side],
        by_effect=True,
    )
    for kind in KINDS.values()
    if kind.id not in ANNOTATIONS
    for side in SENDERS.values()
}

_FELT = {"property-removed-optional", "property-removed-required"}
"""Kinds that are risky whatever they do to the set of payloads: what one side said, nobody hears any more."""


def severity(change: SchemaChange, side: ir.Direction) -> Severity:
    """What a change of a payload does to old clients, who send it or receive it."""
    if change.effect is Effect.UNPROVEN:
        return Severity.WARNING
    sent = side is ir.Direction.CLIENT_TO_SERVER
    if change.effect.may_narrow if sent else change.effect.may_widen:
        return Severity.ERROR
    return Severity.WARNING if change.kind in _FELT else Severity.INFO
