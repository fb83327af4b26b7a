"""Codecs: one message out of several, in the lane that it is judged in, or a problem that says what is wrong."""

from __future__ import annotations

import datetime as dt
import json
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from sockspec.runtime import Codec, DateTime, Entry, PayloadError, Schemas

_TIME = {"type": "string", "format": "date-time"}


class Say(Struct, kw_only=True, frozen=True, tag_field="type", tag="say"):
    type: ClassVar[Literal["say"]] = "say"
    text: str
    count: int | UnsetType = UNSET
    timestamp: DateTime | UnsetType = UNSET


class Ask(Struct, kw_only=True, frozen=True, tag_field="type", tag="ask"):
    type: ClassVar[Literal["ask"]] = "ask"
    id: str


class Note(Struct, kw_only=True, frozen=True):
    type: str | UnsetType = UNSET
    words: list[str]


class Sound(Struct, frozen=True):
    payload: bytes


SCHEMAS = Schemas(
    lambda: json.dumps(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {
                "Say": {
                    "type": "object",
                    "required": ["type", "text"],
                    "properties": {
                        "type": {"const": "say"},
                        "text": {"type": "string"},
                        "count": {"type": "integer"},
                        "timestamp": _TIME,
                    },
                },
                "Ask": {
                    "type": "object",
                    "required": ["type", "id"],
                    "properties": {"type": {"const": "ask"}, "id": {"type": "string"}},
                },
                "Note": {
                    "type": "object",
                    "required": ["words"],
                    "properties": {
                        "type": {"type": "string"},
                        "words": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                    },
                },
            },
        }
    )
)
CODEC: Codec[Say | Ask | Note | Sound] = Codec(
    SCHEMAS,
    Entry(Say, "#/definitions/Say", "typed", tags=("say",)),
    Entry(Ask, "#/definitions/Ask", "typed", tags=("ask",), correlation=("id",)),
    Entry(Note, "#/definitions/Note", "checked"),
    Entry(Sound, "", "typed", content="binary", bare=True),
    tag="type",
)
TAGGED: Codec[Say | Ask] = Codec(
    SCHEMAS,
    Entry(Say, "#/definitions/Say", "typed", tags=("say",)),
    Entry(Ask, "#/definitions/Ask", "typed", tags=("ask",), correlation=("id",)),
    tag="type",
)


@pytest.mark.parametrize(
    ("frame", "message", "lane"),
    [
        ('{"type": "say", "text": "hi"}', Say(text="hi"), "typed"),
        ('{"text": "hi", "count": 2, "type": "say", "more": [1]}', Say(text="hi", count=2), "typed"),
        ('{"type": "say", "text": "hi", "count": 2.0}', Say(text="hi", count=2), "judge"),
        ('{"words": ["a", "b"]}', Note(words=["a", "b"]), "checked"),
        ('{"type": "note", "words": []}', Note(type="note", words=[]), "checked"),
        (b"\x00\xff", Sound(b"\x00\xff"), "typed"),
    ],
)
def test_a_frame_becomes_its_message(frame: str | bytes, message: object, lane: str) -> None:
    verdict = CODEC.examine(frame)
    assert (verdict.message, verdict.lane) == (message, lane)
    assert CODEC.decode(frame) == message


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        ("", "/problems/malformed-message"),
        ("{", "/problems/malformed-message"),
        ('{"type": "say", "text": NaN}', "/problems/malformed-message"),
        ('{"type": "say", "text": "hi", "count": 1e999}', "/problems/malformed-message"),
        ('{"type": "say", "text": "\\ud800"}', "/problems/malformed-message"),
        ('{"type": "say", "text": ' + "[" * 65 + "]" * 65 + "}", "/problems/malformed-message"),
        ('{"type": "say", "text": "hi", "more": ' + "[" * 100_000 + "}", "/problems/malformed-message"),
        ("[" * 100_000, "/problems/malformed-message"),
        ('{"type": "say", "count": ' + "9" * 5000 + "}", "/problems/malformed-message"),
        ('{"type": "nope"}', "/problems/unknown-type"),
        ('{"type": ["say"]}', "/problems/unknown-type"),
        ('{"type": true}', "/problems/unknown-type"),
        ("{}", "/problems/unknown-type"),
        ("[]", "/problems/validation-error"),
        ("null", "/problems/validation-error"),
        ('{"type": "say"}', "/problems/validation-error"),
        ('{"type": "say", "text": "hi", "timestamp": "yesterday"}', "/problems/validation-error"),
        (b"{}", "/problems/binary-not-supported"),
    ],
)
def test_a_frame_that_is_no_message_is_a_problem(frame: str | bytes, problem: str) -> None:
    with pytest.raises(PayloadError) as caught:
        TAGGED.decode(frame)
    assert caught.value.problem.type == problem


