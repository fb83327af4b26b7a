"""The documentation of an API: what a page says, and that nothing in a document can break out of it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sockspec import __version__, docs, ir
from sockspec.diagnostics import Location
from sockspec.docs.problems import PROBLEMS
from sockspec.docs.types import Types
from sockspec.docs.writing import MARKDOWN, PLAIN, fence
from sockspec.pipeline import examine
from sockspec.render import renderer
from sockspec.runtime import problems

HERE = Location("d.yaml", 3, 1, "/channels/chat")
CLIENT, SERVER = ir.Direction.CLIENT_TO_SERVER, ir.Direction.SERVER_TO_CLIENT
TEXT = ir.Scalar(ir.Kind.STRING)
VOID = {"br", "meta"}


def field(name: str, of: ir.Type = TEXT, *, required: bool = False) -> ir.Field:
    return ir.Field(name, of, required, HERE)


def message(name: str, *fields: ir.Field) -> ir.Message:
    return ir.Message(name, ir.Payload(ir.Record(name, fields, HERE)), HERE)


def chat(*messages: ir.Message, definitions: tuple[ir.Definition, ...] = ()) -> ir.Api:
    """An API with one endpoint, to which the client sends these messages."""
    operations = tuple(ir.Operation(m.name, CLIENT, "chat", (m.name,), HERE) for m in messages)
    channel = ir.Channel("chat", "/chat", HERE)
    return ir.Api(
        "Chat", "1", HERE, channels=(channel,), operations=operations, messages=messages, definitions=definitions
    )


class Reader(HTMLParser):
    """Reads a page as a browser would: its elements, its links and their targets, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.targets.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.words.append(" " if tag in ("td", "th", "p") else "")

    def handle_data(self, data: str) -> None:
        self.words.append(data if not {"style", "title"} & {*self._open} else "")

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def pages(api: ir.Api) -> tuple[str, str]:
    """The page as HTML and as Markdown."""
    files = docs.files(api, renderer())
    return files["docs/index.html"], files["docs/index.md"]


# --- what a page says -------------------------------------------------------------------------------------------------


def test_the_page_of_the_guides_document_speaks_to_whoever_writes_a_client(shared: Path) -> None:
    api, _ = examine(shared / "guide" / "chat.openapi.yaml", name="chat.openapi.yaml")
    assert api is not None
    html, markdown = pages(api)
    text = Reader(html).text
    for said in (
        "Chat WebSocket API Version 1.0.0 WebSocket API for real-time chat applications",
        "chat wss://chat.example.com/ws/chat Establish WebSocket connection",
        'You send Message You receive Message where it fits and no other does ErrorMessage where type is "error"',
        "error.code integer Error code",
        "timestamp date and time (RFC 3339) Timestamp of when the error occurred",
        "Judged by the typed decoder alone",
        "The server reports errors by ErrorMessage",
    ):
        assert said in text
    assert "| `error.code` | integer |  | Error code |\n" in markdown
    assert '- [ErrorMessage](#message-error-message) where `type` is `"error"`\n' in markdown


