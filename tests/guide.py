"""`docs/guide.md`: the sentences of the design guide, each with what it comes to here. `tests/test_guide.py` holds it."""

from __future__ import annotations

from dataclasses import dataclass

from sockspec.rules.rule import Group
from sockspec.rules.table import of, rules


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the guide, word for word."""

    section: str
    text: str
    rules: str = ""
    """What of it a document can show: ids of rules."""
    runtime: str = ""
    """What carries it out: `module:name` below `sockspec`."""
    docs: str = ""
    """Where that is explained: pages of `docs`."""
    tests: str = ""
    """`path::name` below `tests`."""
    remark: str = ""
    """What there is to add, where it is not to be told from the other columns."""


_SERVER, _GUARD, _CLIENT = (
    "runtime/test_server_scenarios.py",
    "runtime/test_guarding_scenarios.py",
    "runtime/test_client_scenarios.py",
)

SENTENCES = (
    Sentence(
        "",
        "WebSocket is a full-duplex communication protocol suitable for real-time applications such as chat, games, and "
        "instant notifications.",
        remark="A definition.",
    ),
    Sentence(
        "",
        "When designing a WebSocket API, considerations MUST be made for message format, connection management, security, "
        "and scalability.",
        remark="The sections below. Of scalability the guide says no more; servers hold thousands of connections, and "
        "slow ones hold up nobody.",
        runtime="runtime.outbox:Outbox runtime.limits:Limits",
        docs="serving.md limits.md",
        tests=f"runtime/test_crowd.py::test_ten_thousand_idle_connections_are_held_and_closed_cleanly "
        f"{_SERVER}::test_a_client_that_never_reads_is_cut_off_and_disturbs_nobody",
    ),
    Sentence(
        "",
        "The following guidelines MUST be followed when designing a WebSocket API:",
        remark="`sockspec lint` asks the rules of the guide by default.",
        tests="test_guide.py::test_the_chat_keeps_every_rule_of_the_guide",
    ),
    Sentence(
        "Message Format",
        "All messages transmitted via WebSocket MUST use a unified format, such as JSON.",
        rules="guide-envelope-json guide-data-field",
        runtime="runtime.codec:Codec",
        docs="validation.md types.md",
        tests="runtime/test_codec.py::test_a_frame_becomes_its_message",
    ),
    Sentence(
        "Message Format",
        "Messages SHOULD include a type field to distinguish between different types of messages.",
        rules="guide-type-field guide-type-constant guide-type-distinct messages-not-distinguishable",
        runtime="runtime.discriminator:Discriminator",
        docs="decisions/0012-telling-messages-apart.md",
        tests="test_dispatch.py::test_messages_are_told_apart_in_the_way_that_is_printed",
    ),
    Sentence(
        "Message Format",
        "A timestamp SHOULD be included for message ordering and debugging.",
        rules="guide-timestamp guide-timestamp-format",
        runtime="runtime.codec:Codec",
        docs="client.md",
        tests="runtime/test_codec.py::test_sending_stamps_the_time_that_was_left_out",
    ),
    Sentence(
        "Connection Management",
        "Handshake: The client MUST establish a connection using the standard WebSocket handshake.",
        rules="handshake-must-be-get handshake-is-get",
        runtime="runtime.dial:dial runtime.client:Client",
        docs="client.md interoperability.md",
        tests=f"{_CLIENT}::test_each_of_many_concurrent_requests_gets_its_own_reply "
        "test_openapi.py::test_a_handshake_under_another_method_is_read_as_get_with_a_warning",
    ),
    Sentence(
        "Connection Management",
        "The server MUST respond with appropriate headers.",
        rules="guide-switching-protocols",
        runtime="runtime.handshake:Handshake runtime.handshake:http_refusal",
        docs="serving.md authentication.md",
        tests=f"{_SERVER}::test_a_handshake_is_refused_with_a_problem_document "
        f"{_SERVER}::test_the_principal_the_parameters_and_the_subprotocol_reach_the_connection",
    ),
    Sentence(
        "Connection Management",
        "Keep-Alive: The server SHOULD implement a keep-alive mechanism using ping/pong frames to detect and close idle or "
        "dead connections.",
        rules="guide-keep-alive",
        runtime="runtime.options:Options runtime.heartbeat:Heartbeat",
        docs="serving.md client.md decisions/0010-keep-alive-draining-and-refusals.md",
        tests=f"{_SERVER}::test_a_peer_that_answers_no_ping_is_gone_within_interval_and_timeout "
        f"{_GUARD}::test_a_connection_that_says_nothing_is_closed_where_that_is_limited",
    ),
    Sentence(
        "Connection Management",
        "Reconnection: The client MUST implement a robust reconnection strategy to gracefully handle disconnections.",
        remark="No document can show it.",
        runtime="runtime.backoff:Reconnection",
        docs="client.md decisions/0009-reconnection.md",
        tests=f"{_CLIENT}::test_a_client_comes_back_after_a_restart_and_sends_what_waited "
        "runtime/test_backoff.py::test_a_thousand_clients_that_lose_their_server_together_come_back_apart",
    ),
    Sentence(
        "Connection Management",
        "Graceful Shutdown: The server MUST be able to gracefully shut down, properly closing all active WebSocket "
        "connections.",
        remark="No document can show it.",
        runtime="runtime.serving.standalone:Running runtime.serving.ending:run_to_the_end",
        docs="serving.md decisions/0010-keep-alive-draining-and-refusals.md",
        tests="runtime/test_shutdown_scenarios.py::"
        "test_each_client_gets_the_message_and_the_close_code_and_the_process_returns",
    ),
    Sentence(
        "Security",
        "Authentication: The client MUST authenticate before establishing a WebSocket connection.",
        rules="guide-authentication",
        runtime="runtime.security.authentication:authenticate",
        docs="authentication.md decisions/0017-schemes-are-methods.md",
        tests=f"{_GUARD}::test_whoever_is_not_known_is_refused_by_http",
    ),
    Sentence(
        "Security",
        "This SHOULD be done using a token (e.g., JWT) sent during the handshake.",
        rules="guide-authentication-token",
        runtime="runtime.security.schemes:BearerScheme runtime.security.jwt:JwtVerifier",
        docs="authentication.md",
        tests=f"{_GUARD}::test_credentials_are_found_where_the_document_has_them_and_get_into_no_log "
        "runtime/test_security.py::test_a_good_token_says_who_it_is_what_they_may_do_and_until_when",
    ),
    Sentence(
        "Security",
        "Encryption: Secure WebSocket (wss://) MUST be used to encrypt data transmitted between the client and server.",
        rules="guide-wss",
        runtime="runtime.address:refuse_clear_text runtime.security.cleartext:InsecureTransport",
        docs="serving.md client.md",
        tests=f"{_SERVER}::test_clear_text_beyond_loopback_is_refused "
        f"{_CLIENT}::test_a_token_does_not_travel_in_clear_text_beyond_loopback",
    ),
    Sentence(
        "Security",
        "Authorization: The server MUST implement authorization checks to ensure that clients can only perform actions "
        "they are allowed to.",
        rules="guide-authorization",
        runtime="runtime.server:Server.authorize runtime.security.schemes:Requirement",
        docs="authentication.md",
        tests=f"{_GUARD}::test_an_operation_needs_its_scopes_and_the_connection_stays_usable",
    ),
    Sentence(
        "DRAFT Error Handling",
        "Standard Error Messages: The server MUST define a set of standard error messages and codes to send to the client "
        "in case of errors.",
        rules="guide-error-message guide-error-shape guide-problem-types",
        runtime="runtime.problems:PROBLEMS runtime.error_messages:error_frame",
        docs="validation.md",
        tests="runtime/test_problems.py::test_the_table_is_this_one "
        f"{_SERVER}::test_the_answer_to_a_bad_frame_has_the_shape_of_the_design_guide",
    ),
    Sentence(
        "DRAFT Error Handling",
        "Error Logging: The server SHOULD log errors for debugging and monitoring purposes.",
        remark="No document can show it.",
        runtime="runtime.logs:JsonFormatter runtime.observer:Observer",
        docs="operations.md",
        tests=f"{_SERVER}::test_an_exception_in_a_handler_is_told_by_an_id_that_is_in_the_log",
    ),
    Sentence(
        "Rate Limiting",
        "The WebSocket API can primarily limit the number of sockets in a connection.",
        rules="guide-connection-limit",
        runtime="runtime.limits:Limits runtime.turnstile:Turnstile",
        docs="limits.md",
        tests="runtime/test_limits.py::test_the_turnstile_counts_all_principals_and_addresses",
    ),
    Sentence(
        "Rate Limiting",
        "When the limit is reached, the following response SHOULD be returned via WebSocket:",
        rules="guide-maximum-connections",
        runtime="runtime.problems:REACH_MAXIMUM_CONNECTIONS runtime.connection:Admission",
        docs="limits.md",
        tests=f"{_GUARD}::test_the_connection_too_many_is_told_so_over_a_connection_and_leaving_makes_room",
    ),
    Sentence(
        "Version Control",
        "Please refer to API Versioning. For WebSocket APIs, URL versioning is primarily used.",
        rules="guide-url-version",
        runtime="runtime.application:Application runtime.problems:UNSUPPORTED_VERSION",
        docs="serving.md",
        tests="runtime/test_operations.py::test_two_versions_are_served_side_by_side_and_a_retired_one_is_gone",
    ),
    Sentence(
        "Documentation",
        "Provide comprehensive documentation for your WebSocket API.",
        rules="guide-api-description guide-channel-description guide-operation-description guide-message-description "
        "guide-property-description guide-message-example",
        runtime="docs:files runtime.serving.pages:answer",
        docs="operations.md",
        tests="test_docs.py::test_the_page_of_the_guides_document_speaks_to_whoever_writes_a_client "
        f"{_GUARD}::test_documentation_is_served_only_when_asked_for",
    ),
    Sentence(
        "OAS 3.1 Example",
        "OpenAPI Specification (OAS) 3.1 supports documenting WebSocket APIs.",
        remark="It has no words for messages: those of the example are assumed, and others can be named.",
        runtime="spec.openapi:read",
        docs="schema-support.md decisions/0015-messages-of-documents-that-name-none.md",
        tests="test_openapi.py::test_the_document_of_the_guide_gives_one_endpoint_and_two_messages",
    ),
    Sentence(
        "OAS 3.1 Example",
        "This example defines a WebSocket server located at wss://chat.example.com/ws with a /chat path. It includes "
        "schemas for standard messages and error messages, ensuring consistency in the message format across the entire "
        "WebSocket API.",
        remark="See below.",
        tests="test_guide.py::test_the_example_of_the_guide_leaves_out_what_is_listed",
    ),
)
"""All sentences but the titles of examples and of references."""

EXAMPLE = {
    "handshake-must-be-get": "its handshake is a `post`; the handshake of a WebSocket is a GET request (RFC 6455, 4.1)",
    "guide-authentication": "it has no security scheme",
    "guide-type-field": "nothing is `required`, so messages may come without a `type`",
    "guide-type-constant": "the `type` of its ordinary message may be any text",
    "guide-timestamp": "nor is the `timestamp` required",
    "guide-error-shape": "its `error` has a `code` and no `type`, other than the messages that the guide shows",
    "guide-maximum-connections": "and so the problem of too many connections has no place",
    "guide-keep-alive": "nothing is said of keep-alive",
    "guide-connection-limit": "nor of how many connections there may be",
    "guide-url-version": "neither `/ws` nor `/chat` is a version",
    "guide-message-description": "its messages have no description of their own",
    "guide-message-example": "nor examples",
    "guide-property-description": "and `error` has none",
}
"""What the guide's own OpenAPI document leaves out, by the rule that says so."""

