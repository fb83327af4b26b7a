"""What a connection lives by: close codes, limits, heartbeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.diff.conversation import Sides
from sockspec.diff.rule import NEW, Changes
from sockspec.spec.text import quoted

Place = tuple[str, ...]
_OF_MESSAGES = {"maxMessage", "maxDepth"}
"""The limits on a single message: one that was taken is not any more."""


def close_codes(old: ir.Channel, new: ir.Channel, changes: Changes) -> None:
    """What became of the codes that the server closes connections with."""
    before, after = ({one.code: one for one in channel.close_codes} for channel in (old, new))
    place, related, where = ("channels", new.name, "close-codes"), (old.location,), quoted(new.address or new.name)
    for code, one in before.items():
        other = after.get(code)
        if other is None:
            message = f"connections to {where} are not closed with {code} any more"
            changes.add("close-code-removed", (*place, str(code)), new.location, message, related=related)
        elif one.problem != other.problem:
            stood, stands = (quoted(each.problem) if each.problem else "no problem" for each in (one, other))
            message = f"{code} on {where} stands for {stands} and stood for {stood}"
            changes.add("close-code-problem-changed", (*place, str(code)), new.location, message, related=related)
    for code, one in after.items():
        if code not in before:
            message = f"connections to {where} may be closed with {code}" + (f": {one.meaning}" if one.meaning else "")
            changes.add("close-code-added", (*place, str(code)), new.location, message, related=related)


def limits(old: ir.Api, new: ir.Api, changes: Changes) -> None:
    """What became of the limits that hold everywhere."""
    places = (new.location, old.location)
    _limits(dict(old.limits), dict(new.limits), None, ("limits",), "the API", places, changes)


def channel_limits(old_api: ir.Api, old: ir.Channel, new_api: ir.Api, new: ir.Channel, changes: Changes) -> None:
    """What became of the limits that a channel has of its own, or had."""
    own = dict.fromkeys(name for name, _ in (*old.limits, *new.limits))
    before, after = {**dict(old_api.limits), **dict(old.limits)}, {**dict(new_api.limits), **dict(new.limits)}
    places = (new.location, old.location)
    where = quoted(new.address or new.name)
    _limits(before, after, own, ("channels", new.name, "limits"), where, places, changes)


def _limits(
    before: Mapping[str, int | float],
    after: Mapping[str, int | float],
    names: Iterable[str] | None,
    place: Place,
    where: str,
    places: tuple[Location, Location],
    changes: Changes,
) -> None:
    location, related = places[0], places[1:]
    for name in dict.fromkeys((*before, *after)) if names is None else names:
        was, now, at = before.get(name), after.get(name), (*place, name)
        if was is None and now is not None:
            message = f"{where} has the limit {quoted(name)}, {now}, and declared none"
            changes.add("limit-added", at, location, message, related=related)
        elif was is not None and now is None:
            message = f"{where} does not declare the limit {quoted(name)} any more; it was {was}"
            changes.add("limit-removed", at, location, message, related=related)
        elif was is not None and now is not None and was != now:
            lowered = "message-limit-lowered" if name in _OF_MESSAGES else "limit-lowered"
            message = f"the limit {quoted(name)} of {where} is {now} and was {was}"
            changes.add(lowered if now < was else "limit-raised", at, location, message, related=related)


def heartbeat(old: ir.Channel, new: ir.Channel, sides: Sides, changes: Changes) -> None:
    """What became of the messages by which one side asks whether the other one is there."""
    before, after = old.heartbeat, new.heartbeat
    place, where = ("channels", new.name, "heartbeat"), quoted(new.address or new.name)
    if before is None and after is not None:
        asked = after.sender is ir.Direction.SERVER_TO_CLIENT
        rule = "server-heartbeat-added" if asked else "client-heartbeat-added"
        who = "the server asks clients" if asked else "clients may ask the server"
        message = (
            f"{who} on {where} by {quoted(after.ping)} whether they are there"
            if asked
            else (f"{who} on {where} by {quoted(after.ping)} whether it is there")
        )
        changes.add(rule, place, after.location, message)
    elif before is not None and after is None:
        message = f"{where} has no heartbeat any more; it was {quoted(before.ping)}, answered by {quoted(before.pong)}"
        changes.add("heartbeat-removed", place, before.location, message, related=(new.location,), note=NEW)
    elif before is not None and after is not None:
        names = {one.name: other.name for matched in sides.values() for one, other in matched.pairs}
        was = (before.sender, names.get(before.ping, before.ping), names.get(before.pong, before.pong))
        differences: list[str] = []
        if was != (after.sender, after.ping, after.pong):
            differences.append(f"it is {_asked(after)}, and was {_asked(before)}")
        for word, one, other in (
            ("interval", before.interval, after.interval),
            ("timeout", before.timeout, after.timeout),
        ):
            if one != other:
                differences.append(f"its {word} is {other:g} s and was {one:g} s")
        if differences:
            message = f"the heartbeat of {where} changed: {'; '.join(differences)}"
            changes.add("heartbeat-changed", place, after.location, message, related=(before.location,))


def _asked(beat: ir.Heartbeat) -> str:
    return f"{quoted(beat.ping)}, answered by {quoted(beat.pong)}"
