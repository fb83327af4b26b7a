"""The addresses of channels, and the parameters in them."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.correctness.comparing import did_you_mean, undeclared, unused
from sockspec.rules.edits import Edit, inserted
from sockspec.rules.outline import Channel
from sockspec.rules.rule import ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.asyncapi.address import PARAMETER, is_absolute, split
from sockspec.spec.kinds import Identity
from sockspec.spec.node import Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNDECLARED_PARAMETER = Code(
    "undeclared-parameter",
    Severity.ERROR,
    "The address of a channel has a parameter that `parameters` does not describe (AsyncAPI, Channel Object). A package "
    "takes it for a string.",
    tolerable=True,
)
UNUSED_PARAMETER = Code(
    "unused-parameter",
    Severity.ERROR,
    "A channel describes a parameter that its address does not have (AsyncAPI, Parameters Object). Parameters of the "
    "query belong into `bindings.ws.query`.",
    tolerable=True,
)
QUERY_IN_ADDRESS = Code(
    "query-in-address",
    Severity.ERROR,
    "The address of a channel has a query or a fragment, which the specification forbids: what belongs into the query "
    "is described in `bindings.ws.query`. A package reads a query as it is meant, as far as it can be, and leaves out a "
    "fragment.",
    tolerable=True,
)
ADDRESS_NOT_A_PATH = Code(
    "address-not-a-path",
    Severity.WARNING,
    "The address of a channel is a whole URL. It stands below the URL of the channel's servers, so that it has no "
    "scheme and no host of its own; a package takes the path alone.",
)
STRAY_BRACE = Code(
    "stray-brace",
    Severity.WARNING,
    "A brace in the address of a channel has no other half, so that what was to be a parameter is taken for text.",
)
AMBIGUOUS_ADDRESS = Code(
    "ambiguous-address",
    Severity.WARNING,
    "Two channels on the same server have addresses that differ in the names of their parameters alone. Nothing that "
    "connects can say which of them it means.",
)


def place_of_address(channel: Channel) -> Location:
    """Where the address of a channel is written: its key in AsyncAPI 2."""
    written = channel.node.get("address")
    return written.location if written is not None else channel.entry.key_location


def _declared(channel: Channel) -> dict[str, Node]:
    listed = channel.node.get("parameters")
    return dict(listed.items()) if listed is not None else {}


def _used(channel: Channel) -> list[str]:
    """The parameters in the address of a channel."""
    return _names(channel.address or "")


def _names(address: str) -> list[str]:
    """The parameters in an address, without what is a query by the looks of it (`{?name}`, RFC 6570)."""
    return [name for name in PARAMETER.findall(address) if name[:1] not in ("?", "#", "&")]


def _undeclared(subject: Subject) -> Iterator[Diagnostic]:
    for channel in subject.outline.channels:
        declared = channel.node.get("parameters")
        if declared is not None and not isinstance(declared.value, dict):
            continue
        for name, near in undeclared(_used(channel), _declared(channel)).items():
            message = _nothing_describes(channel.address or "", name)
            yield UNDECLARED_PARAMETER.at(place_of_address(channel), message, hint=did_you_mean(near, "{{{}}}"))


def _nothing_describes(address: str, name: str) -> str:
    return f"the address {quoted(address)} has the parameter {quoted(name)}, which nothing describes"


def _unused(subject: Subject) -> Iterator[Diagnostic]:
    """Of a component of AsyncAPI 2 nobody knows the address, nor of a channel whose address is no text.

    A component that is listed under several addresses has the parameters of all of them.
    """
    used: dict[Identity, list[str]] = {}
    for channel in subject.outline.channels:
        used.setdefault(channel.node.identity, []).extend(_used(channel))
    for channel in subject.outline.channels:
        written = channel.node.get("address")
        is_known = subject.is_asyncapi_3 and (written is None or written.value is None) and not _is_misspelt(channel)
        if channel.address is None and not is_known:
            continue
        declared = _declared(channel)
        what = f"the address {quoted(channel.address)}" if channel.address is not None else "a channel without address"
        for name in unused(used.pop(channel.node.identity, [*declared]), declared):
            message = f"{what} has no place for the parameter {quoted(name)}"
            hint = "describe parameters of the query in 'bindings.ws.query'"
            yield UNUSED_PARAMETER.at(declared[name].key_location, message, hint=hint)


def _is_misspelt(channel: Channel) -> bool:
    """Whether a channel has an address under a key that is nearly the right one."""
    return nearest("address", [key for key, _ in channel.node.items() if key != "address"]) is not None


def _query(subject: Subject) -> Iterator[Diagnostic]:
    for channel in subject.outline.channels:
        address = channel.address or ""
        found = [what for what, mark in (("query", "?"), ("fragment", "#")) if mark in address]
        if found:
            message = f"the address {quoted(address)} has a {' and a '.join(found)}"
            hint = "describe the query in 'bindings.ws.query'" if "?" in address else ""
            yield QUERY_IN_ADDRESS.at(place_of_address(channel), message, hint=hint)


def _not_a_path(subject: Subject) -> Iterator[Diagnostic]:
    for channel in subject.outline.channels if _speaks_websocket(subject) else ():
        if channel.address is not None and is_absolute(channel.address):
            path = split(channel.address).path or "/"
            message = f"the address {quoted(channel.address)} has a host; its path is {quoted(path)}"
            yield ADDRESS_NOT_A_PATH.at(place_of_address(channel), message, hint="write the host into 'servers'")


def _stray_brace(subject: Subject) -> Iterator[Diagnostic]:
    for channel in subject.outline.channels:
        rest = PARAMETER.sub("", channel.address or "")
        brace = next((character for character in rest if character in "{}"), None)
        if brace is not None:
            message = f"a {quoted(brace)} in the address {quoted(channel.address or '')} has no other half"
            yield STRAY_BRACE.at(place_of_address(channel), message, hint="write parameters as '{name}'")


def _speaks_websocket(subject: Subject) -> bool:
    """Whether addresses are paths: other protocols have topics, which may well be URLs (Mercure)."""
    spoken = {server.node.text("protocol").lower() for server in subject.outline.listed("servers")}
    return not spoken or not spoken.isdisjoint(("ws", "wss"))


def _ambiguous(subject: Subject) -> Iterator[Diagnostic]:
    """Channels with equal addresses are no matter here: they are meant to be one, and are read so."""
    known: dict[tuple[str, str], Channel] = {}
    for channel in subject.outline.channels:
        if not channel.is_root or channel.address is None or "{" not in channel.address:
            continue
        shape = PARAMETER.sub("{}", channel.address)
        servers = [end for entry in _listed(channel) if (end := _server(subject, entry))]
        rivals = [known.get((shape, server)) for server in [*servers, "*"]]
        if not servers:
            rivals.append(known.get((shape, "")))
        rival = next((one for one in rivals if one is not None), None)
        if rival is None:
            # Under "*" stand channels on all servers, under "" the first whatever its servers.
            known.update({(shape, server): channel for server in servers or ["*"]})
            known.setdefault((shape, ""), channel)
        elif rival.address != channel.address:
            message = f"the address {quoted(channel.address)} means the same as {quoted(rival.address or '')}"
            yield AMBIGUOUS_ADDRESS.at(place_of_address(channel), message, related=[place_of_address(rival)])


def _listed(channel: Channel) -> list[Node]:
    servers = channel.node.get("servers")
    return [*servers.elements()] if servers is not None else []


def _server(subject: Subject, entry: Node) -> str:
    """What tells a server from others: its name in AsyncAPI 2, the place where it is written in AsyncAPI 3."""
    if isinstance(entry.value, str):
        return entry.value
    end = subject.kinds.end(entry)
    return f"{end.document.path}#{end.pointer}" if end is not None else ""


def _described(subject: Subject, finding: Diagnostic) -> Iterator[Edit]:
    """A parameter without a word about it, which is what it was taken for; none where another may have been meant."""
    place = subject.node_at(finding.location)
    if place is None or finding.hint:
        return
    is_address = isinstance(place.value, str)
    pointer = place.pointer.rpartition("/")[0] if is_address else place.pointer
    channel = Node(place.document.at(pointer), place.document, pointer)
    address = str(place.value) if is_address else unescape(pointer.rpartition("/")[2])
    listed = channel.get("parameters")
    known = dict(listed.items()) if listed is not None else {}
    name = next((each for each in _names(address) if _nothing_describes(address, each) == finding.message), None)
    if name is None or channel.reference is not None:
        return
    if listed is None:
        yield from inserted(channel.document, pointer, "parameters", {name: {}}, after="address")
    else:
        yield from inserted(listed.document, listed.pointer, name, {}, after=next(reversed(known), ""))


RULES = (
    Rule(
        UNDECLARED_PARAMETER,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: /rooms/{room}
""",
        good="""\
channels:
  room:
    address: /rooms/{room}
    parameters:
      room: {description: the room's name}
""",
        check=_undeclared,
        fix="adds the parameter without a description, unless another name may have been meant.",
        fixer=_described,
        aliases=("asyncapi2-channel-parameters", "asyncapi3-channel-parameters"),
    ),
    Rule(
        UNUSED_PARAMETER,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: /room
    parameters:
      room: {description: the room's name}
""",
        good="""\
channels:
  room:
    address: /rooms/{room}
    parameters:
      room: {description: the room's name}
""",
        check=_unused,
        aliases=("asyncapi2-channel-parameters", "asyncapi3-channel-parameters"),
    ),
    Rule(
        QUERY_IN_ADDRESS,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: /room?since=1
""",
        good="""\
channels:
  room:
    address: /room
    bindings:
      ws:
        query: {type: object, properties: {since: {type: integer}}}
""",
        check=_query,
        aliases=("asyncapi2-channel-no-query-nor-fragment", "asyncapi3-channel-no-query-nor-fragment"),
    ),
    Rule(
        ADDRESS_NOT_A_PATH,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: wss://example.com/room
""",
        good="""\
servers:
  production: {host: example.com, protocol: wss}
channels:
  room:
    address: /room
""",
        check=_not_a_path,
    ),
    Rule(
        STRAY_BRACE,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: /rooms/{room
""",
        good="""\
channels:
  room:
    address: /rooms/{room}
    parameters:
      room: {}
""",
        check=_stray_brace,
    ),
    Rule(
        AMBIGUOUS_ADDRESS,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
channels:
  room:
    address: /rooms/{room}
    parameters: {room: {}}
  topic:
    address: /rooms/{topic}
    parameters: {topic: {}}
""",
        good="""\
channels:
  room:
    address: /rooms/{room}
    parameters: {room: {}}
  topic:
    address: /topics/{topic}
    parameters: {topic: {}}
""",
        check=_ambiguous,
    ),
)
