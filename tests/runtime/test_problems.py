"""The one table, row by row, and what clients make of it."""

from __future__ import annotations

import pytest

from sockspec.runtime import PROBLEMS, Problem
from sockspec.runtime.problems import Reaction, reaction_to_close, reaction_to_status

TABLE = {
    # problem: HTTP status, close code, ends the connection at once, refuses handshakes, the client
    "/problems/unauthorized": (401, 3000, True, True, "asks for a new token once, then stops"),
    "/problems/token-expired": (401, 3000, True, True, "asks for a new token once, then stops"),
    "/problems/forbidden": (403, 3003, False, True, "stops"),
    "/problems/origin-not-allowed": (403, None, False, True, "stops"),
    "/problems/reach-maximum-connections": (503, 1013, True, True, "backs off"),
    "/problems/too-many-requests": (429, 1008, False, True, "slows down"),
    "/problems/validation-error": (422, 1008, False, False, "tells the caller"),
    "/problems/unknown-type": (400, 1008, False, False, "tells the caller"),
    "/problems/malformed-message": (400, 1008, False, False, "tells the caller"),
    "/problems/binary-not-supported": (415, 1003, True, False, "stops"),
    "/problems/message-too-large": (413, 1009, True, False, "tells the caller"),
    "/problems/slow-consumer": (503, 1013, True, False, "reconnects"),
    "/problems/idle-timeout": (408, 3008, True, False, "reconnects"),
    "/problems/internal-server-error": (500, 1011, False, True, "backs off"),
    "/problems/service-restart": (503, 1012, True, True, "reconnects"),
    "/problems/service-unavailable": (503, 1013, False, True, "backs off"),
    "/problems/invalid-parameters": (400, None, False, True, "stops"),
    "/problems/not-found": (404, None, False, True, "stops"),
    "/problems/unsupported-version": (410, None, False, True, "stops"),
}


def test_the_table_is_this_one() -> None:
    rows = {
        name: (kind.status, kind.close, kind.final, kind.refuses, kind.reaction.value)
        for name, kind in PROBLEMS.items()
    }
    assert rows == TABLE


def test_a_problem_takes_its_title_status_and_message_from_the_table() -> None:
    expected = Problem("/problems/unauthorized", "Unauthorized access", title="Unauthorized access", status=401)
    assert Problem.of("/problems/unauthorized") == expected


def test_a_problem_of_the_applications_own_is_a_message_that_ends_nothing() -> None:
    problem = Problem.of("/problems/room-full", "the room is full")
    assert (problem.title, problem.status, problem.message) == ("", None, "the room is full")
    assert (problem.kind.final, problem.kind.close, problem.kind.status) == (False, None, 400)


def test_a_problem_keeps_the_id_that_it_has() -> None:
    problem = Problem.of("/problems/forbidden")
    assert [problem.about(None).id, problem.about("a").id, problem.about("a").about("b").id] == [None, "a", "a"]


@pytest.mark.parametrize("code", [1001, 1005, 1006, 1012, 1013, 1014, 3000, 3008])
def test_these_close_codes_are_retriable_by_themselves(code: int) -> None:
    assert reaction_to_close(code).retriable


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1015, 3003, 4000])
def test_these_close_codes_are_final_by_themselves(code: int) -> None:
    assert not reaction_to_close(code).retriable


def test_the_problem_told_before_decides_when_the_close_code_is_its_own() -> None:
    internal = Problem.of("/problems/internal-server-error")
    assert reaction_to_close(1011, internal) is Reaction.BACK_OFF
    # An earlier problem has nothing to do with a later close for another reason.
    assert reaction_to_close(1008, internal) is Reaction.STOP
    assert reaction_to_close(1006, Problem.of("/problems/validation-error")) is Reaction.RECONNECT


@pytest.mark.parametrize(
    ("status", "reaction"),
    [(400, Reaction.STOP), (401, Reaction.RENEW_TOKEN), (403, Reaction.STOP), (404, Reaction.STOP)]
    + [(status, Reaction.BACK_OFF) for status in (408, 425, 429, 500, 502, 503, 504)],
)
def test_the_status_of_a_refused_handshake_decides_without_a_problem(status: int, reaction: Reaction) -> None:
    assert reaction_to_status(status) is reaction


def test_the_problem_of_a_refused_handshake_decides_before_its_status() -> None:
    assert reaction_to_status(503, Problem.of("/problems/unsupported-version")) is Reaction.STOP
