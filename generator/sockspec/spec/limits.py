"""The extension `x-limits`: what a server puts up with, of a document as a whole or of one endpoint."""

from __future__ import annotations

import math
from typing import Final

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.resolve import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

INVALID_LIMIT = Code(
    "limit-invalid",
    Severity.ERROR,
    "A member of `x-limits` is none of the known ones, or not the number that it has to be. Sizes are bytes, times and "
    "rates are in seconds; `docs/limits.md` lists the members. A limit that is not understood would not be enforced.",
)

EXTENSION: Final = "x-limits"
_WHOLE: Final = """maxConnections maxSockets maxConnectionsPerPrincipal maxConnectionsPerAddress connectionBurst maxHandshakes
    maxMessage maxDepth messageBurst maxInbound maxConcurrent maxOutbound maxOutboundMessages maxFaults""".split()
_ANY: Final = "connectionsPerSecond messagesPerSecond idleTimeout".split()
_OF_ALL: Final = ("maxHandshakes",)
KNOWN: Final = (*_WHOLE, *_ANY)
"""The members, each named as the option of the runtime is."""


def read(holder: Node, report: Report, *, of_endpoint: bool = False) -> ir.ServiceLimits:
    """The limits that the extension of an object declares: of the document as a whole, or of one endpoint."""
    extension = holder.get(EXTENSION)
    if extension is None:
        return ()
    if not isinstance(extension.value, dict):
        report.add(INVALID_LIMIT.at(extension.location, "expected an object"))
        return ()
    found: list[tuple[str, int | float]] = []
    for name, node in extension.items():
        value = node.value
        if name not in KNOWN:
            near = nearest(name, dict.fromkeys(KNOWN))
            hint = f"did you mean {quoted(near)}?" if near is not None else ""
            report.add(INVALID_LIMIT.at(node.key_location, f"there is no limit {quoted(name)}", hint=hint))
        elif of_endpoint and name in _OF_ALL:
            message = f"{quoted(name)} counts handshakes before their endpoint is known; it belongs to the root"
            report.add(INVALID_LIMIT.at(node.key_location, message))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            report.add(INVALID_LIMIT.at(node.location, f"{quoted(name)} has to be a number above 0"))
        elif name in _WHOLE and value != int(value):
            report.add(INVALID_LIMIT.at(node.location, f"{quoted(name)} has to be a whole number"))
        else:
            found.append((name, int(value) if name in _WHOLE else value))
    return tuple(found)
