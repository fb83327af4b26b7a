"""A page of documentation as values that are ready to print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sockspec.docs.fields import Row, flat
from sockspec.docs.problems import Problem
from sockspec.docs.types import Line, Piece
from sockspec.docs.writing import Described, Html


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents, and the lines below it."""

    text: str
    anchor: str
    below: tuple[Entry, ...] = ()
    sender: str = ""
    """Who sends the message: `client`, `server` or `both`; empty where it is none."""
    kind: str = ""
    """What it is, where the list has things of several kinds: `message`."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading."""

    title: str
    rows: tuple[Row, ...]

    @property
    def all_rows(self) -> Iterable[Row]:
        """The rows, and after each those below it."""
        return flat(self.rows)


@dataclass(frozen=True, slots=True)
class Blank:
    """Something to fill in, for a URL: which server, a variable of its URL, or a parameter of the path or the query."""

    id: str
    name: str
    place: str
    """`server`, `variable`, `path` or `query`."""
    label: str
    value: str
    """What it is at first."""
    values: tuple[tuple[str, bool], ...]
    """What it can be, and whether it is that at first; empty where that is not listed."""
    is_required: bool


@dataclass(frozen=True, slots=True)
class Address:
    """A URL with blanks."""

    id: str
    server: str
    path: str
    initial: str
    """The URL as it is at first."""
    blanks: tuple[Blank, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API is served."""

    name: str
    anchor: str
    title: str
    url: str
    description: Described
    tables: tuple[Table, ...]
    security: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to authenticate."""

    name: str
    anchor: str
    how: Line
    browsers: Line
    """What a script in a browser can do about it."""
    scopes: tuple[tuple[str, str], ...]
    """Scope and what it allows."""
    needed: tuple[Line, ...]
    """What asks for it, each with the scopes that it takes."""
    description: Described


@dataclass(frozen=True, slots=True)
class Use:
    """An operation."""

    name: str
    summary: str
    description: Described
    needs: Line
    """Scopes that it takes; empty where it takes none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in the list of what one side sends."""

    name: str
    anchor: str
    tag: Line
    """The property and value that tell it from the others of the list; empty where none does."""
    summary: str
    is_deprecated: bool


@dataclass(frozen=True, slots=True)
class Side:
    """What one side sends on a channel."""

    sender: str
    """`client` or `server`."""
    title: Piece
    told: Line
    """How its messages are told apart; empty where there is one alone."""
    uses: tuple[Use, ...]
    """The operations of many messages."""
    messages: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what answers it."""

    line: Line
    diagram: Html


@dataclass(frozen=True, slots=True)
class Sample:
    """Code that shows how to do something."""

    id: str
    label: str
    language: str
    text: str
    fence: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Samples:
    """The same in several languages."""

    id: str
    title: str
    several: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """A close code: what it means, and what a client does about it."""

    code: str
    meaning: str
    reaction: str


@dataclass(frozen=True, slots=True)
class Channel:
    """An endpoint."""

    name: str
    anchor: str
    urls: tuple[str, ...]
    addresses: tuple[Address, ...]
    """The URL to build; none where nothing has to be filled in."""
    summary: str
    description: Described
    tables: tuple[Table, ...]
    subprotocols: Line
    close_codes: tuple[Closing, ...]
    security: tuple[Line, ...]
    browsers: tuple[Line, ...]
    """What a script in a browser cannot do here."""
    first: Piece
    """Who may speak first."""
    sides: tuple[Side, ...]
    exchanges: tuple[Exchange, ...]
    heartbeat: Line
    limits: tuple[tuple[str, str], ...]
    samples: tuple[Samples, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A payload. `fence` is what surrounds it in Markdown."""

    title: str
    text: str
    fence: str
    is_generated: bool = False
    """Whether we have made it from the schema, since the document has none."""


@dataclass(frozen=True, slots=True)
class Section:
    """A message or a definition."""

    name: str
    anchor: str
    sender: str
    """Who sends it: `client`, `server` or `both`; empty where it is no message."""
    title: str
    """The document's title, where it says more than the name."""
    notes: tuple[Line, ...]
    """What there is to know at a glance: who sends it, in which frame, whether it is deprecated."""
    summary: str
    description: Described
    uses: tuple[Use, ...]
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
class Found:
    """A change since an earlier version. `effect` is what it does to clients: `breaks`, `may break` or `harmless`."""

    effect: str
    line: Line


@dataclass(frozen=True, slots=True)
class Changed:
    """What has changed since an earlier version."""

    since: str
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The documentation of one API."""

    title: str
    version: str
    generator: str
    summary: str
    description: Described
    facts: tuple[Line, ...]
    """What there is on the page, in numbers."""
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
    limits: tuple[tuple[str, str], ...]
    """Those of the whole API: what is limited, and to what."""
    closings: tuple[Closing, ...]
    """The close codes that mean the same for every endpoint."""
    changed: Changed | None
