"""How a connection comes about: servers, addresses, parameters, subprotocols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sockspec import ir
from sockspec.diff import texts
from sockspec.diff.matching import match
from sockspec.diff.pairs import Pairs, host_of, path_of, template, variables
from sockspec.diff.rule import NEW, Changes
from sockspec.diff.schemas import Effect
from sockspec.spec.text import quoted

Place = tuple[str, ...]


def servers(pairs: Pairs, changes: Changes) -> None:
    """What became of the URLs that clients connect to."""
    matched = pairs.servers
    served = {template(server.url) for server in pairs.new.api.servers}
    for server in matched.removed:
        if template(server.url) not in served:
            message = f"the server {quoted(server.name)} at {quoted(server.url)} is not there any more"
            changes.add("server-removed", ("servers", server.name), server.location, message)
    for server in matched.added:
        message = f"there is another server, {quoted(server.name)} at {quoted(server.url)}"
        changes.add("server-added", ("servers", server.name), server.location, message)
    unmoved = _made_up_for(pairs)
    for old, new in matched.pairs:
        _url(old, new, changes, moved=old.name not in unmoved)
        _variables(old, new, changes)


def _made_up_for(pairs: Pairs) -> set[str]:
    """The old servers whose path changed while the addresses of their channels make up for it, each of them."""
    partners = {old.name: new for old, new in pairs.servers.pairs if path_of(old.url) != path_of(new.url)}
    verdicts: dict[str, bool] = {}
    for one, other in pairs.channels.pairs if partners else ():
        for server in pairs.old.servers_of(one):
            new = partners.get(server.name)
            if new is not None and one.address is not None and other.address is not None:
                same = template(path_of(server.url) + one.address) == template(path_of(new.url) + other.address)
                verdicts[server.name] = same and verdicts.get(server.name, True)
    return {name for name, same in verdicts.items() if same}


def _url(old: ir.Server, new: ir.Server, changes: Changes, *, moved: bool) -> None:
    place, related = ("servers", new.name), (old.location,)
    before, after = old.url.partition("://")[0], new.url.partition("://")[0]
    if before != after:
        message = f"the server {quoted(new.name)} speaks {quoted(after)} where it spoke {quoted(before)}"
        changes.add("server-protocol-changed", place, new.location, message, related=related)
    elsewhere = moved and template(path_of(old.url)) != template(path_of(new.url))
    if host_of(old.url) != host_of(new.url) or elsewhere:
        message = f"the server {quoted(new.name)} is at {quoted(new.url)} and was at {quoted(old.url)}"
        changes.add("server-url-changed", place, new.location, message, related=related)


def _variables(old: ir.Server, new: ir.Server, changes: Changes) -> None:
    """Variables are paired by where they stand in the URL: their names do not travel."""
    if template(old.url) != template(new.url):
        return
    for one, other in zip(old.variables, new.variables, strict=False):
        place, what = ("servers", new.name, other.wire_name), f"the variable {quoted(other.wire_name)}"
        related = (one.location,)
        gone = [value for value in one.values if other.values and value not in other.values]
        more = [value for value in other.values if one.values and value not in one.values]
        if gone or (other.values and not one.values):
            message = (
                f"{what} may not be {_listed(gone)} any more" if gone else f"{what} may only be {_listed(other.values)}"
            )
            changes.add("server-variable-value-removed", place, other.location, message, related=related)
        if more or (one.values and not other.values):
            message = f"{what} may also be {_listed(more) if more else 'anything'}"
            changes.add("server-variable-value-added", place, other.location, message, related=related)
        if one.default is not None and one.default != other.default:
            message = f"{what} {_default(other.default)}, and was {quoted(one.default)} by default"
            changes.add("server-variable-default-changed", place, other.location, message, related=related)


def channels(pairs: Pairs, changes: Changes) -> None:
    """What became of the endpoints."""
    matched = pairs.channels
    for channel in matched.removed:
        message = f"the channel {_named(channel)} is not there any more"
        changes.add("channel-removed", ("channels", channel.name), channel.location, message)
    for channel in matched.added:
        message = f"there is another channel, {_named(channel)}"
        changes.add("channel-added", ("channels", channel.name), channel.location, message)
    for old, new in matched.pairs:
        _address(pairs, old, new, changes)
        _offered(pairs, old, new, changes)
        _parameters(pairs, old, new, changes)
        _subprotocols(old, new, changes)


def _address(pairs: Pairs, old: ir.Channel, new: ir.Channel, changes: Changes) -> None:
    known = old.address is not None and new.address is not None
    if known and pairs.old.paths(old) == pairs.new.paths(new):
        return
    if (old.address and template(old.address)) == (new.address and template(new.address)):
        return
    before, after = (quoted(one.address) if one.address is not None else "only known at run time" for one in (old, new))
    message = f"the address of the channel {quoted(new.name)} is {after} and was {before}"
    place = ("channels", new.name)
    changes.add("channel-address-changed", place, new.location, message, related=(old.location,))


def _offered(pairs: Pairs, old: ir.Channel, new: ir.Channel, changes: Changes) -> None:
    """Which of the servers that both versions have are those of the channel."""
    before = {server.name for server in pairs.old.servers_of(old)}
    after = {server.name for server in pairs.new.servers_of(new)}
    place = ("channels", new.name)
    for one, other in pairs.servers.pairs:
        if one.name in before and other.name not in after:
            message = f"the server {quoted(other.name)} does not have the channel {_named(new)} any more"
            changes.add("channel-server-removed", place, new.location, message, related=(old.location,))
        elif other.name in after and one.name not in before:
            message = f"the server {quoted(other.name)} has the channel {_named(new)}, too"
            changes.add("channel-server-added", place, new.location, message, related=(old.location,))


def _parameters(pairs: Pairs, old: ir.Channel, new: ir.Channel, changes: Changes) -> None:
    place = ("channels", new.name)
    if old.address is not None and new.address is not None and template(old.address) == template(new.address):
        positions = _positions(old) | _positions(new)
        in_path = match(old.parameters, new.parameters, lambda one: positions[id(one)])
        for one, other in in_path.pairs:
            _values(pairs, one, other, (*place, "path", other.wire_name), "path parameter", changes)
    for word, what, before, after in (
        ("query", "query parameter", old.query, new.query),
        ("headers", "header", old.headers, new.headers),
    ):
        # The names of headers are the same in upper and lower case (RFC 9110, section 5.1).
        fold = str.lower if word == "headers" else str
        _named_parameters(pairs, (*place, word), what, before, after, fold, new, changes)


def _positions(channel: ir.Channel) -> dict[int, int]:
    """Where in the address each path parameter stands: that is what travels, and not its name."""
    order = {name: at for at, name in enumerate(variables(channel.address or ""))}
    return {id(one): order.get(one.wire_name, -1) for one in channel.parameters}


def _named_parameters(
    pairs: Pairs,
    place: Place,
    what: str,
    before: Iterable[ir.Parameter],
    after: Iterable[ir.Parameter],
    fold: Callable[[str], str],
    channel: ir.Channel,
    changes: Changes,
) -> None:
    matched = match(before, after, lambda one: fold(one.wire_name))
    for gone in matched.removed:
        message = f"the {what} {quoted(gone.wire_name)} is not known any more"
        changes.add(
            "parameter-removed", (*place, gone.wire_name), gone.location, message, related=(channel.location,), note=NEW
        )
    for more in matched.added:
        needed = more.required and more.default is None
        rule = "parameter-required-added" if needed else "parameter-optional-added"
        message = f"the handshake {'asks for' if needed else 'takes'} another {what}, {quoted(more.wire_name)}"
        changes.add(rule, (*place, more.wire_name), more.location, message)
    for one, other in matched.pairs:
        at, named, related = (*place, other.wire_name), f"the {what} {quoted(other.wire_name)}", (one.location,)
        was, now = (p.required and p.default is None for p in (one, other))
        if now and not was:
            message = f"{named} is required and was optional"
            changes.add("parameter-became-required", at, other.location, message, related=related)
        elif was and not now:
            message = f"{named} is optional and was required"
            changes.add("parameter-became-optional", at, other.location, message, related=related)
        if not was and not now and one.default != other.default:
            was_default = f"was {quoted(one.default)} by default" if one.default is not None else "had no default"
            message = f"{named} {_default(other.default)}, and {was_default}"
            changes.add("parameter-default-changed", at, other.location, message, related=related)
        _values(pairs, one, other, at, what, changes)


_VERDICTS: Mapping[Effect, tuple[str, str]] = {
    Effect.NARROWED: ("parameter-narrowed", "may not have all values any more that it could have"),
    Effect.BOTH: ("parameter-narrowed", "may have other values than before"),
    Effect.WIDENED: ("parameter-widened", "may have more values"),
    Effect.UNPROVEN: ("parameter-unproven", "changed its type, and nothing proves that the old values are still taken"),
}


def _values(pairs: Pairs, old: ir.Parameter, new: ir.Parameter, place: Place, what: str, changes: Changes) -> None:
    effect = texts.compare(_typed(old), pairs.old.definitions, _typed(new), pairs.new.definitions)
    if effect not in _VERDICTS:
        return
    rule, verdict = _VERDICTS[effect]
    before, after = (texts.wording(_typed(one), v.definitions) for one, v in ((old, pairs.old), (new, pairs.new)))
    message = f"the {what} {quoted(new.wire_name)} {verdict}: {after}, and was {before}"
    changes.add(rule, place, new.location, message, related=(old.location,))


def _typed(parameter: ir.Parameter) -> ir.Type:
    """The type of a parameter, or the values that it is restricted to."""
    return ir.Constant(parameter.values) if parameter.values else parameter.type


def _subprotocols(old: ir.Channel, new: ir.Channel, changes: Changes) -> None:
    place, related = ("channels", new.name, "subprotocols"), (old.location,)
    for name in dict.fromkeys(old.subprotocols):
        if name not in new.subprotocols:
            message = f"the channel {_named(new)} does not speak the subprotocol {quoted(name)} any more"
            changes.add("subprotocol-removed", (*place, name), new.location, message, related=related)
    for name in dict.fromkeys(new.subprotocols):
        if name not in old.subprotocols:
            message = f"the channel {_named(new)} speaks the subprotocol {quoted(name)}, too"
            changes.add("subprotocol-added", (*place, name), new.location, message, related=related)


def _named(channel: ir.Channel) -> str:
    return quoted(channel.address or channel.name)


def _default(value: str | None) -> str:
    return "has no default" if value is None else f"is {quoted(value)} by default"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(quoted, values))
