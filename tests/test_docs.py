"""The documentation of an API: what a page says."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from sockspec import docs, ir
from sockspec.diagnostics import Location
from sockspec.docs import life
from sockspec.docs.problems import PROBLEMS
from sockspec.docs.types import Types
from sockspec.docs.writing import PLAIN
from sockspec.pipeline import examine
from sockspec.runtime import ClientOptions, Limits, problems
from tests.pages import CLIENT, HERE, SERVER, TEXT, Reader, chat, field, message, pages

# --- what a page says -------------------------------------------------------------------------------------------------


def test_the_page_of_the_guides_document_speaks_to_whoever_writes_a_client(shared: Path) -> None:
    api, _ = examine(shared / "guide" / "chat.openapi.yaml", name="chat.openapi.yaml")
    assert api is not None
    html, markdown = pages(api)
    text = Reader(html).text
    for said in (
        "Chat WebSocket API Version 1.0.0 · 1 endpoint · 1 message to send · 2 to receive",
        "WebSocket API for real-time chat applications",
        "chat wss://chat.example.com/ws/chat Establish WebSocket connection",
        "You send Message",
        'You receive Told apart by a property: type. Message where it fits and no other does ErrorMessage where type is "error"',
        "Properties of error code integer Error code",
        "timestamp date and time (RFC 3339) Timestamp of when the error occurred",
        "Judged by the typed decoder alone",
        "The server reports errors by ErrorMessage",
    ):
        assert said in text
    assert "| `error.code` | integer |  | Error code |\n" in markdown
    assert '- <a href="#message-error-message">ErrorMessage</a> where `type` is `"error"`\n' in markdown


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
        'eu wss://{name}.eu Variables name "a" or "b" required default a',
        "token bearer token (JWT) in the header Authorization Scopes read Reads Asked for by the endpoint chat with read",
        "In browsers Pages cannot send this header. A server made with sockspec also takes the token as a subprotocol",
        "key key in the query parameter k Asked for by the endpoint chat",
        "Browsers cannot set headers in a WebSocket handshake",
        "chat wss://{name}.eu/chat/{room} wss://us/chat/{room} Try it in the console",
        "The document describes no messages for this endpoint. Handshake",
        "wss://a.eu/chat/{room} server wss://{name}.eu wss://us name required a b room required v (query)",
        "Authentication token with read and key none Subprotocols chat.v1, chat.v2",
        "Pages cannot connect as the document wants it: they cannot send X-Trace.",
        "Path parameters room string required Which room",
        "Query parameters v integer default 1 for example 2",
        "Headers X-Trace UUID required",
        "Close codes 4001 Signed out A client stops.",
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
    assert [(row.prefix, row.name) for row in page.messages[0].tables[0].all_rows] == [
        ("", "one"),
        ("one[].", "deep"),
        ("", "two"),
        ("", "three"),
        ("", "four"),
    ]
    assert [section.name for section in page.definitions] == ["Often", "Tree"]
    reader = Reader(pages(chat(said, definitions=(once, often, tree)))[0])
    assert "one array of object or null required" in reader.text
    assert "three object with values: Often" in reader.text
    assert reader.links.count("#type-tree") == 4


def test_requests_name_what_answers_them() -> None:
    ask, answer = message("Ask"), message("Answer")
    operation = ir.Operation("ask", CLIENT, "chat", ("Ask",), HERE, reply=ir.Reply(("Answer",), HERE))
    api = replace(chat(replace(ask, correlation=("meta", "id")), answer), operations=(operation,))
    text = Reader(pages(api)[0]).text
    assert "You send Ask You receive Answer" in text
    assert "Requests and replies Ask is answered with Answer" in text
    assert "You speak first: whatever the server sends answers a request." in text
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


def test_an_example_that_the_document_lacks_is_made_from_the_schema_and_says_so() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"const": 7}}}
    one = message("A", field("a", ir.Constant((7,)), required=True))
    api = chat(replace(one, payload=replace(one.payload, schema="#/definitions/A")))
    api = replace(api, schemas={"definitions": {"A": schema}})
    html, markdown = pages(api)
    assert 'Example, made from the schema { "a": 7 }' in Reader(html).text
    assert 'Example, made from the schema\n\n```json\n{\n  "a": 7\n}\n```\n' in markdown


def test_who_sends_what_is_said_from_either_side() -> None:
    operations = (
        ir.Operation("say", CLIENT, "chat", ("A",), HERE),
        ir.Operation("tell", SERVER, "chat", ("B", "C"), HERE),
        ir.Operation("repeat", CLIENT, "chat", ("C",), HERE),
    )
    api = replace(chat(*map(message, "ABCD")), operations=operations)
    page = docs.view(api)
    assert [(section.name, section.sender) for section in page.messages] == [
        ("A", "client"),
        ("B", "server"),
        ("C", "both"),
        ("D", ""),
    ]
    assert [(side.title.text, side.title.other) for side in page.channels[0].sides] == [
        ("You send", "You receive"),
        ("You receive", "You send"),
    ]
    assert [(section.notes[0][0].text, section.notes[0][0].other) for section in page.messages] == [
        ("You send it.", "You receive it."),
        ("You receive it.", "You send it."),
        ("You send it, and you receive it.", ""),
        ("No endpoint carries it.", ""),
    ]


@pytest.mark.parametrize(
    ("operations", "first"),
    [
        (((CLIENT, "A", ""),), "Only you speak; the server sends no messages."),
        (((SERVER, "A", ""),), "Only the server speaks: connect and listen."),
        (((CLIENT, "A", "B"),), "You speak first: whatever the server sends answers a request."),
        (((SERVER, "A", "B"),), "The server speaks first: whatever you send answers a request."),
        (((CLIENT, "A", ""), (SERVER, "B", "")), "Either side may speak first, as soon as the connection is open."),
    ],
)
def test_an_endpoint_says_who_may_speak_first(
    operations: tuple[tuple[ir.Direction, str, str], ...], first: str
) -> None:
    given = tuple(
        ir.Operation(f"o{at}", side, "chat", (name,), HERE, ir.Reply((reply,), HERE) if reply else None)
        for at, (side, name, reply) in enumerate(operations)
    )
    page = docs.view(replace(chat(message("A"), message("B")), operations=given))
    assert page.channels[0].first.text == first


def test_requests_are_drawn_with_what_answers_them() -> None:
    ask, answer, error = replace(message("Ask"), correlation=("id",)), message("Answer"), message("Oh")
    operation = ir.Operation("ask", CLIENT, "chat", ("Ask",), HERE, reply=ir.Reply(("Answer",), HERE))
    api = replace(chat(ask, answer, replace(error, is_error=True)), operations=(operation,))
    (exchange,) = docs.view(api).channels[0].exchanges
    assert '<title id="endpoint-chat-exchange-1-title">Ask and what answers it</title>' in exchange.diagram
    assert (
        "the client sends Ask (its own id); the server sends Answer; or the server sends Oh (a problem)</desc>"
        in exchange.diagram
    )


def test_limits_and_heartbeats_are_in_words() -> None:
    beat = ir.Heartbeat("Ping", "Pong", 20.0, 5.0, HERE, CLIENT)
    api = chat(message("Ping"), message("Pong"))
    channel = replace(api.channels[0], heartbeat=beat, limits=(("maxMessage", 16384),))
    text = Reader(pages(replace(api, channels=(channel,), limits=(("idleTimeout", 300),)))[0]).text
    assert (
        "Heartbeat You send Ping every 20 seconds, and Pong answers within 5 seconds, or the connection is given up."
        in text
    )
    assert "Size of a message 16,384 bytes; above: closed with 1009" in text
    assert "Silence of the client 300 seconds; above: closed with 3008" in text


def test_changes_are_shown_with_the_worst_first_and_lead_to_what_changed() -> None:
    changes = docs.Changes(
        "0.9",
        (
            docs.Change("harmless", "message 'A' is new", ("channels", "chat", "client", "A")),
            docs.Change("breaks", "endpoint 'old' is gone", ("channels", "old")),
        ),
    )
    html, markdown = pages(chat(message("A")), docs.Origin("chat.yaml", "chat", changes))
    assert "Changes since 0.9 breaks endpoint 'old' is gone harmless message 'A' is new see" in Reader(html).text
    assert (
        "## Changes since 0.9\n\n- breaks: endpoint 'old' is gone\n- harmless: message 'A' is new <a href=\"#message-a\">see</a>"
        in markdown
    )


def test_anchors_come_from_names_and_not_from_titles() -> None:
    one = replace(message("saidHello", field("data")), title="Somebody said hello", summary="A greeting")
    assert {"message-said-hello", "message-said-hello-data"} <= {*Reader(pages(chat(one))[0]).targets}


def test_headings_leave_out_no_level_whatever_descriptions_have() -> None:
    one = replace(message("A", replace(field("a"), description="#### Deep\n\n# Top")), description="### Three\n\n# One")
    api = replace(chat(one), description="## Two\n\n#### Four\n\nWords.")
    levels = Reader(pages(api)[0]).headings
    assert levels[0] == 1
    assert [after for before, after in pairwise(levels) if after > before + 1] == []


def test_the_close_codes_are_those_of_the_runtime() -> None:
    reactions = {problems.Reaction.RECONNECT: life.AGAIN, problems.Reaction.RENEW_TOKEN: life.RENEW}
    assert [(one.code, one.reaction) for one in life.CLOSINGS] == [
        (one.code, reactions.get(problems.reaction_to_close(int(one.code)), life.NEVER)) for one in life.CLOSINGS
    ]
    told = {int(one.code) for one in life.CLOSINGS}
    assert {*range(1000, 5000)} & {
        code for code in range(1000, 5000) if problems.reaction_to_close(code) is not problems.Reaction.STOP
    } <= told


def test_the_limits_are_those_of_the_runtime() -> None:
    camel = {re.sub("_(.)", lambda found: found[1].upper(), one.name) for one in dataclasses.fields(Limits)}
    assert set(life.LIMITS) == camel


def test_what_is_said_of_connecting_again_is_what_the_clients_do() -> None:
    said, options = Reader(pages(chat(message("A")))[0]).text, ClientOptions()
    assert (
        f"The ceiling starts at {options.backoff_base:g} seconds, doubles with each failure up to "
        f"{options.backoff_cap:g} seconds, and starts anew only after {options.stable_after:g} seconds of connection."
    ) in said
    assert (options.max_attempts, options.attempts_window) == (5, 30)
    assert f"sends a ping frame every {options.ping_interval:g} seconds" in said
    assert f"does not answer within {options.ping_timeout:g}." in said


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
