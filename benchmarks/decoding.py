"""The chat's message through our codec, bare msgspec, pydantic, and json with jsonschema."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import msgspec
import pydantic

from chat import messages
from chat.codecs import ROOM_FROM_CLIENT, SCHEMAS

_MESSAGE = json.dumps(
    {
        "type": "sendMessage",
        "timestamp": "2024-07-29T12:34:56Z",
        "data": {
            "text": "Has anyone seen the minutes of last week's meeting? I cannot find them anywhere.",
            "replyTo": "0d4f2b7c-3a51-4f0e-9a7e-5c2f3c9d1e88",
        },
    }
)
_WRONG = json.dumps({"type": "sendMessage", "timestamp": "2024-07-29T12:34:56Z", "data": {"text": ""}})


class _Text(pydantic.BaseModel):
    text: Annotated[str, pydantic.Field(min_length=1, max_length=2000)]
    replyTo: UUID | None = None


class _Name(pydantic.BaseModel):
    nickname: Annotated[str, pydantic.Field(min_length=1, max_length=32)]


class _Send(pydantic.BaseModel):
    type: Literal["sendMessage"]
    timestamp: pydantic.AwareDatetime
    data: _Text


class _Join(pydantic.BaseModel):
    type: Literal["join"]
    timestamp: pydantic.AwareDatetime
    data: _Name


class _Leave(pydantic.BaseModel):
    type: Literal["leave"]
    timestamp: pydantic.AwareDatetime


_PYDANTIC: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
    Annotated[_Send | _Join | _Leave, pydantic.Field(discriminator="type")]
)


def run() -> Iterator[str]:
    """Microseconds a message, and how many times that of bare msgspec."""
    tagged = tuple(m for m in ROOM_FROM_CLIENT.messages if m.__struct_config__.tag is not None)
    union: Any = tagged[0]
    for message in tagged[1:]:
        union = union | message
    bare = msgspec.json.Decoder(union).decode
    judges = {
        tag: jsonschema.Draft7Validator(
            {**SCHEMAS.document, "$ref": f"#/definitions/{message.__name__}"},
            format_checker=jsonschema.FormatChecker(),
        )
        for message in ROOM_FROM_CLIENT.messages
        if (tag := message.__struct_config__.tag) is not None
    }

    def judged(text: str) -> Any:
        value = json.loads(text)
        judges[value["type"]].validate(value)
        return value

    contenders: dict[str, Callable[[str], Any]] = {
        "msgspec, bare typed decode": bare,
        "sockspec codec": ROOM_FROM_CLIENT.decode,
        "pydantic 2, discriminated union": _PYDANTIC.validate_json,
        "json + jsonschema": judged,
    }
    assert isinstance(ROOM_FROM_CLIENT.decode(_MESSAGE), messages.SendMessage)
    for name, decode in contenders.items():
        try:
            decode(_WRONG)
        except Exception:
            continue
        yield f"  {name} accepts what the schema refuses"
    times = _interleaved(contenders)
    fastest = times["msgspec, bare typed decode"]
    slowest = times["json + jsonschema"]
    yield f"  {len(_MESSAGE)} bytes"
    for name, seconds in times.items():
        ratios = f"{seconds / fastest:7.2f} × msgspec  {slowest / seconds:7.1f} × faster than jsonschema"
        yield f"  {name:34} {seconds * 1e6:8.2f} µs  {ratios}"


def _interleaved(contenders: dict[str, Callable[[str], Any]], rounds: int = 15) -> dict[str, float]:
    """The best time of one call of each, measured in turns so that a busy machine slows all alike."""
    best = dict.fromkeys(contenders, float("inf"))
    gc.disable()
    for _ in range(rounds):
        for name, decode in contenders.items():
            calls = 200 if "jsonschema" in name else 10_000
            begin = time.perf_counter()
            for _ in range(calls):
                decode(_MESSAGE)
            best[name] = min(best[name], (time.perf_counter() - begin) / calls)
    gc.enable()
    return best
