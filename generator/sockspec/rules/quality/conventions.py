"""What the tools of AsyncAPI's project ask for: identifiers, and addresses without what says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Location, Report, Severity
from sockspec.rules.rule import ALL, ASYNCAPI_2, OPENAPI, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.node import Node
from sockspec.spec.openapi import endpoints
from sockspec.spec.text import quoted

SERVER_SLASH = Code(
    "server-trailing-slash",
    Severity.INFO,
    "The URL (or the `pathname`) of a server ends with `/`. Addresses of channels begin with one, and not all tools make "
    "one of two.",
)
CHANNEL_SLASH = Code(
    "channel-trailing-slash",
    Severity.INFO,
    "The address of a channel ends with `/`. Many servers take that for another address than the one without.",
)
EMPTY_VARIABLE = Code(
    "empty-variable",
    Severity.WARNING,
    "The URL of a server, or the address of a channel, has `{}`: a variable, or a parameter, without a name, which nobody "
    "can describe or fill in.",
)
OPERATION_ID = Code(
    "operation-id-missing",
    Severity.INFO,
    "An operation has no `operationId`, from which code gets its names; they are made from the channel or the path, then, "
    "and change when that changes.",
)
MESSAGE_ID = Code(
    "message-id-missing",
    Severity.INFO,
    "A message has neither a `messageId` nor a `name`, from which code gets its names; they are made from where it stands.",
)


def _urls(subject: Subject) -> Iterator[tuple[str, Node]]:
    """The words under which the URLs of servers stand, and what is written there."""
    if subject.is_asyncapi:
        for part in subject.outline.servers:
            for word in ("url", "host", "pathname"):
                node = part.node.get(word)
                if node is not None:
                    yield word, node
        return
    listed = subject.root.get("servers")
    for server in listed.elements() if listed is not None else ():
        node = subject.documents.follow(server).get("url")
        if node is not None:
            yield "url", node


def _addresses(subject: Subject) -> Iterator[tuple[str, Location]]:
    if not subject.is_asyncapi:
        for endpoint in endpoints.find(subject.documents, Report()):
            yield endpoint.path, endpoint.location
        return
    for channel in subject.outline.channels:
        if channel.address is not None:
            yield channel.address, (channel.node.get("address") or channel.entry).key_location


def _server_slash(subject: Subject) -> Iterator[Diagnostic]:
    for word, node in _urls(subject):
        written = node.value if isinstance(node.value, str) else ""
        if word != "host" and written.endswith("/"):
            yield SERVER_SLASH.at(node.location, f"the {word} {quoted(written)} ends with '/'")


def _channel_slash(subject: Subject) -> Iterator[Diagnostic]:
    for address, place in _addresses(subject):
        if address.endswith("/") and len(address) > 1:
            yield CHANNEL_SLASH.at(place, f"the address {quoted(address)} ends with '/'")


def _empty(subject: Subject) -> Iterator[Diagnostic]:
    for word, node in _urls(subject):
        if isinstance(node.value, str) and "{}" in node.value:
            yield EMPTY_VARIABLE.at(node.location, f"the {word} {quoted(node.value)} has a variable without a name")
    for address, place in _addresses(subject):
        if "{}" in address:
            yield EMPTY_VARIABLE.at(place, f"the address {quoted(address)} has a parameter without a name")


def _operation_id(subject: Subject) -> Iterator[Diagnostic]:
    lack = "operations lack an 'operationId'"
    if not subject.is_asyncapi:
        found = [one for one in endpoints.find(subject.documents, Report()) if one.operation is not None]
        broken = [(one.location, one.path) for one in found if one.operation and not one.operation.text("operationId")]
        said = [(place, f"the operation of {quoted(path)} has no 'operationId'") for place, path in broken]
        yield from each_or_most(OPERATION_ID, said, len(found), lack)
        return
    operations = subject.outline.operations
    said = []
    for one in operations:
        if "operationId" not in one.members:
            of = f" of {quoted(one.channel.key)}" if one.channel is not None else ""
            said.append((one.entry.key_location, f"{quoted(one.key)}{of} has no 'operationId'"))
    yield from each_or_most(OPERATION_ID, said, len(operations), lack)


def _message_id(subject: Subject) -> Iterator[Diagnostic]:
    messages = subject.outline.messages
    broken = [
        (one.entry.key_location, f"the message of {quoted(one.key)} has neither a 'messageId' nor a 'name'")
        for one in messages
        if not {"messageId", "name"} & one.members.keys()
    ]
    yield from each_or_most(MESSAGE_ID, broken, len(messages), "messages lack a 'messageId' or a 'name'")


RULES = (
    Rule(
        SERVER_SLASH,
        Group.QUALITY,
        ALL,
        bad="servers:\n  production: {host: chat.example.com, pathname: /v1/, protocol: wss}\n",
        good="servers:\n  production: {host: chat.example.com, pathname: /v1, protocol: wss}\n",
        check=_server_slash,
        aliases=("asyncapi2-server-no-trailing-slash",),
    ),
    Rule(
        CHANNEL_SLASH,
        Group.QUALITY,
        ALL,
        bad="channels:\n  room: {address: /room/}\n",
        good="channels:\n  room: {address: /room}\n",
        check=_channel_slash,
        aliases=("asyncapi2-channel-no-trailing-slash",),
    ),
    Rule(
        EMPTY_VARIABLE,
        Group.QUALITY,
        ALL,
        bad="channels:\n  room: {address: '/rooms/{}'}\n",
        good="channels:\n  room: {address: '/rooms/{room}'}\n",
        check=_empty,
        aliases=("asyncapi2-server-no-empty-variable", "asyncapi2-channel-no-empty-parameter"),
    ),
    Rule(
        OPERATION_ID,
        Group.QUALITY,
        (*ASYNCAPI_2, *OPENAPI),
        bad="publish:\n  message: {payload: {type: string}}\n",
        good="publish:\n  operationId: join\n  message: {payload: {type: string}}\n",
        check=_operation_id,
        aliases=("asyncapi2-operation-operationId",),
    ),
    Rule(
        MESSAGE_ID,
        Group.QUALITY,
        ASYNCAPI_2,
        bad="message: {payload: {type: string}}\n",
        good="message: {messageId: join, payload: {type: string}}\n",
        check=_message_id,
        aliases=("asyncapi2-message-messageId",),
    ),
)