_INTRODUCTION = """\
# The design guide

Each sentence of the WebSocket API Design Guide, word for word, with the [rules](rules.md) that hold documents to it, what
carries it out in servers and clients, and the tests that show it. A MUST is an error and a SHOULD is a warning. The presets
of `sockspec lint` make warnings of the guide's errors, since most APIs in the world were designed without it; with
`--ruleset guide` they are errors. What the guide shows in examples only, such as `data`, is an information.

A rule looks at the API that a document describes, whether that is written in AsyncAPI 2, AsyncAPI 3 or OpenAPI. What most
messages or channels lack is said once.

This page is made from `tests/guide.py` by `make golden`.
"""

_EXAMPLE = """\
## The guide's own document

Our [`specs/chat.asyncapi.yaml`](../specs/chat.asyncapi.yaml) keeps every rule. The guide's own example is
[`specs/chat.openapi.yaml`](../specs/chat.openapi.yaml), word for word; it shows how OpenAPI is used, and leaves out what
the sentences before it ask for:
"""


def guide_page() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for section in dict.fromkeys(sentence.section for sentence in SENTENCES):
        rows = [_row(sentence) for sentence in SENTENCES if sentence.section == section]
        head = "| The guide | Rules | Carried out by | Tests |\n| --- | --- | --- | --- |\n"
        parts.append(f"## {section or 'At its beginning'}\n\n{head}" + "".join(rows))
    lacking = "".join(f"- {what} ([`{rule}`](rules.md#{rule}))\n" for rule, what in EXAMPLE.items())
    parts.append(f"{_EXAMPLE}\n{lacking}")
    return "\n".join(parts)


def _row(sentence: Sentence) -> str:
    said = [f"[`{rule}`](rules.md#{rule}) ({rules()[rule].code.severity.value})" for rule in sentence.rules.split()]
    done = [f"`sockspec.{name.replace(':', '.')}`" for name in sentence.runtime.split()]
    done += [f"[{page}]({page})" for page in sentence.docs.split()]
    tested = [f"`tests/{name}`" for name in sentence.tests.split()]
    cells = [f"“{sentence.text}” {sentence.remark}".strip(), *("<br>".join(cell) for cell in (said, done, tested))]
    return "| " + " | ".join(cells) + " |\n"


def unmentioned() -> list[str]:
    """The rules of the guide that no sentence has."""
    mentioned = {rule for sentence in SENTENCES for rule in sentence.rules.split()}
    return [rule.id for rule in of(Group.GUIDE) if rule.id not in mentioned]
