"""Payloads for what a mock sends: the document's own examples where they are valid, else such as its schemas allow."""

from __future__ import annotations

import json
import threading
from typing import Final

from sockspec import ir
from sockspec.mock.endpoints import Endpoint
from sockspec.runtime import PayloadError
from sockspec.runtime.transport import Frame
from sockspec.samples import Judge, NoSample, valid
from sockspec.spec.source import Json

_DIFFERENT: Final = 5
"""How many examples of one message there are at most."""


class Examples:
    """Finds payloads when they are first asked for. The same seed gives the same."""

    def __init__(self, api: ir.Api, seed: int = 0) -> None:
        self._messages = {message.name: message for message in api.messages}
        self._judge = Judge(api.schemas)
        self._seed = seed
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], list[Json] | str] = {}
        """Payloads by channel and message, or why there are none."""

    def payload(self, endpoint: Endpoint, name: str, turn: int = 0) -> Json:
        """A payload of a message, another one with each turn while there are others. Raises NoSample."""
        key = endpoint.channel.name, name
        # A script is read in the thread of a test while connections are served in another one.
        with self._lock:
            if key not in self._found:
                self._found[key] = self._fitting(endpoint, name)
            found = self._found[key]
        if isinstance(found, str):
            raise NoSample(found)
        return found[turn % len(found)]

    def _fitting(self, endpoint: Endpoint, name: str) -> list[Json] | str:
        """Payloads that a client takes for this message; where there is none, those that it takes for another."""
        message = self._messages[name]
        shown = [example.payload for example in message.examples]
        try:
            found = valid(self._judge, message.payload.schema, seed=self._seed, count=_DIFFERENT, examples=shown)
        except NoSample as none:
            return str(none)
        known: list[Json] = []
        mistaken: list[Json] = []
        for payload in found:
            taken = taken_for(endpoint, name, payload)
            if taken is endpoint.sent[name].message:
                known.append(payload)
            elif taken is not None:
                mistaken.append(payload)
        return known or mistaken or "clients would take no payload that was found for any message"


def taken_for(endpoint: Endpoint, name: str, payload: Json) -> type | None:
    """The class of the message that a client takes a payload for; None where it refuses it."""
    try:
        return type(endpoint.outgoing.examine(frame(endpoint, name, payload).payload).message)
    except PayloadError:
        return None


def frame(endpoint: Endpoint, name: str, payload: Json) -> Frame:
    """A payload of a message as it travels."""
    match endpoint.sent[name].content:
        case "binary":
            return Frame(_bytes(payload), is_text=False)
        case "text":
            return Frame(_bytes(payload))
        case _:
            return Frame(_json(payload))


def changed(payload: Json, changes: Json) -> Json:
    """A payload with changes: members of objects are replaced one by one, all else as a whole."""
    if not isinstance(payload, dict) or not isinstance(changes, dict):
        return changes
    return {**payload, **{name: changed(payload.get(name), value) for name, value in changes.items()}}


def correlated(endpoint: Endpoint, name: str, payload: Json, value: Json) -> Json:
    """A payload of a reply with the correlation id of its request."""
    return _with(payload, endpoint.sent[name].correlation, value)


def _with(payload: Json, path: tuple[str, ...], value: Json) -> Json:
    if not path:
        return payload
    members = payload if isinstance(payload, dict) else {}
    inner = value if len(path) == 1 else _with(members.get(path[0]), path[1:], value)
    return {**members, path[0]: inner}


def _json(payload: Json) -> bytes:
    try:
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half of a pair of surrogates can only be escaped
        return json.dumps(payload, separators=(",", ":")).encode()


def _bytes(payload: Json) -> bytes:
    """The payload of a message that is no JSON: a text as such."""
    return (payload if isinstance(payload, str) else json.dumps(payload)).encode(errors="replace")
