"""A project to begin with: a server whose handlers are to be filled in, its settings, a test and a Dockerfile."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from sockspec import ir
from sockspec.analysis import dispatch, heartbeats, walk
from sockspec.python import hoist, imports, literals, names, naming, parameters, security
from sockspec.python.endpoints import Endpoints
from sockspec.python.messages import Messages
from sockspec.python.types import Types

Render = Callable[..., str]


def files(api: ir.Api, spec: str, package: str, render: Render) -> Mapping[str, str]:
    """The files by their paths. `spec` is where the document is, seen from the project's folder."""
    dispatches = dispatch.all_of(api)
    tags = dispatch.record_tags(api, dispatches.values())
    api = hoist.hoist(api, Types(walk.by_name(api), names.give(api).definitions, tags))
    given = names.give(api)
    types = Types(walk.by_name(api), given.definitions, tags)
    api = heartbeats.handed_over(api)
    server = Endpoints(api, given, types, Messages(api, given, types, dispatches), dispatches, generic=False).server()
    name = _name(given.server)
    body = render("project/handlers.py.j2", name=name, server=server).strip("\n")
    known = {*given.connections.values(), *given.parameters.values(), given.server, "messages"}
    blocks = imports.blocks(
        body,
        (),
        {package: frozenset(imports.used(body) & known), "sockspec.runtime.logs": frozenset({"JsonFormatter"})},
    )
    view = {
        "title": " ".join(api.title.split()),
        "doc": literals.docstring(f"The server of {api.title}: fill in the handlers."),
        "name": name,
        "package": package,
        "project": package.replace("_", "-"),
        "spec": spec,
        "ambient": security.are_ambient(api),
        "spec_literal": json.dumps(spec, ensure_ascii=False),
        **_first_client(api, given),
    }
    settings = ("from settings import Settings",)
    return {
        "server.py": render(
            "project/server.py.j2", body="\n\n" + body, blocks=[("import logging",), *blocks, settings], **view
        ),
        **{path: render(f"project/{path}.j2", **view) for path in _PLAIN},
    }


_PLAIN = ("health.py", "settings.py", "test_server.py", "pyproject.toml", "Dockerfile", "README.md")


def _name(server: str) -> str:
    """A name for the application's class: the generated one's without its ending."""
    stem = server.removesuffix("Server")
    return stem if stem.isidentifier() and stem not in naming.CLASS_RESERVED else f"My{server}"


def _first_client(api: ir.Api, given: names.Names) -> dict[str, object]:
    """The client that the test connects with, where its arguments are simple enough to make up."""
    for channel in api.channels:
        needed = [
            one for one in parameters.placed(api, channel) if one.parameter.default is None and one.parameter.required
        ]
        plain = all(one.parameter.type == ir.Scalar(ir.Kind.STRING) for one in needed)
        if channel.address is not None and plain:
            arguments = [f"{one.name}={literals.string((*one.parameter.examples, 'example')[0])}" for one in needed]
            if parameters.server_of(api, channel) is None:
                arguments.append(f"url={literals.string('ws://localhost')}")
            asked = security.connecting(api, channel)
            return {
                "client": given.clients[channel.name],
                "arguments": ", ".join(arguments),
                "secured": bool(asked) and () not in asked,
            }
    return {"client": "", "arguments": "", "secured": False}
