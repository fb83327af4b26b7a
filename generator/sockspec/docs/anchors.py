"""Places on a page that links lead to, each with a name of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sockspec import ir


@dataclass(frozen=True, slots=True)
class Anchors:
    """Anchors by the names of the API, never by titles. They are made of ASCII letters, digits and dashes."""

    servers: Mapping[str, str]
    schemes: Mapping[str, str]
    channels: Mapping[str, str]
    messages: Mapping[str, str]
    definitions: Mapping[str, str]
    _taken: dict[str, int] = field(default_factory=dict[str, int])

    def within(self, anchor: str) -> Callable[[str], str]:
        """A function that gives the anchors of what is in a section, by its path there; once for each path."""
        return lambda path: _free(f"{anchor}-{_slug(path)}", self._taken)


def give(api: ir.Api) -> Anchors:
    """The anchors of a page. A definition that is a message under the same name has the anchor of the message."""
    taken: dict[str, int] = {}

    def claim(kind: str, names: Iterable[str]) -> dict[str, str]:
        return {name: _free(f"{kind}-{_slug(name)}", taken) for name in names}

    messages = claim("message", (message.name for message in api.messages))
    definitions = claim("type", (definition.name for definition in api.definitions))
    for message in api.messages:
        if message.payload.definition == message.name and isinstance(message.payload.type, ir.Record):
            definitions[message.name] = messages[message.name]
    return Anchors(
        claim("server", (server.name for server in api.servers)),
        claim("authentication", (scheme.name for scheme in api.security_schemes)),
        claim("endpoint", (channel.name for channel in api.channels)),
        messages,
        definitions,
        taken,
    )


def _slug(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:60] or "unnamed"


def _free(wanted: str, taken: dict[str, int]) -> str:
    """The wanted name, or that with the next number. `taken` has the names in use, each with its latest number."""
    free, number = wanted, taken.get(wanted, 1)
    while free in taken:
        number += 1
        free = f"{wanted}-{number}"
    taken[wanted] = number
    taken.setdefault(free, 1)
    return free
