"""Names of a document and names of the runtime do not get into each other's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sockspec import ir
from sockspec.python import names, naming
from sockspec.runtime import Client, Publisher, Server, SyncClient, SyncPublisher
from tests.payloads import api_of, package_of


@pytest.mark.parametrize(
    ("scope", "kinds"),
    [
        (names.server_scope, (Server,)),
        (names.client_scope, (Client, SyncClient)),
        (names.publisher_scope, (Publisher, SyncPublisher)),
    ],
)
def test_nothing_in_a_document_takes_the_place_of_a_method(
    scope: Callable[[], naming.Scope], kinds: tuple[type[Any], ...]
) -> None:
    given = {name for kind in kinds for name in {*dir(kind), *vars(kind).get("__annotations__", ())}}
    assert {name for name in given if not name.startswith("_") and scope().claim(name) == name} == set()


@pytest.mark.parametrize(
    ("title", "channel", "server", "client", "publisher", "attribute"),
    [
        ("Chat API", "room", "ChatServer", "RoomClient", "ChatPublisher", "room"),
        ("Server", "client", "ServerServer", "ClientClient", "ServerPublisher", "client"),
        ("Publisher", "property", "PublisherServer", "PropertyClient", "PublisherPublisher", "property_"),
        ("Sync", "sync", "SyncServer", "SyncClient", "SyncPublisher2", "sync"),
        ("Sync API", "publish", "SyncServer", "PublishClient", "SyncPublisher2", "publish_"),
        ("Endpoint", "sync endpoint", "EndpointServer", "SyncEndpointClient", "EndpointPublisher", "sync_endpoint"),
        ("Payload", "messages", "PayloadServer", "MessagesClient", "PayloadPublisher", "messages_"),
    ],
)
def test_classes_derive_from_those_of_the_runtime_whatever_a_document_calls_things(
    title: str, channel: str, server: str, client: str, publisher: str, attribute: str, tmp_path: Path
) -> None:
    api, _ = api_of(tmp_path, {"Payload": {"type": "object"}})
    sent = ir.Direction.SERVER_TO_CLIENT
    package = package_of(
        tmp_path,
        replace(
            api,
            title=title,
            channels=(replace(api.channels[0], name=channel),),
            operations=(replace(api.operations[0], channel=channel, direction=sent),),
        ),
    )
    bases = (Server, Client, SyncClient, Publisher, SyncPublisher)
    given = (server, client, f"Sync{client}", publisher, f"Sync{publisher}")
    assert [issubclass(getattr(package, name), base) for name, base in zip(given, bases, strict=True)] == [True] * 5
    for name in given[3:]:
        assert isinstance(vars(getattr(package, name))[attribute], property)


def test_a_publisher_has_only_channels_on_which_the_server_may_send(tmp_path: Path) -> None:
    package = package_of(tmp_path, api_of(tmp_path, {"Payload": {"type": "object"}})[0])
    for name in ("TestPublisher", "SyncTestPublisher"):
        assert [member for member in vars(getattr(package, name)) if not member.startswith("_")] == []
