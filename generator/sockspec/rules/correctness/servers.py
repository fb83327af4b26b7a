"""Servers: the variables in their URLs, and which of them channels are on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.correctness.comparing import did_you_mean, undeclared, unused
from sockspec.rules.outline import Channel, Part
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.asyncapi.address import PARAMETER
from sockspec.spec.kinds import Identity
from sockspec.spec.node import Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNDECLARED_VARIABLE = Code(
    "undeclared-server-variable",
    Severity.ERROR,
    "The URL of a server has a `{variable}` that `variables` does not describe (Server Object). Clients have "
    "to give a value for it.",
    tolerable=True,
)
UNUSED_VARIABLE = Code(
    "unused-server-variable",
    Severity.WARNING,
    "A server describes a variable that its URL does not have, so that a value for it changes nothing.",
)
UNKNOWN_SERVER = Code(
    "unknown-channel-server",
    Severity.ERROR,
    "A channel is on a server that the document does not list. AsyncAPI 2 wants a name of `servers`, AsyncAPI 3 a "
    "reference into the `servers` at the root, and none to components or elsewhere (Channel Object).",
    tolerable=True,
)


def _templates(server: Part) -> list[Node]:
    """What of a server variables may stand in."""
    found = (server.node.get(key) for key in ("url", "host", "pathname"))
    return [node for node in found if node is not None and isinstance(node.value, str)]


def _declared(server: Part) -> dict[str, Node]:
    listed = server.node.get("variables")
    return dict(listed.items()) if listed is not None else {}


def _servers(subject: Subject) -> Iterable[Part]:
    """All servers; those of OpenAPI stand in lists and have no keys."""
    if subject.is_asyncapi:
        return subject.outline.servers
    return [Part("", node, node) for node in subject.schemas.objects("server")]


def _undeclared(subject: Subject) -> Iterator[Diagnostic]:
    for server in _servers(subject):
        places: dict[str, Node] = {}
        for node in _templates(server):
            for name in PARAMETER.findall(str(node.value)):
                places.setdefault(name, node)
        declared = server.node.get("variables")
        if declared is not None and not isinstance(declared.value, dict):
            continue
        for name, near in undeclared(places, _declared(server)).items():
            node = places[name]
            key = quoted(node.pointer.rpartition("/")[2])
            message = f"{key} has the variable {quoted(name)}, which 'variables' does not describe"
            yield UNDECLARED_VARIABLE.at(node.location, message, hint=did_you_mean(near, "{{{}}}"))


def _unused(subject: Subject) -> Iterator[Diagnostic]:
    for server in _servers(subject):
        used = [name for node in _templates(server) for name in PARAMETER.findall(str(node.value))]
        declared = _declared(server)
        where = "'host' and 'pathname'" if subject.is_asyncapi_3 else "'url'"
        for name in unused(used, declared):
            yield UNUSED_VARIABLE.at(
                declared[name].key_location, f"the variable {quoted(name)} does not stand in {where}"
            )


def _unknown(subject: Subject) -> Iterator[Diagnostic]:
    listed = subject.root.get("servers")
    servers = {entry.identity: key for key, entry in listed.items()} if listed is not None else {}
    ends = {part.node.identity: part.key for part in subject.outline.listed("servers")}
    for channel in subject.outline.channels:
        named = channel.node.get("servers")
        for entry in named.elements() if named is not None else ():
            if isinstance(entry.value, str):
                if not subject.is_asyncapi_3 and entry.value not in servers.values():
                    message = f"there is no server {quoted(entry.value)}"
                    hint = did_you_mean(nearest(entry.value, [*servers.values()]))
                    yield UNKNOWN_SERVER.at(entry.location, message, hint=hint)
            elif entry.reference is not None and not _may_be_elsewhere(channel):
                yield from _misplaced(subject, entry, servers, ends)


def _may_be_elsewhere(channel: Channel) -> bool:
    """Whether a channel is a component, which may be on servers that are written anywhere."""
    return channel.node.pointer.startswith("/components/")


def _misplaced(
    subject: Subject, entry: Node, servers: dict[Identity, str], ends: dict[Identity, str]
) -> Iterator[Diagnostic]:
    """That a reference leads to no server at the root, or not by its place there."""
    target = subject.documents.target(entry)
    end = subject.kinds.end(entry)
    if target is None or end is None or target.identity in servers:
        return
    shown = quoted(entry.reference or "")
    name = ends.get(end.identity)
    if name is not None:
        message = f"the reference {shown} leads to the server {quoted(name)}, but not by its place at the root"
        yield UNKNOWN_SERVER.at(entry.location, message, hint=f"write {quoted('#/servers/' + name)}")
        return
    message = f"the reference {shown} leads to no server at the root of the document"
    near = unescape(target.pointer.rpartition("/")[2])
    hint = f"did you mean {quoted('#/servers/' + near)}?" if near in servers.values() else "list it in 'servers'"
    yield UNKNOWN_SERVER.at(entry.location, message, hint=hint)


RULES = (
    Rule(
        UNDECLARED_VARIABLE,
        Group.CORRECTNESS,
        ALL,
        bad="""\
servers:
  production:
    host: '{region}.example.com'
    protocol: wss
""",
        good="""\
servers:
  production:
    host: '{region}.example.com'
    protocol: wss
    variables:
      region: {enum: [eu, us], default: eu}
""",
        check=_undeclared,
        aliases=("asyncapi2-server-variables",),
    ),
    Rule(
        UNUSED_VARIABLE,
        Group.CORRECTNESS,
        ALL,
        bad="""\
servers:
  production:
    host: example.com
    protocol: wss
    variables:
      region: {enum: [eu, us], default: eu}
""",
        good="""\
servers:
  production:
    host: '{region}.example.com'
    protocol: wss
    variables:
      region: {enum: [eu, us], default: eu}
""",
        check=_unused,
        aliases=("asyncapi2-server-variables",),
    ),
    Rule(
        UNKNOWN_SERVER,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    servers:
      - $ref: '#/components/servers/production'
""",
        good="""\
channels:
  room:
    servers:
      - $ref: '#/servers/production'
""",
        check=_unknown,
        aliases=(
            "asyncapi2-channel-servers",
            "asyncapi3-channel-servers",
            "asyncapi3-required-channel-servers-unambiguity",
        ),
    ),
)
