"""What generated packages and their users import: servers, clients, connections, codecs and problems.

Each name is imported from its module when it is first asked for. So a program that only decodes messages does not
wait for asyncio, and none waits for the validator or the network library before it needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sockspec.runtime.application import Application
    from sockspec.runtime.backplane.line import Backplane, BackplaneError, History
    from sockspec.runtime.backplane.memory import MemoryBackplane
    from sockspec.runtime.backplane.nats import NatsBackplane
    from sockspec.runtime.backplane.redis import RedisBackplane
    from sockspec.runtime.client import Client
    from sockspec.runtime.codec import Codec
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.filled import identified, message_of, now, payload_of, stamped
    from sockspec.runtime.fleet.presence import Member
    from sockspec.runtime.fleet.recovery import Recovery
    from sockspec.runtime.fleet.uplink import Unavailable
    from sockspec.runtime.formats import DateTime
    from sockspec.runtime.groups import Audience, Group
    from sockspec.runtime.handshake import Handshake, Values
    from sockspec.runtime.heartbeat import Heartbeat
    from sockspec.runtime.inbox import InboxFull
    from sockspec.runtime.judge import Schemas
    from sockspec.runtime.lanes import Entry
    from sockspec.runtime.limits import Limits
    from sockspec.runtime.link import ConnectionLost, State
    from sockspec.runtime.listeners import Callback
    from sockspec.runtime.observer import Observer
    from sockspec.runtime.options import ClientOptions, Options
    from sockspec.runtime.outgoing import NotConnected, QueueFull, SendTimeout, Unsent
    from sockspec.runtime.parameters import FromHeader, FromPath, FromQuery
    from sockspec.runtime.policy import Policy, UnknownMessage
    from sockspec.runtime.problems import (
        PROBLEMS,
        Fault,
        PayloadError,
        Problem,
        ProblemError,
        ProblemKind,
        Refused,
    )
    from sockspec.runtime.publisher import Endpoint, Publisher, SyncEndpoint, SyncPublisher
    from sockspec.runtime.routing import Handler, Route
    from sockspec.runtime.security.cleartext import InsecureTransport
    from sockspec.runtime.security.credentials import Credential, Token, basic, bearer
    from sockspec.runtime.security.principal import ANONYMOUS, P, Principal
    from sockspec.runtime.security.schemes import (
        BasicCredentials,
        BasicScheme,
        BearerScheme,
        CertificateScheme,
        KeyScheme,
        Requirement,
        Scheme,
    )
    from sockspec.runtime.security.tickets import SignedTickets, Tickets
    from sockspec.runtime.server import Server
    from sockspec.runtime.sync_client import SyncClient
    from sockspec.runtime.transport import ConnectionClosed, Transport
    from sockspec.runtime.unions import one_of, open_tuple
else:
    _HOMES = {
        "security.cleartext": ("InsecureTransport",),
        "application": ("Application",),
        "backplane.line": ("Backplane", "BackplaneError", "History"),
        "backplane.memory": ("MemoryBackplane",),
        "backplane.nats": ("NatsBackplane",),
        "backplane.redis": ("RedisBackplane",),
        "client": ("Client",),
        "codec": ("Codec",),
        "connection": ("Connection",),
        "filled": ("identified", "message_of", "now", "payload_of", "stamped"),
        "fleet.presence": ("Member",),
        "fleet.recovery": ("Recovery",),
        "fleet.uplink": ("Unavailable",),
        "formats": ("DateTime",),
        "groups": ("Audience", "Group"),
        "handshake": ("Handshake", "Values"),
        "heartbeat": ("Heartbeat",),
        "inbox": ("InboxFull",),
        "judge": ("Schemas",),
        "lanes": ("Entry",),
        "link": ("ConnectionLost", "State"),
        "limits": ("Limits",),
        "listeners": ("Callback",),
        "observer": ("Observer",),
        "options": ("ClientOptions", "Options"),
        "outgoing": ("NotConnected", "QueueFull", "SendTimeout", "Unsent"),
        "parameters": ("FromHeader", "FromPath", "FromQuery"),
        "problems": ("PROBLEMS", "Fault", "PayloadError", "Problem", "ProblemError", "ProblemKind", "Refused"),
        "publisher": ("Endpoint", "Publisher", "SyncEndpoint", "SyncPublisher"),
        "routing": ("Handler", "Route"),
        "security.credentials": ("Credential", "Token", "basic", "bearer"),
        "security.principal": ("ANONYMOUS", "P", "Principal"),
        "security.schemes": (
            *(
                "BasicCredentials",
                "BasicScheme",
                "BearerScheme",
                "CertificateScheme",
                "KeyScheme",
                "Requirement",
                "Scheme",
            ),
        ),
        "security.tickets": ("SignedTickets", "Tickets"),
        "server": ("Server",),
        "sync_client": ("SyncClient",),
        "transport": ("ConnectionClosed", "Transport"),
        "policy": ("Policy", "UnknownMessage"),
        "unions": ("one_of", "open_tuple"),
    }
    _HOME = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value


__all__ = [
    "ANONYMOUS",
    "PROBLEMS",
    "Application",
    "Audience",
    "Backplane",
    "BackplaneError",
    "BasicCredentials",
    "BasicScheme",
    "BearerScheme",
    "Callback",
    "CertificateScheme",
    "Client",
    "ClientOptions",
    "Codec",
    "Connection",
    "ConnectionClosed",
    "ConnectionLost",
    "Credential",
    "DateTime",
    "Endpoint",
    "Entry",
    "Fault",
    "FromHeader",
    "FromPath",
    "FromQuery",
    "Group",
    "Handler",
    "Handshake",
    "Heartbeat",
    "History",
    "InboxFull",
    "InsecureTransport",
    "KeyScheme",
    "Limits",
    "Member",
    "MemoryBackplane",
    "NatsBackplane",
    "NotConnected",
    "Observer",
    "Options",
    "P",
    "PayloadError",
    "Policy",
    "Principal",
    "Problem",
    "ProblemError",
    "ProblemKind",
    "Publisher",
    "QueueFull",
    "Recovery",
    "RedisBackplane",
    "Refused",
    "Requirement",
    "Route",
    "Schemas",
    "Scheme",
    "SendTimeout",
    "Server",
    "SignedTickets",
    "State",
    "SyncClient",
    "SyncEndpoint",
    "SyncPublisher",
    "Tickets",
    "Token",
    "Transport",
    "Unavailable",
    "UnknownMessage",
    "Unsent",
    "Values",
    "basic",
    "bearer",
    "identified",
    "message_of",
    "now",
    "one_of",
    "open_tuple",
    "payload_of",
    "stamped",
]
