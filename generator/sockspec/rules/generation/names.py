"""Names of a document that become one name in Python, so that all but the first get a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.python.naming import attribute_name, class_name, member_name
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

NAME_COLLISION = Code(
    "name-collision",
    Severity.WARNING,
    "Two names become one identifier of Python, so that the later one gets a number: `user-id` and `userId` are both "
    "`user_id`. Which is which then depends on their order. Rename one of them, or give it a name by `x-python-name`.",
)

_Named = tuple[str, Location]
"""A name of the document, and where it stands."""


def _collisions(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    yield from _alike("messages", class_name, ((m.name, m.location) for m in api.messages if not m.name_hint))
    yield from _alike("types", class_name, ((d.name, d.location) for d in api.definitions))
    acts = [o for o in api.operations if o.direction is ir.Direction.CLIENT_TO_SERVER and not o.name_hint]
    yield from _alike("operations", attribute_name, ((o.name, o.location) for o in acts))
    yield from _alike("channels", class_name, ((c.name, c.location) for c in api.channels))
    told: set[Location] = set()
    for record in (*api.definitions, *(message.payload.type for message in api.messages)):
        match record:
            case ir.Record(fields=fields) if record.location not in told:
                told.add(record.location)
                own = ((f.wire_name, f.location) for f in fields if not f.name_hint)
                yield from _alike("properties", attribute_name, own)
            case ir.Enumeration(values=values, names=()):
                yield from _alike("values", member_name, ((value, record.location) for value in values))
            case _:
                pass


def _alike(what: str, called: Callable[[str], str], names: Iterable[_Named]) -> Iterator[Diagnostic]:
    first: dict[str, _Named] = {}
    for name, place in names:
        identifier = called(name)
        other, before = first.setdefault(identifier, (name, place))
        if other != name:
            message = f"the {what} {quoted(other)} and {quoted(name)} are both {quoted(identifier)} in Python"
            yield NAME_COLLISION.at(place, message, related=(before,) if before != place else ())


RULES = (
    Rule(
        NAME_COLLISION,
        Group.GENERATION,
        ALL,
        bad="properties:\n  user-id: {type: string}\n  userId: {type: string}\n",
        good="properties:\n  user-id: {type: string}\n  userId: {type: string, x-python-name: account_id}\n",
        check=_collisions,
    ),
)
