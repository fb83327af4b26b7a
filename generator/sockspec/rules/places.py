"""Where the objects of documents stand, by their kinds: a table for each specification, and one walk along it.

The tables list the ways that lead to Schema Objects, what stands on them, and servers with their variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sockspec.spec.resolve import Documents, Node

Table = Mapping[str, Mapping[str, str]]
"""For each kind of object the kinds of what it holds, by keyword: `schema`; `[parameter]` for a list of parameters,
`{response}` for a mapping whose keys are names."""

ASYNCAPI: Table = {
    "document": {
        "servers": "{server}",
        "channels": "{channel}",
        "operations": "{operation}",
        "components": "components",
    },
    "components": {
        "schemas": "{schemaEntry}",
        "servers": "{server}",
        "serverVariables": "{variable}",
        "channels": "{channel}",
        "operations": "{operation}",
        "messages": "{message}",
        "replies": "{reply}",
        "parameters": "{parameter}",
        "messageTraits": "{message}",
        "channelBindings": "{channelBindings}",
    },
    "server": {"variables": "{variable}"},
    "channel": {
        "messages": "{message}",
        "publish": "operation",
        "subscribe": "operation",
        "parameters": "{parameter}",
        "bindings": "channelBindings",
    },
    "operation": {"message": "message", "messages": "[message]", "reply": "reply", "channel": "channel"},
    "reply": {"messages": "[message]", "channel": "channel"},
    "message": {"oneOf": "[message]", "traits": "[message]", "payload": "payload", "headers": "schemaEntry"},
    "parameter": {"schema": "schema"},
    "channelBindings": {"ws": "webSocketBinding"},
    "webSocketBinding": {"query": "schema", "headers": "schema"},
}
"""Both major versions: the words that they have in common mean the same where they lead to schemas."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
"""The methods that a Path Item Object has words for."""

OPENAPI: Table = {
    "document": {
        "servers": "[server]",
        "paths": "{pathItem}",
        "webhooks": "{pathItem}",
        "components": "components",
    },
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "requestBodies": "{body}",
        "headers": "{parameter}",
        "callbacks": "{callback}",
        "pathItems": "{pathItem}",
        "mediaTypes": "{mediaType}",
    },
    "server": {"variables": "{variable}"},
    "pathItem": {
        "servers": "[server]",
        "parameters": "[parameter]",
        **dict.fromkeys(METHODS, "operation"),
        "additionalOperations": "{operation}",
    },
    "operation": {
        "servers": "[server]",
        "parameters": "[parameter]",
        "requestBody": "body",
        "responses": "{response}",
        "callbacks": "{callback}",
    },
    "callback": {"*": "pathItem"},
    "parameter": {"schema": "schema", "content": "{mediaType}"},
    "body": {"content": "{mediaType}"},
    "response": {"headers": "{parameter}", "content": "{mediaType}"},
    "mediaType": {
        "schema": "schema",
        "itemSchema": "schema",
        "encoding": "{encoding}",
        "prefixEncoding": "[encoding]",
        "itemEncoding": "encoding",
    },
    "encoding": {
        "headers": "{parameter}",
        "encoding": "{encoding}",
        "prefixEncoding": "[encoding]",
        "itemEncoding": "encoding",
    },
}
"""A Header Object is a Parameter Object without a name; what stands under `*` in it may have any key."""

AS_WRITTEN = frozenset({"schema", "schemaEntry", "payload"})
"""Kinds of objects that may have a `$ref` of their own, which is then not followed."""


def placed(documents: Documents, table: Table) -> Iterator[tuple[str, Node]]:
    """The objects of a document with their kinds, those behind references too, each object once in the document's order."""
    waiting = [("document", documents.root)]
    seen: set[tuple[Path, str]] = set()
    while waiting:
        kind, entry = waiting.pop()
        if kind in AS_WRITTEN:
            yield kind, entry
            continue
        node = documents.follow(entry)
        if not isinstance(node.value, dict) or node.identity in seen or documents.is_broken(entry):
            continue
        seen.add(node.identity)
        yield kind, node
        waiting.extend(reversed([*held(table.get(kind, {}), node)]))


def held(holds: Mapping[str, str], node: Node) -> Iterator[tuple[str, Node]]:
    """What an object holds by its row of a table, each with its kind, references not followed."""
    every = holds.get("*")
    for key, child in node.items():
        form = every or holds.get(key)
        if form is None or (every and key.startswith("x-")):
            continue
        if form.startswith("["):
            yield from ((form[1:-1], item) for item in child.elements())
        elif form.startswith("{"):
            yield from ((form[1:-1], item) for _, item in child.items())
        else:
            yield form, child