def test_an_endpoint_says_how_to_connect_to_it() -> None:
    channel = ir.Channel(
        "chat",
        "/chat/{room}",
        HERE,
        parameters=(ir.Parameter("room", TEXT, HERE, description="Which room"),),
        query=(ir.Parameter("v", ir.Scalar(ir.Kind.INTEGER), HERE, required=False, default="1", examples=("2",)),),
        headers=(ir.Parameter("X-Trace", ir.Scalar(ir.Kind.UUID), HERE),),
        subprotocols=("chat.v1", "chat.v2"),
        close_codes=(ir.CloseCode(4001, "Signed out"),),
        security=((ir.Requirement("token", ("read",)), ir.Requirement("key")), ()),
    )
    api = ir.Api(
        "Chat",
        "1",
        HERE,
        servers=(
            ir.Server(
                "eu", "wss://{name}.eu", HERE, (ir.Parameter("name", ir.Constant(("a", "b")), HERE, default="a"),)
            ),
            ir.Server("us", "wss://us", HERE),
        ),
        security_schemes=(
            ir.SecurityScheme("token", "http", HERE, scheme="bearer", bearer_format="JWT", scopes=(("read", "Reads"),)),
            ir.SecurityScheme("key", "apiKey", HERE, parameter_name="k", parameter_in="query"),
        ),
        channels=(channel,),
    )
    text = Reader(pages(api)[0]).text
    for said in (
        'eu wss://{name}.eu Variables Name Type Description name required "a" or "b" default a',
        "token bearer token (JWT) in the header Authorization Scopes read Reads key key in the query parameter k",
        "Browsers cannot set headers in a WebSocket handshake",
        "chat wss://{name}.eu/chat/{room} wss://us/chat/{room} Authentication token with read and key none",
        "Path parameters Name Type Description room required string Which room",
        "Query parameters Name Type Description v integer default 1 for example 2",
        "Headers Name Type Description X-Trace required UUID",
        "Subprotocols chat.v1, chat.v2",
        "Close codes Code Meaning 4001 Signed out",
        "The document describes no messages for this endpoint.",
    ):
        assert said in text


def test_what_is_used_in_one_place_is_shown_there_and_what_is_shared_or_recursive_is_linked() -> None:
    once = ir.Record("Once", (field("deep", required=True),), HERE)
    often = ir.Record("Often", (field("a"),), HERE)
    tree = ir.Record("Tree", (field("children", ir.Array(ir.Ref("Tree"))),), HERE)
    said = message(
        "Said",
        field("one", ir.Array(ir.Nullable(ir.Ref("Once"))), required=True),
        field("two", ir.Ref("Often")),
        field("three", ir.Map(ir.Ref("Often"))),
        field("four", ir.Ref("Tree")),
    )
    page = docs.view(chat(said, definitions=(once, often, tree)))
    assert [(row.prefix, row.name) for row in page.messages[0].tables[0].rows] == [
        ("", "one"),
        ("one[].", "deep"),
        ("", "two"),
        ("", "three"),
        ("", "four"),
    ]
    assert [section.name for section in page.definitions] == ["Often", "Tree"]
    reader = Reader(pages(chat(said, definitions=(once, often, tree)))[0])
    assert "one required array of object or null" in reader.text
    assert "three object with values: Often" in reader.text
    assert reader.links.count("#type-tree") == 3


def test_requests_name_what_answers_them() -> None:
    ask, answer = message("Ask"), message("Answer")
    operation = ir.Operation("ask", CLIENT, "chat", ("Ask",), HERE, reply=ir.Reply(("Answer",), HERE))
    api = replace(chat(replace(ask, correlation=("meta", "id")), answer), operations=(operation,))
    text = Reader(pages(api)[0]).text
    assert "You send Ask Ask is answered with Answer You receive Answer" in text
    assert "A reply repeats the value of meta.id." in text


def test_a_message_says_who_judges_it_and_why() -> None:
    reason = ir.Unsaid("oneOf", Location("d.yaml", 9, 1, "/components/schemas/A/oneOf"))
    checked = replace(message("A"), lane_reasons=(reason, reason))
    typed = replace(message("B"), lane=ir.Lane.TYPED)
    sections = docs.view(chat(checked, typed)).messages
    assert ["".join(piece.text for piece in line) for line in sections[0].verdict] == [
        "Decoded and then checked by the JSON Schema validator.",
        "oneOf at /components/schemas/A/oneOf",
    ]
    assert [len(section.verdict) for section in sections] == [2, 1]


def test_examples_are_those_of_the_document() -> None:
    example = ir.Example({"a": "```\n<b>"}, HERE, "first", "A greeting")
    html, markdown = pages(chat(replace(message("A", field("a")), examples=(example,))))
    assert 'Example: first: A greeting { "a": "```\\n<b>" }' in Reader(html).text
    assert 'Example: first: A greeting\n\n````json\n{\n  "a": "```\\n<b>"\n}\n````\n' in markdown


