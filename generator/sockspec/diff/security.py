"""What credentials a handshake or an operation asks for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.diff.pairs import Pairs, Version
from sockspec.diff.rule import Changes
from sockspec.spec.text import quoted

Place = tuple[str, ...]
_MOST_ALTERNATIVES = 256
"""Combinations of what servers and channels ask for that are looked at."""

_Way = tuple[str, ...]
"""What credentials travel, and where: the scheme without its name."""
Alternatives = Mapping[frozenset[_Way], Mapping[_Way, frozenset[str]]]
"""Ways to authenticate: the schemes that hold together, and the scopes that each has to grant."""


def channels(pairs: Pairs, changes: Changes) -> None:
    """What became of the credentials that handshakes ask for.

    What a server and what a channel ask for is looked at together: it does not travel which of the two says it. Where
    only the server changed, that is said once, and not for each channel.
    """
    partners = {old.name: new for old, new in pairs.servers.pairs}
    for old, new in pairs.channels.pairs:
        before, after = pairs.old.servers_of(old), {server.name: server for server in pairs.new.servers_of(new)}
        place = ("channels", new.name, "security")
        both = [
            (one, after[partners[one.name].name])
            for one in before
            if one.name in partners and partners[one.name].name in after
        ]
        for one, other in both:
            was, now = _joint(pairs.old, one.security, old.security), _joint(pairs.new, other.security, new.security)
            if was == now:
                continue
            own = ways(pairs.old, one.security), ways(pairs.new, other.security)
            if own[0] != own[1] and ways(pairs.old, old.security) == ways(pairs.new, new.security):
                at = ("servers", other.name, "security")
                _compare(*own, at, f"the server {quoted(other.name)}", (other.location, one.location), changes)
            else:
                what = f"the handshake of {quoted(new.address or new.name)}"
                _compare(was, now, place, what, (new.location, old.location), changes)
        if not both:
            was, now = ways(pairs.old, old.security), ways(pairs.new, new.security)
            what = f"the handshake of {quoted(new.address or new.name)}"
            _compare(was, now, place, what, (new.location, old.location), changes)


def operation(pairs: Pairs, old: ir.Operation, new: ir.Operation, place: Place, changes: Changes) -> None:
    """What became of the credentials that an operation asks for."""
    was, now = ways(pairs.old, old.security), ways(pairs.new, new.security)
    _compare(was, now, (*place, "security"), f"the operation {quoted(new.name)}", (new.location, old.location), changes)


def ways(version: Version, security: ir.Security) -> Alternatives:
    """The alternatives by what travels, the same ones from both specifications; one without schemes where all may in."""
    found: dict[frozenset[_Way], Mapping[_Way, frozenset[str]]] = {}
    for alternative in security or ((),):
        scopes: dict[_Way, frozenset[str]] = {}
        for requirement in alternative:
            way = _way(version, requirement.scheme)
            scopes[way] = scopes.get(way, frozenset()) | frozenset(requirement.scopes)
        known = found.get(frozenset(scopes))
        # Of two alternatives with the same schemes, the one that asks for less counts.
        if known is None or all(scopes[way] <= known[way] for way in scopes):
            found[frozenset(scopes)] = scopes
    return found


def _way(version: Version, name: str) -> _Way:
    scheme = version.schemes.get(name)
    if scheme is None:
        return ("unknown", name)
    if scheme.type == "oauth2" or scheme.type == "openIdConnect":
        # Both end in a bearer token; whoever issues it is another.
        return (scheme.type,)
    place = scheme.parameter_name.lower() if scheme.parameter_in == "header" else scheme.parameter_name
    return (scheme.type, scheme.scheme.lower(), scheme.parameter_in, place)


def _joint(version: Version, server: ir.Security, channel: ir.Security) -> Alternatives:
    """What has to hold when both are asked for."""
    found: dict[frozenset[_Way], Mapping[_Way, frozenset[str]]] = {}
    one, other = ways(version, server), ways(version, channel)
    if len(one) * len(other) > _MOST_ALTERNATIVES:
        return {**one, **other}
    for left, right in product(one.values(), other.values()):
        scopes = {way: left.get(way, frozenset()) | right.get(way, frozenset()) for way in (*left, *right)}
        found[frozenset(scopes)] = scopes
    return found


def _compare(
    old: Alternatives, new: Alternatives, place: Place, what: str, places: tuple[Location, Location], changes: Changes
) -> None:
    location, related = places[0], (places[1],)
    nothing: frozenset[_Way] = frozenset()
    gone = [way for way in old if way not in new]
    more = [way for way in new if way not in old]
    open_before, open_after = nothing in old, nothing in new
    if open_before and not open_after:
        message = f"{what} asks for credentials, and did not: {_either(new)}"
        changes.add("security-added", place, location, message, related=related)
    elif open_after and not open_before:
        message = f"{what} asks for no credentials any more: before, for {_either(old)}"
        changes.add("security-removed", place, location, message, related=related)
    for way in gone:
        if way and not open_after:
            message = f"{what} does not accept {_wording(way)} any more"
            changes.add("security-alternative-removed", place, location, message, related=related)
    for way in more:
        if way and not open_before:
            message = f"{what} accepts {_wording(way)}, too"
            changes.add("security-alternative-added", place, location, message, related=related)
    for way in old:
        if way in new:
            _scopes(old[way], new[way], place, what, places, changes)


def _scopes(
    old: Mapping[_Way, frozenset[str]],
    new: Mapping[_Way, frozenset[str]],
    place: Place,
    what: str,
    places: tuple[Location, Location],
    changes: Changes,
) -> None:
    for way in old:
        for scope in sorted(new[way] - old[way]):
            message = f"{what} asks for the scope {quoted(scope)} of {_wording({way})}, too"
            changes.add("security-scope-added", (*place, scope), places[0], message, related=places[1:])
        for scope in sorted(old[way] - new[way]):
            message = f"{what} does not ask for the scope {quoted(scope)} of {_wording({way})} any more"
            changes.add("security-scope-removed", (*place, scope), places[0], message, related=places[1:])


def _either(alternatives: Alternatives) -> str:
    return " or ".join(_wording(way) for way in alternatives if way)


def _wording(ways: frozenset[_Way] | set[_Way]) -> str:
    return " with ".join(_words(way) for way in sorted(ways))


def _words(way: _Way) -> str:
    kind, *details = way
    match details:
        case [scheme, _, _] if scheme:
            return f"{kind} {scheme}"
        case [_, place, name] if place:
            return f"{kind} in {place}" + (f" {quoted(name)}" if name else "")
        case [name]:
            return f"the unknown scheme {quoted(name)}"
        case _:
            return kind