def test_a_problem_says_where_and_what_without_quoting_the_payload() -> None:
    with pytest.raises(PayloadError) as caught:
        TAGGED.decode('{"type": "say", "text": 1, "count": "secret"}')
    faults = caught.value.problem.errors
    assert [(f.pointer, f.keyword) for f in faults] == [("/text", "type"), ("/count", "type")]
    assert "secret" not in str(caught.value.problem)


def test_brackets_inside_strings_do_not_count_as_nesting() -> None:
    text = "[{" * 100
    assert TAGGED.decode(json.dumps({"type": "say", "text": text})) == Say(text=text)


def test_text_as_bytes_has_to_be_utf_8() -> None:
    assert TAGGED.decode_text(b'{"type": "say", "text": "\xc3\xbc"}') == Say(text="ü")
    with pytest.raises(PayloadError) as caught:
        TAGGED.decode_text(b'{"type": "say", "text": "\xff"}')
    assert caught.value.problem.type == "/problems/malformed-message"


def test_sending_stamps_the_time_that_was_left_out() -> None:
    sent = TAGGED.decode(TAGGED.encode(Say(text="hi")))
    assert isinstance(sent, Say)
    assert isinstance(sent.timestamp, dt.datetime)
    assert sent.timestamp.utcoffset() == dt.timedelta(0)


def test_sending_keeps_the_time_that_was_given() -> None:
    when = dt.datetime(2024, 7, 29, 12, 34, 56, tzinfo=dt.UTC)
    assert json.loads(TAGGED.encode(Say(text="hi", timestamp=when)))["timestamp"] == "2024-07-29T12:34:56Z"


def test_sending_refuses_what_the_schema_refuses_before_there_is_a_frame() -> None:
    wrong = Note(words=["a", "a"])
    with pytest.raises(PayloadError) as caught:
        CODEC.encode(wrong)
    assert [(f.pointer, f.keyword) for f in caught.value.problem.errors] == [("/words", "uniqueItems")]
    assert json.loads(CODEC.encode(wrong, check=False)) == {"words": ["a", "a"]}


def test_sending_refuses_a_message_of_another_codec() -> None:
    with pytest.raises(TypeError, match="Note is not a message of this channel"):
        TAGGED.encode(Note(words=[]))  # type: ignore[arg-type]  # what the type checker refuses, at run time


def test_bytes_travel_in_binary_frames() -> None:
    assert CODEC.accepts_binary
    assert CODEC.encode(Sound(b"\x01")) == b"\x01"


def test_a_reply_repeats_the_correlation_of_its_request() -> None:
    assert CODEC.correlation_of(Ask(id="7")) == "7"
    assert CODEC.correlation_of(Say(text="hi")) is None
    assert CODEC.correlate(Ask(id="7"), "8") == Ask(id="8")
    assert CODEC.correlation_in('{"type": "ask", "id": "9", "more": 1}') == "9"
    assert CODEC.correlation_in('{"type": "ask"}') is None
    assert CODEC.correlation_in("not json") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["say", "ask", "note"]) | json_values,
        "text": json_values,
        "count": json_values,
        "id": json_values,
        "words": st.lists(st.sampled_from(["a", "b"]), max_size=3) | json_values,
        "timestamp": st.sampled_from(["2024-07-29T12:34:56Z", "2024-07-29 12:34:56+01", "x"]) | json_values,
    },
)


@given(payloads)
def test_the_verdict_is_that_of_the_validator(payload: dict[str, object]) -> None:
    text = json.dumps(payload)
    accepted = {
        "Say": not SCHEMAS.faults("#/definitions/Say", payload),
        "Ask": not SCHEMAS.faults("#/definitions/Ask", payload),
        "Note": not SCHEMAS.faults("#/definitions/Note", payload),
    }
    try:
        message = CODEC.decode(text)
    except PayloadError:
        # A tag names its message: no other tagged one is tried.
        assert not any(accepted.values())
    else:
        assert accepted[type(message).__name__]
        sent = json.loads(CODEC.encode(message))
        assert not SCHEMAS.faults(f"#/definitions/{type(message).__name__}", sent)


@pytest.mark.parametrize("text", ["hello", "", "123", '{"a": 1}', "[[", "null", "[" * 1000])
def test_text_may_be_json_by_chance(text: str) -> None:
    class Line(Struct, frozen=True):
        payload: str

    lines: Codec[Line] = Codec(SCHEMAS, Entry(Line, "", "typed", content="text", bare=True))
    assert lines.decode(text) == Line(text)
    assert lines.encode(Line(text)) == text