def test_enumerations_and_unions_list_their_members() -> None:
    color = ir.Enumeration("Color", ("red", "blue"), HERE, descriptions=("warm", ""))
    either = ir.Alias("Either", ir.Union((ir.Ref("Color"), ir.Scalar(ir.Kind.INTEGER))), HERE)
    api = chat(message("A", field("either", ir.Ref("Either"))), definitions=(color, either))
    text = Reader(pages(api)[0]).text
    assert 'Color One of "red" – warm "blue" Either One of Color integer' in text


@pytest.mark.parametrize(
    ("of", "line", "bounds"),
    [
        (ir.Scalar(ir.Kind.INTEGER, ir.Limits(minimum=1, maximum=9)), "integer", ["at least 1", "at most 9"]),
        (ir.Scalar(ir.Kind.NUMBER, ir.Limits(exclusive_minimum=0)), "number", ["more than 0"]),
        (ir.Scalar(ir.Kind.STRING, ir.Limits(min_length=1)), "string", ["at least 1 character"]),
        (ir.Scalar(ir.Kind.STRING, ir.Limits(pattern="^a$")), "string", ["matches ^a$"]),
        (ir.Array(ir.Scalar(ir.Kind.BYTES), 2, 2), "array of bytes, as base64 text", ["exactly 2 items"]),
        (
            ir.Array(ir.Scalar(ir.Kind.STRING, ir.Limits(max_length=3))),
            "array of string",
            ["each item: at most 3 characters"],
        ),
        (ir.Map(ir.Anything(), 1, None), "object", ["at least 1 property"]),
        (ir.Map(TEXT), "object with values: string", []),
        (ir.Tuple((TEXT, ir.Anything())), "array of exactly: string, any value", []),
        (ir.Nullable(ir.Constant(("a", 1, True))), '"a" or 1 or true or null', []),
        (ir.Ref("Color"), "Color", ['one of "red"']),
        (ir.Constant(tuple(range(30))), " or ".join(map(str, range(20))) + "or 10 more", []),
    ],
)
def test_a_type_is_described_in_words(of: ir.Type, line: str, bounds: list[str]) -> None:
    types = Types({"Color": ir.Enumeration("Color", ("red",), HERE)}, {}, PLAIN)
    assert "".join(piece.text for piece in types.line(of)) == line
    assert ["".join(piece.text for piece in bound) for bound in types.bounds(of)] == bounds


def test_a_type_that_nests_without_end_in_sight_is_cut() -> None:
    deep: ir.Type = TEXT
    for _ in range(400):
        deep = ir.Array(deep, min_items=1)
    text = Reader(pages(chat(message("A", field("a", deep))))[0]).text
    assert "array of " * 9 + "…" in text


def test_the_problems_are_those_of_the_runtime() -> None:
    assert [
        (problem.type, problem.refusal if problem.refusal else None, problem.close or None) for problem in PROBLEMS
    ] == [
        (kind.type, str(kind.status) if kind.refuses else None, str(kind.close) if kind.close else None)
        for kind in problems.PROBLEMS.values()
    ]


# --- nothing breaks out -----------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "| a | b |\n|---|---|",
    "```\n# heading\n<b>",
    "-->\n<script>",
    "&lt;script&gt;",
    "{{ 7*7 }}{% raw %}",
    "\u202eevil\x00\x1b[31m",
    "",
]


def hostile(text: str) -> ir.Api:
    """An API in which everything that an author can write is this text."""
    definition = ir.Enumeration(f"{text} type", (text, "b"), HERE, text, text, (text, text))
    record = ir.Record(
        text, (replace(field(text, ir.Ref(f"{text} type")), description=text, default=text, has_default=True),), HERE
    )
    one = ir.Message(
        text, ir.Payload(record), HERE, text, text, text, correlation=(text,), examples=(ir.Example(text, HERE, text),)
    )
    limits = ir.Scalar(ir.Kind.STRING, ir.Limits(pattern=text))
    parameter = ir.Parameter(text, limits, HERE, True, text, text, (text,), (text,))
    return ir.Api(
        text,
        text,
        HERE,
        text,
        text,
        servers=(ir.Server(text, text, HERE, (parameter,), ((ir.Requirement(text, (text,)),),), text, text),),
        security_schemes=(ir.SecurityScheme(text, text, HERE, text, text, text, text, ((text, text),), text),),
        channels=(
            ir.Channel(
                text,
                text,
                HERE,
                text,
                text,
                text,
                (),
                (parameter,),
                (parameter,),
                (parameter,),
                (text,),
                (ir.CloseCode(4000, text),),
                ((ir.Requirement(text),),),
            ),
        ),
        operations=(ir.Operation("o", CLIENT, text, (text,), HERE, ir.Reply((text,), HERE)),),
        messages=(one,),
        definitions=(definition,),
    )


