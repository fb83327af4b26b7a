"""Where to connect, from a document and from what was said on the command line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from sockspec import ir
from sockspec.python.parameters import server_of
from sockspec.runtime.security.credentials import Token
from sockspec.spec.walk import nearest

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What `sockspec.runtime.client.Client` needs to know to connect."""

    url: str
    """The server's URL, in which `variables` are filled in."""
    path: str = ""
    path_parameters: Mapping[str, object]
    variables: Mapping[str, object]
    query: Mapping[str, object]
    headers: Mapping[str, object]
    subprotocols: tuple[str, ...] = ()
    token: Token | None = None


def target(
    api: ir.Api,
    channel: ir.Channel,
    *,
    url: str | None = None,
    parameters: Pairs = (),
    variables: Pairs = (),
    headers: Pairs = (),
    subprotocols: tuple[str, ...] = (),
    token: Token | None = None,
) -> Target:
    """The target on a channel. Raises ValueError for what is missing and for what the document does not know."""
    server = server_of(api, channel)
    if url is None and server is None:
        raise ValueError("the document names no server; say with --url where it is")
    known = server.variables if server is not None else ()
    given = _parameters(channel, parameters)
    chosen = {**{one.wire_name: one.default for one in known if one.default is not None}, **dict(variables)}
    base = url if url is not None or server is None else server.url
    unknown = next((name for name in dict(variables) if name not in {one.wire_name for one in known}), None)
    if unknown is not None and "{" + unknown + "}" not in str(base):
        raise ValueError(_no_such("variable of the server's URL", unknown, [one.wire_name for one in known]))
    missing = [one.wire_name for one in known if one.wire_name not in chosen and "{" + one.wire_name + "}" in str(base)]
    if missing:
        raise ValueError(f"the server's URL needs a value: say it with --variable {missing[0]}=VALUE")
    return Target(
        url=str(base),
        path=channel.address or "",
        path_parameters=given["path"],
        variables=chosen,
        query=given["query"],
        headers={**given["header"], **dict(headers)},
        subprotocols=subprotocols or channel.subprotocols,
        token=token,
    )


def _parameters(channel: ir.Channel, given: Pairs) -> dict[str, dict[str, object]]:
    """The values of path, query and headers. A parameter that is given several times is a list."""
    texts: dict[str, list[str]] = {}
    for name, text in given:
        texts.setdefault(name, []).append(text)
    places = {"path": channel.parameters, "query": channel.query, "header": channel.headers}
    known = list(dict.fromkeys(one.wire_name for group in places.values() for one in group))
    for name in texts:
        if name not in known:
            raise ValueError(_no_such("parameter", name, known))
    values: dict[str, dict[str, object]] = {}
    for place, group in places.items():
        values[place] = {}
        for one in group:
            said = texts.get(one.wire_name)
            if said is not None:
                values[place][one.wire_name] = said[0] if len(said) == 1 else said
            elif place == "path" and one.default is not None:
                values[place][one.wire_name] = one.default
            elif one.required and one.default is None:
                raise ValueError(f"the {place} needs {one.wire_name!r}: say it with --param {one.wire_name}=VALUE")
    return values


def _no_such(what: str, name: str, known: Collection[str]) -> str:
    near = nearest(name, known)
    if near is not None:
        return f"there is no {what} {name!r}; did you mean {near!r}?"
    return f"there is no {what} {name!r}; " + (f"there are: {', '.join(known)}" if known else "there is none")


def without_query(url: str) -> str:
    """The URL as it may be shown: a query and what stands before the host can be credentials."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
