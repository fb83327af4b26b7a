"""Where a channel is, and how a client introduces itself there."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from sockspec import ir
from sockspec.contract.settings import NoConnection, Settings
from sockspec.python import security
from sockspec.runtime.address import endpoint, header_line, of_server

MADE_UP: Final = "sockspec-made-up-credentials"
UNFIT: Final = "sockspec-unfit"
"""A text that is no number, no date and in no list of values."""

_SAMPLES: Final[Mapping[ir.Kind, str]] = {
    ir.Kind.BOOLEAN: "true",
    ir.Kind.BYTES: "aGVsbG8=",
    ir.Kind.DATE_TIME: "2025-03-01T10:05:12Z",
    ir.Kind.DATE: "2025-03-01",
    ir.Kind.TIME: "10:05:12",
    ir.Kind.UUID: "0b7d3c1e-52f4-4e0a-9a51-6f0d8c2b7e11",
    ir.Kind.DECIMAL: "1.5",
}
_FREE: Final = (ir.Kind.STRING, ir.Kind.BYTES, ir.Kind.NULL)


@dataclass(frozen=True, slots=True)
class Target:
    """One handshake, before it is made."""

    base: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    subprotocols: tuple[str, ...]

    @property
    def url(self) -> str:
        """The whole URL, which may carry credentials."""
        # In a path, a value is one segment whatever it holds.
        return endpoint(self.base, self.path, self.parameters, self.query)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A handshake with a parameter that does not fit, and what about it does not."""

    subject: str
    target: Target
    statuses: tuple[int, ...]


def target_of(channel: ir.Channel, settings: Settings) -> Target:
    """A handshake with a channel, without credentials. NoConnection for values that cannot be sent."""
    try:
        base = of_server(settings.url, settings.variables)
        headers = {p.wire_name: _value(p, settings) for p in channel.headers if _is_sent(p, settings)}
        headers |= settings.headers
        target = Target(
            base,
            channel.address or "",
            {p.wire_name: _value(p, settings) for p in channel.parameters},
            {p.wire_name: _value(p, settings) for p in channel.query if _is_sent(p, settings)},
            {name: header_line(name, value) for name, value in headers.items()},
            settings.subprotocols or channel.subprotocols,
        )
        _ = target.url
    except (ValueError, KeyError) as error:
        raise NoConnection(str(error)) from None
    return target


def _is_sent(parameter: ir.Parameter, settings: Settings) -> bool:
    return parameter.required or parameter.wire_name in settings.parameters


def _value(parameter: ir.Parameter, settings: Settings) -> str:
    """The value that was given, else one that the document shows or that its type allows."""
    given = settings.parameters.get(parameter.wire_name)
    if given is not None:
        return given
    shown = (*parameter.examples, *([parameter.default] if parameter.default else []), *parameter.values)
    return shown[0] if shown else _of_type(parameter.type)


def _of_type(kind: ir.Type) -> str:
    match kind:
        case ir.Scalar(ir.Kind.INTEGER | ir.Kind.NUMBER, limits):
            low = limits.minimum if limits.minimum is not None else limits.exclusive_minimum
            return "1" if low is None or low < 1 else str(int(low) + 1)
        case ir.Scalar(ir.Kind.STRING, limits):
            return "sample".ljust(limits.min_length or 0, "e")[: limits.max_length]
        case ir.Scalar(scalar):
            return _SAMPLES.get(scalar, "sample")
        case ir.Constant(values):
            first: Any = values[0]
            return str(first).lower() if isinstance(first, bool) else str(first)
        case ir.Nullable(of):
            return _of_type(of)
        case ir.Array(item):
            return _of_type(item)
        case ir.Union(members):
            return _of_type(members[0])
        case _:
            return "sample"


# --- what does not fit -----------------------------------------------------------------------------------------------


def misfits(channel: ir.Channel, target: Target) -> Iterator[Misfit]:
    """Handshakes that each have one parameter which does not fit."""
    for parameter in channel.parameters:
        if _is_picky(parameter):
            changed = replace(target, parameters={**target.parameters, parameter.wire_name: UNFIT})
            yield Misfit(f"path {parameter.wire_name}", changed, (400, 404, 422))
    for subject, query in _unfit(channel.query, target.query):
        yield Misfit(f"query {subject}", replace(target, query=query), (400, 422))
    for subject, headers in _unfit(channel.headers, target.headers):
        yield Misfit(f"header {subject}", replace(target, headers=headers), (400, 422))


def _unfit(parameters: tuple[ir.Parameter, ...], given: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """For each thing that can be wrong with parameters, what it is and the values."""
    for parameter in parameters:
        name = parameter.wire_name
        if _is_picky(parameter):
            yield name, {**given, name: UNFIT}
        if parameter.required and name in given:
            yield f"{name} left out", {key: value for key, value in given.items() if key != name}


def _is_picky(parameter: ir.Parameter) -> bool:
    """Whether a text that is in no list and no number is wrong."""
    match parameter.type:
        case ir.Scalar(kind) | ir.Nullable(ir.Scalar(kind)):
            return bool(parameter.values) or kind not in _FREE
        case ir.Constant():
            return True
        case _:
            return bool(parameter.values)


# --- credentials -----------------------------------------------------------------------------------------------------


def needed(api: ir.Api, channel: ir.Channel) -> list[ir.SecurityScheme] | None:
    """The schemes of the first alternative that a handshake needs; None where none is needed."""
    asked = security.connecting(api, channel)
    if not asked or () in asked:
        return None
    known = {scheme.name: scheme for scheme in api.security_schemes}
    return [known[need.scheme] for need in asked[0] if need.scheme in known]


def with_credentials(target: Target, schemes: list[ir.SecurityScheme], token: str) -> Target:
    """The handshake with a token where the schemes want it; those that need something else stay without."""
    for scheme in schemes:
        kind = security.credentials(scheme).kind
        if kind == "KeyScheme":
            target = _with_key(target, scheme, token)
        elif kind == "BasicScheme":
            encoded = base64.b64encode(token.encode()).decode()
            target = _with_header(target, "Authorization", f"Basic {encoded}")
        elif kind == "BearerScheme":
            target = _with_header(target, "Authorization", f"Bearer {token}")
    return target


def made_up(schemes: list[ir.SecurityScheme]) -> str:
    """A token that cannot be right."""
    basic = any(security.credentials(scheme).kind == "BasicScheme" for scheme in schemes)
    return f"nobody:{MADE_UP}" if basic else MADE_UP


def takes_token(schemes: list[ir.SecurityScheme]) -> bool:
    """Whether one of the schemes is satisfied by a token, a key or a password."""
    return any(security.credentials(scheme).kind != "Scheme" for scheme in schemes)


def _with_key(target: Target, scheme: ir.SecurityScheme, token: str) -> Target:
    match scheme.parameter_in:
        case "query":
            return replace(target, query={**target.query, scheme.parameter_name: token})
        case "cookie":
            return _with_header(target, "Cookie", f"{scheme.parameter_name}={quote(token)}")
        case _:
            return _with_header(target, scheme.parameter_name, token)


def _with_header(target: Target, name: str, value: str) -> Target:
    """A header that was given on the command line stays."""
    if name.lower() in (other.lower() for other in target.headers):
        return target
    try:
        return replace(target, headers={**target.headers, name: header_line(name, value)})
    except ValueError as error:
        raise NoConnection(str(error)) from None
