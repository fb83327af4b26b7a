"""What publishes from outside a server: view of `publisher.py`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sockspec import ir
from sockspec.python import literals, parameters
from sockspec.python.layout import call, joined, lay, signature, subscript
from sockspec.python.names import Names


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A property for a channel on which the server may send: its head up to the colon, its docstring, its statement."""

    head: str
    doc: str
    body: str


@dataclass(frozen=True, slots=True)
class Publisher:
    """A class that publishes to all channels of an API."""

    head: str
    doc: str
    endpoints: tuple[Endpoint, ...]


def view(api: ir.Api, names: Names, sent: Collection[tuple[str, ir.Direction]]) -> tuple[Publisher, ...]:
    """The publisher that is awaited and the one that waits. `sent` are the channels and sides that have messages."""
    channels = [channel for channel in api.channels if (channel.name, ir.Direction.SERVER_TO_CLIENT) in sent]
    about = f"Publishes to clients of {api.title} from outside its servers"
    return tuple(
        Publisher(
            f"class {name}({prefix}Publisher):",
            literals.docstring(f"{about}{how}.", 4),
            tuple(_endpoint(api, names, channel, f"{prefix}Endpoint") for channel in channels),
        )
        for name, prefix, how in ((names.publisher, "", ""), (names.sync_publisher, "Sync", ", in calls that wait"))
    )


def _endpoint(api: ir.Api, names: Names, channel: ir.Channel, kind: str) -> Endpoint:
    key = (channel.name, ir.Direction.SERVER_TO_CLIENT)
    path = literals.string(parameters.route_path(api, channel))
    doc = channel.description or channel.summary or f"Clients that are connected to {channel.address or channel.name}."
    return Endpoint(
        signature(
            f"def {names.published[channel.name]}", ("self",), subscript(kind, f"messages.{names.unions[key]}"), 4
        ),
        literals.docstring(literals.first_paragraph(doc), 8),
        lay(joined("return ", call("self.endpoint", path, f"codecs.{names.codecs[key]}")), 8),
    )
