"""What travels on a channel: messages, how they are told apart, what they carry, what answers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec import ir
from sockspec.analysis import ambiguity, dispatch
from sockspec.analysis.constants import Path
from sockspec.diff.matching import Matched
from sockspec.diff.pairs import Pairs, Version
from sockspec.diff.payloads import Payloads
from sockspec.diff.rule import NEW, Changes
from sockspec.spec.text import quoted

Place = tuple[str, ...]

SIDES = {ir.Direction.CLIENT_TO_SERVER: "client", ir.Direction.SERVER_TO_CLIENT: "server"}
"""Who sends, as part of a place."""
_WORDS = {
    ("client", "removed"): "the server does not take {0} on {1} any more",
    ("client", "added"): "the server takes another message on {1}, {0}",
    ("server", "removed"): "the server does not send {0} on {1} any more",
    ("server", "added"): "the server sends another message on {1}, {0}",
}
_BY_TAG = (dispatch.By.TAG, dispatch.By.NESTED_TAG, dispatch.By.PAIR, dispatch.By.POSITION, dispatch.By.JSON_RPC)

Sides = Mapping[ir.Direction, Matched[ir.Message]]


def channels(pairs: Pairs, changes: Changes) -> Iterator[tuple[ir.Channel, ir.Channel, Sides]]:
    """Compare what travels on each channel; gives the channels, and the messages that were compared."""
    payloads = Payloads(pairs, changes)
    for old, new in pairs.channels.pairs:
        sides = {side: pairs.messages(old, new, side) for side in ir.Direction}
        for side, matched in sides.items():
            place = ("channels", new.name, SIDES[side])
            _carried(matched, place, new, SIDES[side], changes)
            told = _Told(pairs, old, new, side)
            told.compare(matched, place, changes)
            for one, other in matched.pairs:
                at = (*place, other.name)
                _message(one, other, at, changes)
                payloads.compare(one, other, at, side, told.reported.get(other.name, frozenset()))
        yield old, new, sides
    payloads.report()


def _carried(matched: Matched[ir.Message], place: Place, channel: ir.Channel, side: str, changes: Changes) -> None:
    for what, messages in (("removed", matched.removed), ("added", matched.added)):
        for message in messages:
            said = _WORDS[side, what].format(quoted(message.name), quoted(channel.address or channel.name))
            related = (channel.location,) if what == "removed" else ()
            changes.add(
                f"{side}-message-{what}", (*place, message.name), message.location, said, related=related, note=NEW
            )


def _message(old: ir.Message, new: ir.Message, place: Place, changes: Changes) -> None:
    related = (old.location,)
    if old.payload.content is not new.payload.content:
        message = (
            f"{quoted(new.name)} travels as {new.payload.content.value} and travelled as {old.payload.content.value}"
        )
        changes.add("content-changed", place, new.location, message, related=related)
    if old.correlation == new.correlation:
        return
    before, after = (quoted(".".join(one.correlation)) for one in (old, new))
    if not new.correlation:
        message = f"{quoted(new.name)} has no correlation id any more; it was {before}"
        changes.add("correlation-removed", place, new.location, message, related=related)
    elif not old.correlation:
        message = f"{quoted(new.name)} has a correlation id, {after}"
        changes.add("correlation-added", place, new.location, message, related=related)
    else:
        message = f"the correlation id of {quoted(new.name)} is {after} and was {before}"
        changes.add("correlation-changed", place, new.location, message, related=related)


class _Told:
    """How the messages of one direction are told apart, by whoever has the older view of what the other one sends.

    What clients send is told apart by the new server, what the server sends is told apart by old clients.
    """

    def __init__(self, pairs: Pairs, old: ir.Channel, new: ir.Channel, side: ir.Direction) -> None:
        self._channel, self._side = new, side
        self._before = pairs.old.dispatches.get((old.name, side))
        self._after = pairs.new.dispatches.get((new.name, side))
        self._sent = side is ir.Direction.CLIENT_TO_SERVER
        self._reader, self._writer = (pairs.new, pairs.old) if self._sent else (pairs.old, pairs.new)
        self.reported: dict[str, frozenset[tuple[str, ...]]] = {}
        """Places in payloads that something was said of already, by new messages."""

    def compare(self, matched: Matched[ir.Message], place: Place, changes: Changes) -> None:
        """Report what the reader takes for something else, or for nothing that it knows."""
        if self._before is None or self._after is None:
            return
        reads = self._after if self._sent else self._before
        paths = [path for path in (reads.path, reads.second) if path]
        tell = reads.by in _BY_TAG or reads.by is dispatch.By.NOTHING
        for path in paths if tell else ():
            untold = [pair for pair in matched.pairs if self._tag(pair, path, place, changes)]
            if untold:
                self._moved(path, untold, place, changes)
        if self._after.by is dispatch.By.TRIAL and self._before.by is not dispatch.By.TRIAL:
            message = (
                f"what {'clients' if self._sent else 'the server'} may send on {self._where} is told apart by trial only, "
                f"and was by {ambiguity.wording(self._before) or self._before.by.value}"
            )
            changes.add("messages-alike", place, self._channel.location, message)

    @property
    def _where(self) -> str:
        return quoted(self._channel.address or self._channel.name)

    def _tag(self, pair: tuple[ir.Message, ir.Message], path: Path, place: Place, changes: Changes) -> bool:
        """Compare the constants of a message at a place; says whether there are none where some are looked for."""
        old, new = pair
        known = self._reader.tags(new if self._sent else old, path)
        written = self._writer.tags(old if self._sent else new, path)
        if not known or set(written) <= set(known):
            return not written and bool(known)
        self._note(new, path)
        at, related = (*place, new.name), (old.location,)
        before, after = (written, known) if self._sent else (known, written)
        values = [", ".join(repr(value) for value in one) for one in (before, after)]
        where = quoted(ambiguity.written(path))
        if not self._sent and set(written) & set(known):
            more = ", ".join(repr(value) for value in written if value not in known)
            message = f"{quoted(new.name)} may have {more} in {where}, too, which old clients do not know"
            changes.add("tag-value-added", at, new.location, message, related=related)
        else:
            message = f"{quoted(new.name)} has {values[1]} in {where} and had {values[0]}"
            changes.add("tag-value-changed", at, new.location, message, related=related)
        return False

    def _moved(self, path: Path, pairs: list[tuple[ir.Message, ir.Message]], place: Place, changes: Changes) -> None:
        """Messages lack the constant that the reader goes by."""
        assert self._before is not None
        assert self._after is not None
        for _, new in pairs:
            for one in (self._before, self._after):
                self._note(new, one.path)
                self._note(new, one.second)
        names = ", ".join(quoted(new.name) for _, new in pairs[:3]) + (
            f" and {len(pairs) - 3} others" if len(pairs) > 3 else ""
        )
        before = ambiguity.wording(self._before) if self._before.path else "nothing"
        message = (
            f"what {'clients' if self._sent else 'the server'} may send on {self._where} is told apart by "
            f"{ambiguity.wording(self._after) or 'nothing'}, and was by {before or 'nothing'}: "
            f"{names} {'did' if self._sent else 'do'} not have {quoted(ambiguity.written(path))}"
        )
        changes.add("tag-property-changed", place, self._channel.location, message, related=(pairs[0][0].location,))

    def _note(self, message: ir.Message, path: Path) -> None:
        steps = tuple(f"[{step}]" if isinstance(step, int) else step for step in path)
        self.reported[message.name] = self.reported.get(message.name, frozenset()) | {steps}


def replies(pairs: Pairs, old: ir.Channel, new: ir.Channel, sides: Sides, changes: Changes) -> None:
    """What became of the answers to messages; who asks for them is no matter of names, but of what travels."""
    names = {(side, one.name): other.name for side, matched in sides.items() for one, other in matched.pairs}
    before, after = _answers(pairs.old, old), _answers(pairs.new, new)
    asked = {(side, names[side, name]): found for (side, name), found in before.items() if (side, name) in names}
    known = {(side, other.name) for side, matched in sides.items() for _, other in matched.pairs}
    for key in dict.fromkeys((*asked, *(key for key in after if key in known))):
        side, name = key
        was, now = asked.get(key), after.get(key)
        back = next(other for other in ir.Direction if other is not side)
        expected = {names.get((back, one), one) for one in was.messages} if was is not None else set[str]()
        _answered(
            _Answered(side, name, was, now, frozenset(expected)), ("channels", new.name, SIDES[side], name), changes
        )


class _Answered:
    """A message, and what answered it and does."""

    def __init__(
        self, side: ir.Direction, name: str, was: ir.Reply | None, now: ir.Reply | None, expected: frozenset[str]
    ) -> None:
        self.sent = side is ir.Direction.CLIENT_TO_SERVER
        self.name, self.was, self.now = quoted(name), was, now
        self.gone = sorted(expected - set(now.messages)) if now is not None else []
        self.more = [one for one in now.messages if one not in expected] if now is not None else []


def _answered(one: _Answered, place: Place, changes: Changes) -> None:
    if one.was is None and one.now is not None:
        rule, who = ("reply-added", "the server answers") if one.sent else ("server-request-added", "clients answer")
        changes.add(rule, place, one.now.location, f"{who} {one.name} with {_listed(one.now.messages)}, and did not")
    elif one.was is not None and one.now is None:
        rule, who = (
            ("reply-removed", "the server does not answer")
            if one.sent
            else ("server-request-removed", "clients do not answer")
        )
        message = f"{who} {one.name} any more; it was answered with {_listed(one.was.messages)}"
        changes.add(rule, place, one.was.location, message)
    elif one.was is not None and one.now is not None:
        related = (one.was.location,)
        if one.more:
            rule = "reply-message-added" if one.sent else "answer-added"
            message = f"{one.name} may be answered with {_listed(one.more)}, too"
            changes.add(rule, place, one.now.location, message, related=related)
        if one.gone:
            rule = "reply-message-removed" if one.sent else "answer-removed"
            message = f"{one.name} is not answered with {_listed(one.gone)} any more"
            changes.add(rule, place, one.now.location, message, related=related)


def _answers(version: Version, channel: ir.Channel) -> dict[tuple[ir.Direction, str], ir.Reply]:
    """What answers each message of a channel that is answered."""
    found: dict[tuple[ir.Direction, str], ir.Reply] = {}
    for operation in version.operations.get(channel.name, ()):
        if operation.reply is not None:
            for name in operation.messages:
                found.setdefault((operation.direction, name), operation.reply)
    return found


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return " or ".join(map(quoted, names))
