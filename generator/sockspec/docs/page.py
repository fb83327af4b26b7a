"""A page of documentation as values that are ready to print."""

from __future__ import annotations

from dataclasses import dataclass

from sockspec.docs.fields import Row
from sockspec.docs.problems import Problem
from sockspec.docs.types import Line
from sockspec.docs.writing import Lines


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents, and the lines below it."""

    text: str
    anchor: str
    below: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API is served."""

    name: str
    url: str
    description: tuple[Lines, ...]
    tables: tuple[Table, ...]
    security: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to authenticate."""

    name: str
    anchor: str
    how: Line
    scopes: tuple[tuple[str, str], ...]
    """Scope and what it allows."""
    description: tuple[Lines, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in the list of what one side sends."""

    name: str
    anchor: str
    tag: Line
    """The property and value that tell it from the others of the list; empty where none does."""
    summary: str


@dataclass(frozen=True, slots=True)
class Side:
    """What one side sends on a channel, from the point of view of whoever writes a client."""

    title: str
    messages: tuple[Sent, ...]
    replies: tuple[Line, ...]
    """Which message answers which."""


@dataclass(frozen=True, slots=True)
class Channel:
    """An endpoint."""

    name: str
    anchor: str
    urls: tuple[str, ...]
    summary: str
    description: tuple[Lines, ...]
    tables: tuple[Table, ...]
    subprotocols: Line
    close_codes: tuple[tuple[str, str], ...]
    security: tuple[Line, ...]
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A payload that the document shows. `fence` is what surrounds it in Markdown."""

    title: str
    text: str
    fence: str


@dataclass(frozen=True, slots=True)
class Section:
    """A message or a definition."""

    name: str
    anchor: str
    notes: tuple[Line, ...]
    """What there is to know at a glance: who sends it, in which frame, whether it is deprecated."""
    summary: str
    description: tuple[Lines, ...]
    type: Line
    """What it is where it is no object with properties; empty where the rows say all."""
    bounds: tuple[Line, ...]
    tables: tuple[Table, ...]
    members: tuple[Line, ...]
    """The alternatives of a union, or the values of an enumeration with their meaning."""
    verdict: tuple[Line, ...]
    """Who judges a payload; then what the typed decoder leaves to the validator, a line for each reason."""
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The documentation of one API."""

    title: str
    version: str
    generator: str
    summary: str
    description: tuple[Lines, ...]
    contents: tuple[Entry, ...]
    servers: tuple[Server, ...]
    schemes: tuple[Scheme, ...]
    needs_header: bool
    """Whether a credential or a parameter travels in a header, which browsers cannot send in a handshake."""
    channels: tuple[Channel, ...]
    messages: tuple[Section, ...]
    definitions: tuple[Section, ...]
    errors: tuple[Line, ...]
    """The messages by which the server reports errors."""
    problems: tuple[Problem, ...]
