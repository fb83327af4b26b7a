"""Frames in, decisions out."""

from __future__ import annotations

from sockspec.runtime import Handler, Problem, Route
from sockspec.runtime.session import Call, Refusal, Session, refusal, unexpected
from tests.runtime.chatting import FROM_CLIENT, FROM_SERVER, Chat, GetHistory, Post, RoomConnection


def session(max_faults: int = 3) -> Session:
    return Session(Chat.routes[0], max_faults=max_faults)


def outcome(decision: Call | Refusal) -> tuple[str, int | None]:
    return (decision.problem.type, decision.close) if isinstance(decision, Refusal) else (decision.handler.method, None)


def test_a_message_is_a_call_of_its_handler() -> None:
    assert session().receive('{"type":"post","text":"hi"}') == Call(Handler("post"), Post(text="hi"))


def test_a_request_is_a_call_of_its_handler() -> None:
    expected = Call(Handler("get_history", replies=True), GetHistory(id="r1"))
    assert session().receive('{"type":"getHistory","id":"r1"}') == expected


def test_an_invalid_request_is_refused_under_its_correlation_id() -> None:
    decision = session().receive('{"type":"getHistory","id":"r1","limit":0}')
    assert isinstance(decision, Refusal)
    assert (decision.problem.type, decision.problem.id) == ("/problems/validation-error", "r1")


def test_a_binary_frame_ends_the_connection_where_text_is_due() -> None:
    assert outcome(session().receive(b"{}")) == ("/problems/binary-not-supported", 1003)


def test_the_last_of_too_many_faults_in_a_row_ends_the_connection() -> None:
    talk = session(max_faults=2)
    frames = ("?", '{"type":"post","text":""}', "?", "?")
    assert [outcome(talk.receive(frame))[1] for frame in frames] == [None, None, None, 1008]


def test_a_message_that_nobody_handles_is_of_an_unknown_type() -> None:
    route = Route(path="/", connection=RoomConnection, incoming=FROM_CLIENT, outgoing=FROM_SERVER)
    decision = Session(route, max_faults=3).receive('{"type":"getHistory","id":"r1"}')
    assert isinstance(decision, Refusal)
    assert (decision.problem.type, decision.problem.id) == ("/problems/unknown-type", "r1")


def test_a_problem_ends_the_connection_only_if_its_kind_always_does() -> None:
    assert [refusal(Problem.of(f"/problems/{name}")).close for name in ("forbidden", "token-expired")] == [None, 3000]


def test_an_exception_is_told_by_its_incident_alone() -> None:
    assert unexpected("4f2a").message == "Internal server error (incident 4f2a)"
