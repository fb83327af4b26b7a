"""Error messages on the wire: a problem in the guide's shape or in the document's own, and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec

from sockspec.runtime.problems import Fault, PayloadError, Problem

if TYPE_CHECKING:
    from sockspec.runtime.codec import Codec

ABOUT_BLANK = "about:blank"
"""The type of a problem that does not say its type (RFC 9457, section 4.2.1)."""


def error_payload(problem: Problem, timestamp: datetime) -> dict[str, Any]:
    """The payload of an error message in the shape of the design guide, with the members of RFC 9457 that are known."""
    error: dict[str, Any] = {"type": problem.type, "message": problem.message}
    if problem.title:
        error["title"] = problem.title
    if problem.status is not None:
        error["status"] = problem.status
    if problem.detail:
        error["detail"] = problem.detail
    if problem.errors:
        error["errors"] = [_fault(fault) for fault in problem.errors]
    if problem.retry_after is not None:
        error["retryAfter"] = problem.retry_after
    payload: dict[str, Any] = {"type": "error", "error": error, "timestamp": _rfc3339(timestamp)}
    if problem.id is not None:
        payload["id"] = error["id"] = problem.id
    return payload


def error_frame(problem: Problem, *, shape: type[msgspec.Struct] | None, outgoing: Codec[Any], at: datetime) -> str:
    """The text frame of an error message: in the document's own shape, else in the guide's."""
    payload = error_payload(problem, at)
    if shape is not None:
        for filled in _fillings(shape, problem, payload):
            text = msgspec.json.encode(filled).decode()
            if _is_instance(text, shape, outgoing):
                return text
    return msgspec.json.encode(payload).decode()


def _is_instance(text: str, shape: type[msgspec.Struct], outgoing: Codec[Any]) -> bool:
    """Whether the peer will take the text for the document's error message."""
    try:
        if shape in outgoing.messages:
            return isinstance(outgoing.decode(text), shape)
        msgspec.json.decode(text, type=shape)
    except (PayloadError, msgspec.ValidationError, TypeError):
        return False
    return True


def _fillings(shape: type[msgspec.Struct], problem: Problem, payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Payloads of the document's error class to try: with all that the guide has, then with what the class names."""
    values = _values(problem, payload)
    named = _fill(shape, values, nested=True)
    if not shape.__struct_config__.forbid_unknown_fields:
        extended = {**{name: payload[name] for name in ("id",) if name in payload}, **named}
        inner = named.get("error")
        if isinstance(inner, dict):
            yield {**extended, "error": {**payload["error"], **cast("dict[str, Any]", inner)}}
        yield extended
    yield named


def _values(problem: Problem, payload: dict[str, Any]) -> dict[str, Sequence[object]]:
    """For each well-known member name, the values that it can have, the likeliest first."""
    status = problem.status if problem.status is not None else problem.kind.status
    slug = problem.type.rsplit("/", 1)[-1]
    return {
        "type": ("error", problem.type),
        "code": (status, slug),
        "status": (status, str(status)),
        "title": (problem.title or problem.message,),
        "message": (problem.message,),
        "detail": (problem.detail or problem.message,),
        "timestamp": (payload["timestamp"],),
        "error": (payload["error"], problem.message),
        "errors": (payload["error"].get("errors"), [fault.message for fault in problem.errors]),
        "retryAfter": (problem.retry_after, None if problem.retry_after is None else math.ceil(problem.retry_after)),
        "id": (problem.id,),
    }


def _fill(shape: type[msgspec.Struct], values: Mapping[str, Sequence[object]], *, nested: bool) -> dict[str, Any]:
    """The members of a class by their well-known names, each with the first value that fits its type."""
    config = shape.__struct_config__
    payload: dict[str, Any] = {}
    if config.tag_field is not None and config.tag is not None:
        payload[config.tag_field] = config.tag
    for field in msgspec.structs.fields(shape):
        candidates = values.get(field.encode_name, ())
        inner = _struct_in(field.type)
        if inner is not None and nested:
            # One level down, a `type` names the problem: the message says that it is an error by then.
            below = {**values, "type": tuple(reversed(values["type"]))}
            candidates = (_fill(inner, below, nested=False),)
        for candidate in candidates:
            if candidate is None or (candidate == [] and not field.required):
                continue
            if _fits(candidate, field.type):
                payload[field.encode_name] = candidate
                break
    return payload


def _struct_in(annotation: object) -> type[msgspec.Struct] | None:
    """The class of a member that is an object: itself, or the only one in a union with null or UNSET."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, msgspec.Struct) else None
    found = [inner for inner in map(_struct_in, get_args(annotation)) if inner is not None]
    return found[0] if len(found) == 1 else None


def _fits(value: object, annotation: object) -> bool:
    try:
        msgspec.convert(value, cast("type[Any]", annotation))
    except (msgspec.ValidationError, TypeError, NotImplementedError):
        return False
    return True


def read_error(frame: str | bytes, *, known: bool = False) -> Problem | None:
    """The problem that an error message tells, in the guide's shape or a flat one; None for any other message.

    A message is one by its `type`, or because it is `known` to be one of the document's own error class.
    """
    try:
        payload: object = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(payload, dict):
        return None
    members = cast("dict[str, object]", payload)
    if not known and members.get("type") != "error":
        return None
    inner = members.get("error")
    if isinstance(inner, dict):
        return read_problem({"id": members.get("id"), **cast("dict[str, object]", inner)})
    # In a flat message `type` may only say that it is an error, not which one.
    return read_problem({**members, "type": ABOUT_BLANK} if members.get("type") == "error" else members)


def read_problem(members: Mapping[str, object]) -> Problem:
    """The problem that members in the manner of RFC 9457 tell. What is missing or of another type is left out."""
    code = members.get("code")
    status = members.get("status", code)
    title, detail = _text(members.get("title")), _text(members.get("detail"))
    retry_after = members.get("retryAfter")
    correlation = members.get("id")
    return Problem(
        _text(members.get("type")) or ABOUT_BLANK,
        _text(members.get("message")) or detail or title or _text(code),
        _faults(members.get("errors")),
        title=title,
        status=status if isinstance(status, int) else None,
        detail=detail,
        retry_after=float(retry_after) if isinstance(retry_after, int | float) else None,
        id=correlation if isinstance(correlation, str | int | float) else None,
    )


def _faults(value: object) -> tuple[Fault, ...]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    objects = [cast("dict[str, object]", entry) for entry in entries if isinstance(entry, dict)]
    return tuple(
        Fault(_text(entry.get("pointer")), _text(entry.get("keyword")), _text(entry.get("message")))
        for entry in objects
    )


def _fault(fault: Fault) -> dict[str, str]:
    entry = {"pointer": fault.pointer, "message": fault.message}
    return {**entry, "keyword": fault.keyword} if fault.keyword else entry


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
