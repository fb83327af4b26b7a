"""The API as documentation: one page, as HTML and as Markdown, for those who write clients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sockspec import __version__, ir
from sockspec.analysis import dispatch, walk
from sockspec.docs import anchors, data, life, llms, schemas, scripts
from sockspec.docs.changes import Change, Changes, changed
from sockspec.docs.channels import Channels
from sockspec.docs.code import Code
from sockspec.docs.examples import Examples
from sockspec.docs.fields import Fields
from sockspec.docs.markdown import HTML
from sockspec.docs.page import Channel, Entry, Page, Samples, Section
from sockspec.docs.problems import PROBLEMS
from sockspec.docs.rewriting import MARKDOWN
from sockspec.docs.sections import Sections
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Html, Writing
from sockspec.python.naming import package_name

__all__ = ["FORMATS", "Change", "Changes", "Origin", "Page", "files", "view"]

FORMATS = {
    "html": ("index.html",),
    "markdown": ("index.md",),
    "llms": ("llms.txt", "llms-full.txt"),
    "schemas": ("schemas/",),
}
"""What can be made of an API, and the files of each below `docs/`."""

_EARLY, _SCRIPTS = ("early.js",), ("page.js", "console.js")
"""The scripts that run before anything is drawn, and those that run when all is there."""
_STYLES = ("docs/style.css.j2",)
_POLICY = (
    "default-src 'none'; script-src '{early}' '{script}'; style-src '{style}'; connect-src ws: wss:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""What the page may do: run and show what it carries, and open the sockets of its console."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a page is made of beside the API."""

    document: str = "document.yaml"
    """The name of the file that describes the API, as users write it on the command line."""
    package: str = ""
    """The package that is made of it, as users import it; empty for what its name would be."""
    changes: Changes | None = None
    """What has changed since an earlier version, where there is one to compare with."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the pages of one API have in common, whatever they are written in."""

    dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch]
    examples: Examples
    samples: Mapping[str, Samples]
    """Code by the names of channels."""
    changes: Changes | None


_UNKNOWN = Origin()


def files(
    api: ir.Api, render: Callable[..., str], origin: Origin = _UNKNOWN, formats: Collection[str] = tuple(FORMATS)
) -> Mapping[str, str]:
    """The pages by their paths. `formats` are names of FORMATS. Raises what `render` raises, and BadScript."""
    ground, made = _ground(api, origin), {}
    names = [message.name for message in api.messages]
    known = schemas.of(api)
    if "html" in formats:
        made["index.html"] = _html(api, render, ground)
    if "markdown" in formats:
        made["index.md"] = render("docs/page.md.j2", page=_view(api, MARKDOWN, ground))
    if "llms" in formats:
        page = _view(api, llms.WORDS, ground)
        listed = [name for kind in FORMATS if kind in formats for name in FORMATS[kind]]
        made["llms.txt"] = render("docs/llms.txt.j2", index=llms.index(page, names, known, listed))
        made["llms-full.txt"] = render("docs/llms-full.txt.j2", text=llms.text(page, names, known))
    if "schemas" in formats:
        made |= {f"schemas/{name}": text for name, text in known.texts.items()}
    return {f"docs/{path}": text for path, text in made.items()}


def _html(api: ir.Api, render: Callable[..., str], ground: _Ground) -> str:
    def script(*entries: str) -> str:
        return scripts.inlined(entries, lambda name: render(f"docs/script/{name}"))

    runs = {
        "early": script(*_EARLY),
        "script": script(*_SCRIPTS),
        "style": "".join(render(name) for name in _STYLES),
    }
    policy = _POLICY.format(**{name: scripts.digest(text) for name, text in runs.items()})
    verbatim = {**runs, "data": data.text(api, anchors.give(api), ground.dispatches)}
    return render(
        "docs/page.html.j2",
        page=_view(api, HTML, ground),
        policy=policy,
        **{name: Html(text) for name, text in verbatim.items()},
    )


def view(api: ir.Api, writing: Writing = HTML, origin: Origin = _UNKNOWN) -> Page:
    """The page of an API. Its text is for templates that escape what they print, or Markdown (`writing`)."""
    return _view(api, writing, _ground(api, origin))


