"""Two versions of an API, compared."""

from __future__ import annotations

from sockspec import ir
from sockspec.diff import conversation, documentation, handshake, life, security, source
from sockspec.diff.matching import Matched, match
from sockspec.diff.pairs import Pairs, Version
from sockspec.diff.rule import Change, Changes, order
from sockspec.diff.rules import RULES
from sockspec.diff.versions import Advice, Step, advise
from sockspec.spec.text import quoted


def compare(old: ir.Api, new: ir.Api) -> tuple[Change, ...]:
    """What changed from one version of an API to the next, by place."""
    changes = Changes(RULES)
    pairs = Pairs(Version(old), Version(new))
    handshake.servers(pairs, changes)
    handshake.channels(pairs, changes)
    security.channels(pairs, changes)
    life.limits(old, new, changes)
    documentation.compare(pairs, changes)
    texts = documentation.Messages(pairs, changes)
    names = source.Names(pairs, changes)
    for before, after, sides in conversation.channels(pairs, changes):
        conversation.replies(pairs, before, after, sides, changes)
        life.close_codes(before, after, changes)
        life.channel_limits(old, before, new, after, changes)
        life.heartbeat(before, after, sides, changes)
        documentation.channel(before, after, changes)
        operations = _operations(pairs, before, after, sides)
        _compare_operations(pairs, operations, ("channels", after.name), changes)
        texts.compare(sides)
        names.channel(before, after, sides, operations)
    texts.definitions()
    names.report()
    return changes.sorted()


def _operations(pairs: Pairs, old: ir.Channel, new: ir.Channel, sides: conversation.Sides) -> Matched[ir.Operation]:
    """Operations of a channel: by direction and name, else by the messages that they carry."""
    names = {(side, one.name): other.name for side, matched in sides.items() for one, other in matched.pairs}
    before = pairs.old.operations.get(old.name, ())
    olds = {id(operation) for operation in before}

    def carried(one: ir.Operation) -> object:
        return frozenset(names.get((one.direction, name), name) if id(one) in olds else name for name in one.messages)

    return match(
        before,
        pairs.new.operations.get(new.name, ()),
        lambda one: (one.direction, one.name),
        lambda one: (one.direction, carried(one)),
    )


def _compare_operations(pairs: Pairs, matched: Matched[ir.Operation], place: tuple[str, ...], changes: Changes) -> None:
    for old, new in matched.pairs:
        at = (*place, "operations", new.name)
        security.operation(pairs, old, new, at, changes)
        if new.concurrent and not old.concurrent:
            message = f"messages of the operation {quoted(new.name)} are handled side by side"
            changes.add("order-given-up", at, new.location, message, related=(old.location,))
    documentation.operations(matched, place, changes)


def rated(old: ir.Api, new: ir.Api, changes: tuple[Change, ...]) -> tuple[tuple[Change, ...], Advice]:
    """The changes, one more where the version of the new document does not tell of them, and what it should be."""
    advice = advise(old.version, new.version, changes)
    if advice.satisfied or advice.step < Step.MINOR:
        return changes, advice
    more = Changes(RULES)
    more.add("version-not-raised", ("version",), new.location, advice.note, related=(old.location,))
    return tuple(sorted((*changes, *more.sorted()), key=order)), advice
