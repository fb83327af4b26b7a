"""What a run is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class NoConnection(Exception):
    """The server cannot be reached, or cannot be spoken to with what was given; the message is for users."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is tested. Times are in seconds."""

    url: str
    """The URL of the server, to which the addresses of channels are added."""
    token: str = field(default="", repr=False)
    """Credentials for whichever scheme the document asks for; `user:password` for basic authentication."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of path, query and header parameters by their names."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    subprotocols: tuple[str, ...] = ()
    """What is offered in place of what the document declares."""
    channel: str = ""
    """The only channel to test, by name or address; empty for all."""
    first: tuple[str, ...] = ()
    """Messages that are sent first on each connection, by name."""
    seed: int = 0
    samples: int = 3
    """How many valid payloads are sent of each message."""
    broken: int = 25
    """How many invalid payloads are sent of each message, at most."""
    timeout: float = 5.0
    """How long anything that has to come is waited for."""
    quiet: float = 0.25
    """How long to wait for what must not come, where the server gives no sign that it has handled a message."""
    rate: float = 10.0
    """Messages a second; 0 for no limit."""
    rules: frozenset[str] = frozenset()
    """The rules that are tried."""