ELEMENTS = set(
    """html head meta title style body div nav ul li a main header h1 h2 h3 h4 p br section article table thead tbody
    tr th td code pre span strong details summary footer""".split()
)
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "aria-label", "href", "id", "scope"}


def check(api: ir.Api) -> tuple[str, str]:
    """Hold both pages to what we write ourselves: elements, attributes, and links that lead somewhere."""
    html, markdown = pages(api)
    reader = Reader(html)
    assert reader.tags <= ELEMENTS
    assert reader.attributes <= ATTRIBUTES
    assert len(reader.targets) == len(set(reader.targets))
    assert set(reader.links) <= {f"#{target}" for target in reader.targets}
    prose = re.sub(r"(?ms)^(`{3,})json\n.*?^\1$|`[^`\n]*`", "", markdown)
    assert set(re.findall(r"<[^>]*>?", prose)) <= {
        f"<!-- Generated by sockspec {__version__} -->",
        "<br>",
        "<code>",
        "</code>",
        "</a>",
        *(f'<a id="{target}">' for target in reader.targets),
    }
    anchors = set(re.findall(r'<a id="([a-z0-9-]+)"></a>', prose))
    assert set(re.findall(r"(?<!\\)\]\(#?([^)]*)\)", prose)) <= anchors
    return html, markdown


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_an_author_writes_becomes_markup(text: str) -> None:
    html, markdown = check(hostile(text))
    assert {*html, *markdown} & {"\x00", "\x1b", "\u202e"} == set()


@pytest.mark.parametrize(
    "name",
    ["injection-docs-html.json", "names-schemas.json", "names-channels-path.yaml", "ref-property-named-ref.yaml"],
)
def test_hostile_documents_give_harmless_pages(name: str, shared: Path) -> None:
    api, _ = examine(shared / "corpus" / "hostile" / name, name=name)
    assert api is not None
    check(api)


def test_the_page_runs_and_loads_nothing() -> None:
    html, _ = pages(chat(message("A")))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(|https?://", html)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words, 1.5 (a-b)", "plain words, 1.5 (a-b)"),
        ("1. one", r"1\. one"),
        ("12) one", r"12\) one"),
        ("- one", r"\- one"),
        ("===", r"\==="),
        ("# a *b* _c_ `d` [e] |f|", r"\# a \*b\* \_c\_ \`d\` \[e\] \|f\|"),
        ("a\\", r"a\\"),
        ("<b> & c", "&lt;b&gt; &amp; c"),
        ("two\nlines\tof   words", "two lines of words"),
    ],
)
def test_words_mean_themselves_in_markdown(text: str, written: str) -> None:
    assert MARKDOWN.text(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a*b", "`a*b`"),
        ("a`b", r"<code>a\`b</code>"),
        ("a|b", r"<code>a\|b</code>"),
        ("<a>", "<code>&lt;a&gt;</code>"),
        ("", "<code></code>"),
    ],
)
def test_code_means_itself_in_markdown(text: str, written: str) -> None:
    assert MARKDOWN.code(text) == written


def test_paragraphs_are_filled_and_lists_keep_their_items() -> None:
    assert PLAIN.paragraphs("one\ntwo\r\n \r\n\nthree\n") == (("one two",), ("three",))
    assert PLAIN.paragraphs("- one\n  and more\n- two") == (("- one and more", "- two"),)


def test_a_fence_is_longer_than_what_it_surrounds() -> None:
    assert [fence(text) for text in ("", "a ``` b", "`````")] == ["```", "````", "``````"]
