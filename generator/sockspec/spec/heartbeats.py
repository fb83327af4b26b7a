"""The extension `x-heartbeat`: messages by which the sides of a connection know that the other one is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.resolve import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

INVALID_HEARTBEAT = Code(
    "heartbeat-invalid",
    Severity.ERROR,
    "The extension `x-heartbeat` is an object with the names of two messages, `ping` and `pong`, an `interval` and perhaps "
    "a `timeout`, both in seconds and above 0. `docs/client.md` has an example.",
)

EXTENSION: Final = "x-heartbeat"
_NAMES: Final = ("ping", "pong")
_TIMES: Final = ("interval", "timeout")
_TIMEOUT: Final = 10.0


def read(holder: Node, report: Report) -> ir.Heartbeat | None:
    """The heartbeat that the extension of an object declares."""
    extension = holder.get(EXTENSION)
    if extension is None:
        return None
    if not isinstance(extension.value, dict):
        report.add(INVALID_HEARTBEAT.at(extension.location, "expected an object"))
        return None
    faults = len(report.sorted())
    members = dict(extension.items())
    for name, node in members.items():
        if name in _NAMES and not isinstance(node.value, str):
            report.add(INVALID_HEARTBEAT.at(node.location, f"{quoted(name)} has to be the name of a message"))
        elif name in _TIMES and not _is_time(node.value):
            report.add(INVALID_HEARTBEAT.at(node.location, f"{quoted(name)} has to be a number of seconds above 0"))
        elif name not in (*_NAMES, *_TIMES):
            near = nearest(name, dict.fromkeys((*_NAMES, *_TIMES)))
            hint = f"did you mean {quoted(near)}?" if near is not None else ""
            report.add(INVALID_HEARTBEAT.at(node.key_location, f"there is no member {quoted(name)}", hint=hint))
    for name in ("ping", "pong", "interval"):
        if name not in members:
            report.add(INVALID_HEARTBEAT.at(extension.location, f"{quoted(name)} is missing"))
    if len(report.sorted()) > faults:
        return None
    timeout = members["timeout"].value if "timeout" in members else _TIMEOUT
    ping, pong, interval = (members[name].value for name in ("ping", "pong", "interval"))
    return ir.Heartbeat(str(ping), str(pong), float(str(interval)), float(str(timeout)), extension.location)


def spread(channels: tuple[ir.Channel, ...], root: Node, report: Report) -> tuple[ir.Channel, ...]:
    """The channels, where those without a heartbeat of their own have the one of the document."""
    beat = read(root, report)
    return tuple(c if beat is None or c.heartbeat is not None else replace(c, heartbeat=beat) for c in channels)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