def _ground(api: ir.Api, origin: Origin) -> _Ground:
    examples, dispatches, given = Examples(api), dispatch.all_of(api), anchors.give(api)
    package = origin.package or package_name(origin.document, api.title)
    code = Code(api, examples, dispatches, origin.document, package)
    samples = {channel.name: code.samples(channel, given.channels[channel.name]) for channel in api.channels}
    return _Ground(dispatches, examples, samples, origin.changes)


def _view(api: ir.Api, writing: Writing, ground: _Ground) -> Page:
    given = anchors.give(api)
    types = Types(walk.by_name(api), given.definitions, writing)
    messages = set(given.messages.values())
    linked = {name: anchor for name, anchor in given.definitions.items() if anchor in messages}
    fields = Fields(api, types, linked, writing)
    dispatches, shown = ground.dispatches, ground.examples.writer(writing)
    channels = Channels(api, given, types, fields, dispatches, writing)
    sections = Sections(api, given, types, fields, dispatches, channels, shown, writing)
    schemes = tuple(channels.connecting.scheme(scheme) for scheme in api.security_schemes)
    endpoints = tuple(channels.channel(channel, ground.samples[channel.name]) for channel in api.channels)
    described = tuple(sections.message(message) for message in api.messages)
    definitions = sections.definitions()
    errors = tuple(
        (Piece(s.name, anchor=s.anchor),) for s, m in zip(described, api.messages, strict=True) if m.is_error
    )
    page = Page(
        writing.text(api.title),
        writing.text(api.version),
        f"Generated by sockspec {__version__}",
        writing.summary(api.summary),
        writing.described(api.description, 2),
        tuple(_facts(types, endpoints, described, definitions)),
        (),
        tuple(channels.connecting.server(server) for server in api.servers),
        schemes,
        channels.connecting.needs_header(),
        endpoints,
        described,
        definitions,
        errors,
        tuple(replace(problem, type=writing.code(problem.type)) for problem in PROBLEMS),
        life.limits(api.limits, writing),
        tuple(replace(one, code=writing.code(one.code)) for one in life.CLOSINGS),
        changed(ground.changes, given, writing),
    )
    return replace(page, contents=tuple(_contents(page, is_html=writing.html is not None)))


def _facts(
    types: Types, channels: tuple[Channel, ...], messages: tuple[Section, ...], definitions: tuple[Section, ...]
) -> Iterator[Line]:
    sent = sum(message.sender in ("client", "both") for message in messages)
    received = sum(message.sender in ("server", "both") for message in messages)
    yield (types.words(_counted(len(channels), "endpoint")),)
    if messages:
        yield (types.words(f"{_counted(sent, 'message')} to send", f"{_counted(sent, 'message')} to receive"),)
        yield (types.words(f"{received} to receive", f"{received} to send"),)
    if definitions:
        yield (types.words(_counted(len(definitions), "type")),)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _contents(page: Page, *, is_html: bool) -> Iterator[Entry]:
    yield Entry("Overview", "overview")
    if page.changed is not None:
        yield Entry("Changes", "changes")
    if page.servers:
        yield Entry("Servers", "servers")
    schemes = tuple(Entry(scheme.name, scheme.anchor) for scheme in page.schemes)
    yield Entry("Authentication", "authentication", schemes)
    sections: tuple[tuple[str, str, tuple[Channel, ...] | tuple[Section, ...]], ...] = (
        ("Endpoints", "endpoints", page.channels),
        ("Messages", "messages", page.messages),
        ("Types", "types", page.definitions),
    )
    for title, anchor, parts in sections:
        if parts:
            yield Entry(title, anchor, tuple(_entry(part) for part in parts))
    yield Entry("Connections", "connections")
    if page.channels and is_html:
        yield Entry("Console", "console")
    yield Entry("Errors", "errors")


def _entry(part: Channel | Section) -> Entry:
    return Entry(part.name, part.anchor, sender=part.sender if isinstance(part, Section) else "")
