"""What the scripts of the page know of the API: one JSON value, which an element of the page carries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sockspec import ir
from sockspec.analysis import dispatch, walk
from sockspec.analysis.constants import TagValue
from sockspec.docs import life
from sockspec.docs.anchors import Anchors
from sockspec.docs.annotated import annotated
from sockspec.docs.connecting import choices
from sockspec.docs.problems import PROBLEMS, Problem
from sockspec.schema.expressions import is_risky

_HIDDEN: Final = re.compile(
    "[<>&\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""What would mean something in the markup of a page, or would not be seen in its source."""

AGAIN: Final = frozenset(
    """/problems/too-many-requests /problems/reach-maximum-connections /problems/slow-consumer /problems/idle-timeout
    /problems/internal-server-error /problems/service-restart /problems/service-unavailable""".split()
)
"""The problems after which clients connect again by themselves."""


def text(api: ir.Api, anchors: Anchors, dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch]) -> str:
    """The value as JSON that can stand in an element of a page, whatever the document says."""
    value = _data(api, anchors, dispatches)
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _data(
    api: ir.Api, anchors: Anchors, dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch]
) -> dict[str, Any]:
    definitions = walk.by_name(api)
    schemas = annotated(api)
    sent = {
        choice.message.name
        for (_, direction), found in dispatches.items()
        if direction is ir.Direction.CLIENT_TO_SERVER
        for choice in found.choices
    }
    return {
        "title": api.title,
        "version": api.version,
        "servers": [_server(server) for server in api.servers],
        "schemes": {scheme.name: _scheme(scheme) for scheme in api.security_schemes},
        "channels": [
            {"anchor": anchors.channels[channel.name], **_channel(api, channel, dispatches, definitions)}
            for channel in api.channels
        ],
        "messages": {message.name: _message(message, anchors, message.name in sent) for message in api.messages},
        "problems": {problem.type: _problem(problem) for problem in PROBLEMS},
        "closings": {one.code: _some(meaning=one.meaning, again=one.reaction == life.AGAIN) for one in life.CLOSINGS},
        "costly": sorted(pattern for pattern in _patterns(schemas) if is_risky(pattern)),
        "schemas": schemas,
    }


def _some(**members: Any) -> dict[str, Any]:
    """An object without the members that say nothing. Zero does say something."""
    silent: tuple[Any, ...] = ("", [], {})
    return {
        name: value
        for name, value in members.items()
        if value is not None and value is not False and value not in silent
    }


def _server(server: ir.Server) -> dict[str, Any]:
    return _some(
        name=server.name,
        url=server.url,
        title=server.title,
        variables=[_parameter(one) for one in server.variables],
        security=_security(server.security),
    )


def _parameter(parameter: ir.Parameter) -> dict[str, Any]:
    return _some(
        name=parameter.wire_name,
        required=parameter.required,
        description=parameter.description,
        default=parameter.default,
        values=list(choices(parameter)),
        examples=list(parameter.examples),
    )


def _scheme(scheme: ir.SecurityScheme) -> dict[str, Any]:
    return _some(type=scheme.type, scheme=scheme.scheme, parameter=scheme.parameter_name, place=scheme.parameter_in)


def _security(security: ir.Security) -> list[list[str]]:
    return [[requirement.scheme for requirement in alternative] for alternative in security]


def _channel(
    api: ir.Api,
    channel: ir.Channel,
    dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch],
    definitions: Mapping[str, ir.Definition],
) -> dict[str, Any]:
    sent, received = (dispatches.get((channel.name, direction)) for direction in ir.Direction)
    return _some(
        name=channel.name,
        title=channel.title,
        address=channel.address,
        servers=list(channel.servers),
        parameters=[_parameter(one) for one in channel.parameters],
        query=[_parameter(one) for one in channel.query],
        headers=[one.wire_name for one in channel.headers if one.required],
        subprotocols=list(channel.subprotocols),
        security=_security(channel.security),
        closeCodes={str(one.code): one.meaning for one in channel.close_codes},
        sends=_dispatch(sent, definitions),
        receives=_dispatch(received, definitions),
        replies=_replies(api, channel),
        heartbeat=_heartbeat(channel.heartbeat),
        maxMessage=dict((*api.limits, *channel.limits)).get("maxMessage"),
    )


def _replies(api: ir.Api, channel: ir.Channel) -> dict[str, list[str]]:
    """For each message that a client sends, those that answer it."""
    found: dict[str, list[str]] = {}
    for operation in api.operations:
        if operation.channel == channel.name and operation.direction is ir.Direction.CLIENT_TO_SERVER:
            for name in operation.messages if operation.reply is not None else ():
                found.setdefault(name, []).extend(operation.reply.messages if operation.reply is not None else ())
    return found


def _heartbeat(heartbeat: ir.Heartbeat | None) -> dict[str, Any] | None:
    if heartbeat is None or heartbeat.sender is None:
        return None
    return {
        "ping": heartbeat.ping,
        "pong": heartbeat.pong,
        "interval": heartbeat.interval,
        "timeout": heartbeat.timeout,
        "isOurs": heartbeat.sender is ir.Direction.CLIENT_TO_SERVER,
    }


def _dispatch(found: dispatch.Dispatch | None, definitions: Mapping[str, ir.Definition]) -> dict[str, Any] | None:
    if found is None:
        return None
    return _some(
        path=list(found.path),
        second=list(found.second),
        position=found.position,
        choices=[_choice(choice, definitions) for choice in found.choices],
    )


def _choice(choice: dispatch.Choice, definitions: Mapping[str, ir.Definition]) -> dict[str, Any]:
    def listed(values: Iterable[TagValue]) -> list[TagValue]:
        return list(values)

    return _some(
        message=choice.message.name,
        values=listed(choice.values),
        seconds=listed(choice.seconds),
        isRequired=choice.required,
        isArray=choice.is_array,
        demands=sorted(dispatch.required(choice.message, definitions)),
    )


def _message(message: ir.Message, anchors: Anchors, is_sent: bool) -> dict[str, Any]:
    return _some(
        anchor=anchors.messages[message.name],
        title=message.title,
        summary=message.summary,
        schema=message.payload.schema,
        content=message.payload.content.value if message.payload.content is not ir.Content.JSON else "",
        correlation=list(message.correlation),
        isDeprecated=message.deprecated,
        isError=message.is_error,
        examples=[
            {**_some(name=example.name, summary=example.summary), "payload": example.payload}
            for example in (message.examples if is_sent else ())
        ],
    )


def _problem(problem: Problem) -> dict[str, Any]:
    close = int(problem.close) if problem.close else None
    return _some(close=close, again=problem.type in AGAIN)


def _patterns(schemas: Mapping[str, Any]) -> set[str]:
    """The regular expressions of schemas, and some words that only look like them."""
    found: set[str] = set()
    waiting: list[Any] = [schemas]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            found.update(one for one in [value.get("pattern")] if isinstance(one, str))
            named = value.get("patternProperties")
            found.update(named if isinstance(named, dict) else ())
            waiting.extend(value.values())
    return found
