"""A script's file to its steps. What is wrong with it is told at its place."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Final, cast

from sockspec.diagnostics import Code, Report, Severity
from sockspec.mock import examples, faults
from sockspec.mock.endpoints import Endpoint
from sockspec.mock.examples import Examples
from sockspec.mock.steps import (
    Action,
    Close,
    Delay,
    Drop,
    Raw,
    Repeat,
    Reply,
    Script,
    Send,
    Slow,
    Stall,
    Step,
    Tell,
    Text,
)
from sockspec.runtime import PROBLEMS, PayloadError
from sockspec.samples import NoSample
from sockspec.spec import structure, wording
from sockspec.spec.node import Node
from sockspec.spec.source import Document, Json, Unreadable, load, load_text
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNKNOWN_ENDPOINT: Final = Code(
    "script-unknown-endpoint",
    Severity.ERROR,
    "The script of a mock server names an endpoint that the document does not have. Endpoints are named as their channels, "
    "or by their addresses as the document writes them.",
)
UNKNOWN_MESSAGE: Final = Code(
    "script-unknown-message",
    Severity.ERROR,
    "The script of a mock server names a message that this side does not send on the endpoint. Steps are for messages of "
    "clients, actions send messages of the server, and a reply is one of those that the document declares for the message.",
)
REPLY_WITHOUT_REQUEST: Final = Code(
    "script-reply-without-request",
    Severity.ERROR,
    "The script of a mock server replies where there is nothing to reply to: on `event: connect`, or to a message for "
    "which the document declares no reply. Use `send` there.",
)
PAYLOAD_REFUSED: Final = Code(
    "script-payload-refused",
    Severity.ERROR,
    "A payload in the script of a mock server is not valid by the schema of its message. To send something that is not "
    "valid, write it as `text`.",
)
NO_EXAMPLE: Final = Code(
    "script-no-example",
    Severity.ERROR,
    "No example could be made of a message that the script of a mock server sends: its schema allows nothing, or nothing "
    "was found in bounded time. Write a `payload`, or give the message an example in the document.",
)
UNKNOWN_PROBLEM: Final = Code(
    "script-unknown-problem",
    Severity.WARNING,
    "The script of a mock server tells of a problem that is none of the known ones. It is sent as it is; problems of your "
    "own are fine.",
)

_FEW: Final = 12
"""How many names are listed at most."""


class BadScript(ValueError):
    """A script that cannot be played; the message has a line for each thing that is wrong with it."""


def read(path: Path, served: Iterable[Endpoint], found: Examples, report: Report, *, name: str | None = None) -> Script:
    """The script in a YAML or JSON file, for the endpoints of a mock. What is wrong is reported.

    `name` is how to show the file to users; by default the path as given.
    """
    try:
        return _script(load(path, name=name, report=report), served, found, report)
    except Unreadable as unreadable:
        for diagnostic in unreadable.diagnostics:
            report.add(diagnostic)
        return {}


def read_text(text: str, served: Iterable[Endpoint], found: Examples, report: Report) -> Script:
    """The same of a script that is here as text."""
    try:
        return _script(load_text(text, path=Path("script.yaml"), report=report), served, found, report)
    except Unreadable as unreadable:
        for diagnostic in unreadable.diagnostics:
            report.add(diagnostic)
        return {}


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema of scripts."""
    text = resources.files("sockspec.mock").joinpath("script.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _script(document: Document, served: Iterable[Endpoint], found: Examples, report: Report) -> Script:
    for diagnostic in wording.diagnostics(structure.faults(schema(), document.value), document):
        report.add(diagnostic)
    if report.failed:
        return {}
    by_name = {endpoint.channel.name: endpoint for endpoint in served}
    by_name |= {
        e.channel.address: e for e in by_name.values() if e.channel.address and e.channel.address not in by_name
    }
    script: dict[str, tuple[Step, ...]] = {}
    entries = Node(document.value, document, "").get("endpoints")
    for name, node in entries.items() if entries is not None else ():
        endpoint = by_name.get(name)
        if endpoint is None:
            report.add(
                UNKNOWN_ENDPOINT.at(
                    node.key_location, f"there is no endpoint {quoted(name)}", hint=_hint(name, [*by_name])
                )
            )
            continue
        reader = _Reader(endpoint, found, report)
        script[endpoint.channel.name] = script.get(endpoint.channel.name, ()) + reader.steps(node)
    return {} if report.failed else script


class _Reader:
    """Reads the steps of one endpoint. Their structure is known to be right."""

    def __init__(self, endpoint: Endpoint, found: Examples, report: Report) -> None:
        self._endpoint = endpoint
        self._examples = found
        self._report = report

    def steps(self, node: Node) -> tuple[Step, ...]:
        return tuple(self._step(one) for one in node.elements())

    def _step(self, node: Node) -> Step:
        mapping = cast("dict[str, Any]", node.value)
        message = mapping.get("message")
        if message is not None:
            self._known(node.get("message"), message, [*self._endpoint.taken], "clients do not send")
        actions = self._actions(node.get("do"), message)
        return Step(message, actions, mapping.get("where", {}), mapping.get("times"))

    def _actions(self, node: Node | None, request: str | None) -> tuple[Action, ...]:
        found = [self._action(one, request) for one in node.elements()] if node is not None else []
        return tuple(action for action in found if action is not None)

    def _action(self, node: Node, request: str | None) -> Action | None:
        match node.value:
            case "reply":
                names = self._replies(node, request)
                return self._message(Reply, node, node, names[0]) if names else None
            case "drop":
                return Drop(resets=True)
            case {"send": str(name)}:
                known = self._known(node.get("send"), name, [*self._endpoint.sent], "the server does not send")
                return self._message(Send, node, node.get("send"), name) if known else None
            case {"reply": str(name)}:
                names = self._replies(node, request)
                known = bool(names) and self._known(
                    node.get("reply"), name, [*names], f"{request!r} is not answered by"
                )
                return self._message(Reply, node, node.get("reply"), name) if known else None
            case {"repeat": times}:
                count = None if times == "forever" else int(cast("float", times))
                return Repeat(count, self._actions(node.get("do"), request))
            case {"error": str(problem)}:
                return self._tell(node, problem)
            case dict(mapping):
                return _plain(mapping)
            case _:
                return None

    def _tell(self, node: Node, problem: str) -> Tell:
        place = node.get("error")
        if problem not in PROBLEMS and place is not None:
            message = f"{quoted(problem)} is none of the problems that are known"
            self._report.add(UNKNOWN_PROBLEM.at(place.location, message, hint=_hint(problem, [*PROBLEMS])))
        return Tell(problem, node.text("message"))

    def _replies(self, node: Node, request: str | None) -> tuple[str, ...]:
        """The messages that may answer the step's message; reports where there is none."""
        names = self._endpoint.replies.get(request, ()) if request is not None else ()
        if not names and (request is None or request in self._endpoint.taken):
            what = "a new connection" if request is None else f"the message {quoted(request)}"
            self._report.add(REPLY_WITHOUT_REQUEST.at(node.location, f"{what} has no reply", hint="write 'send: …'"))
        return tuple(name for name in names if name in self._endpoint.sent)

    def _known(self, node: Node | None, name: str, names: list[str], otherwise: str) -> bool:
        if name in names:
            return True
        if node is not None:
            message = f"{otherwise} {quoted(name)} on {quoted(self._endpoint.channel.name)}"
            self._report.add(UNKNOWN_MESSAGE.at(node.location, message, hint=_hint(name, names)))
        return False

    def _message(self, kind: type[Send] | type[Reply], node: Node, place: Node | None, name: str) -> Action | None:
        """An action that sends a message: its payload, or an example, perhaps with changes."""
        payload, changes = node.get("payload"), node.get("with")
        if payload is not None:
            value, place = payload.value, payload
        else:
            try:
                value = self._examples.payload(self._endpoint, name)
            except NoSample as none:
                if place is not None:
                    self._report.add(NO_EXAMPLE.at(place.location, f"no example of {quoted(name)}: {none}"))
                return None
        if changes is not None:
            value, place = examples.changed(value, changes.value), changes
        why = self._refusal(name, value)
        if why and place is not None:
            self._report.add(PAYLOAD_REFUSED.at(place.location, f"not a valid {quoted(name)}: {why}"))
        return kind(name, value)

    def _refusal(self, name: str, value: Json) -> str:
        """Why clients would not take a payload for any message; empty where they do."""
        try:
            self._endpoint.outgoing.examine(examples.frame(self._endpoint, name, value).payload)
        except PayloadError as error:
            places = [f"{fault.pointer or 'the payload'}: {fault.message}" for fault in error.problem.errors]
            return "; ".join(places) or error.problem.message
        return ""


def _plain(mapping: dict[str, Any]) -> Action | None:
    """An action that names no message."""
    match mapping:
        case {"text": str(text)}:
            return Text(text)
        case {"delay": seconds}:
            return Delay(float(seconds))
        case {"close": code}:
            return Close(int(code), mapping.get("reason", ""))
        case {"malformed": kind}:
            return Raw(faults.MALFORMED[kind])
        case {"raw": str(digits)}:
            return Raw(bytes.fromhex(digits))
        case {"drop": how}:
            return Drop(resets=how == "reset")
        case {"slow": rate}:
            return Slow(int(rate) or None)
        case {"stall": seconds}:
            return Stall(float(seconds))
        case _:
            return None


def _hint(written: str, names: list[str]) -> str:
    near = nearest(written, names)
    if near is not None:
        return f"did you mean {quoted(near)}?"
    return f"{wording.listed(names)} was expected" if 0 < len(names) <= _FEW else ""
