"""Problems in the shapes that documents give to their error messages, and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType

from sockspec.runtime import Codec, Entry, Fault, Problem, Schemas
from sockspec.runtime.error_messages import error_frame, read_error
from tests.runtime.chatting import FROM_SERVER

AT = datetime(2024, 7, 29, 12, 34, 56, tzinfo=UTC)
INVALID = Problem.of(
    "/problems/validation-error",
    "not valid",
    errors=(Fault("/limit", "maximum", "expected at most 100"),),
    id="r1",
)
GUIDE = {
    "type": "error",
    "error": {
        "type": "/problems/validation-error",
        "message": "not valid",
        "title": "Invalid message",
        "status": 422,
        "errors": [{"pointer": "/limit", "message": "expected at most 100", "keyword": "maximum"}],
        "id": "r1",
    },
    "timestamp": "2024-07-29T12:34:56.000Z",
    "id": "r1",
}


class GuideDetails(Struct, kw_only=True):
    """The members that the design guide's own example document declares."""

    code: int | UnsetType = UNSET
    message: str | UnsetType = UNSET


class GuideError(Struct, kw_only=True, tag_field="type", tag="error"):
    type: ClassVar[Literal["error"]] = "error"
    error: GuideDetails | UnsetType = UNSET
    timestamp: datetime | UnsetType = UNSET


class Flat(Struct, kw_only=True, tag_field="type", tag="error", forbid_unknown_fields=True):
    type: ClassVar[Literal["error"]] = "error"
    code: str
    message: str
    errors: list[str] = []
    retryAfter: int | UnsetType = UNSET


class Strange(Struct, kw_only=True, forbid_unknown_fields=True):
    severity: int


class TextError(Struct, kw_only=True, tag_field="event", tag="failure"):
    event: ClassVar[Literal["failure"]] = "failure"
    error: str
    id: str | UnsetType = UNSET


def written(shape: type[Struct] | None, problem: Problem = INVALID, outgoing: Codec[Any] = FROM_SERVER) -> object:
    return json.loads(error_frame(problem, shape=shape, outgoing=outgoing, at=AT))


def test_without_a_shape_of_its_own_a_problem_has_the_guides() -> None:
    assert written(None) == GUIDE


def test_a_bare_problem_is_the_guides_example() -> None:
    problem = Problem("/problems/unauthorized", "Unauthorized access")
    assert written(None, problem) == {
        "type": "error",
        "error": {"type": "/problems/unauthorized", "message": "Unauthorized access"},
        "timestamp": "2024-07-29T12:34:56.000Z",
    }


def test_the_code_of_the_guides_document_is_filled_and_the_rest_stays_beside_it() -> None:
    assert written(GuideError) == {**GUIDE, "error": {**GUIDE["error"], "code": 422}}  # type: ignore[dict-item]


def test_a_flat_closed_shape_gets_its_members_and_no_others() -> None:
    assert written(Flat) == {
        "type": "error",
        "code": "validation-error",
        "message": "not valid",
        "errors": ["expected at most 100"],
    }
    assert read_error(json.dumps(written(Flat))) == Problem("about:blank", "not valid")


def test_a_delay_is_rounded_up_where_whole_seconds_are_due() -> None:
    assert written(Flat, Problem.of("/problems/service-restart", retry_after=0.2)) == {
        "type": "error",
        "code": "service-restart",
        "message": "The service is restarting",
        "retryAfter": 1,
    }


def test_an_error_that_is_a_text_gets_the_message() -> None:
    assert written(TextError) == {"event": "failure", "error": "not valid", "id": "r1"}


def test_a_shape_that_cannot_be_filled_gives_way_to_the_guides() -> None:
    assert written(Strange) == GUIDE


def test_a_shape_of_the_channel_is_filled_so_that_the_channel_accepts_it() -> None:
    def schema(code: object) -> Schemas:
        properties = {"type": {"const": "error"}, "code": code, "message": {"type": "string"}}
        definitions = {"error": {"type": "object", "properties": properties}}
        document = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": definitions}
        return Schemas(lambda: json.dumps(document))

    def codec(schemas: Schemas) -> Codec[Flat]:
        return Codec(schemas, Entry(Flat, "#/definitions/error", "checked", ("error",)), tag="type")

    taken = written(Flat, outgoing=codec(schema({"type": "string"})))
    assert isinstance(taken, dict)
    assert taken["code"] == "validation-error"
    assert written(Flat, outgoing=codec(schema({"enum": ["E1", "E2"]}))) == GUIDE


@pytest.mark.parametrize("problem", [INVALID, Problem.of("/problems/service-restart", retry_after=1.5, detail="soon")])
def test_what_is_written_in_the_guides_shape_is_read_back(problem: Problem) -> None:
    assert read_error(error_frame(problem, shape=None, outgoing=FROM_SERVER, at=AT)) == problem


@pytest.mark.parametrize(
    "frame",
    [
        "nonsense",
        b"\xff",
        "[" * 100_000,
        "[]",
        '"error"',
        '{"type":"posted"}',
        '{"type":"posted","error":{"type":"/problems/forbidden"}}',
    ],
)
def test_what_is_no_error_message_is_not_read_as_one(frame: str | bytes) -> None:
    assert read_error(frame) is None


def test_members_of_other_types_are_left_out() -> None:
    hostile = {"type": 1, "message": [], "status": "x", "errors": [1, {"pointer": 2}], "retryAfter": "soon", "id": [1]}
    assert read_error(json.dumps({"type": "error", "error": hostile})) == Problem(
        "about:blank", "", errors=(Fault("", "", ""),)
    )


def test_a_message_known_to_be_an_error_is_read_whatever_its_type() -> None:
    frame = msgspec.json.encode({"event": "failure", "code": 7, "message": "no", "id": 5})
    assert read_error(frame) is None
    assert read_error(frame, known=True) == Problem("about:blank", "no", status=7, id=5)
