"""Code that talks to an endpoint: the generated clients, a script in a browser, and the command line."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.docs.connecting import initial
from sockspec.docs.examples import Examples
from sockspec.docs.life import AGAIN, CLOSINGS
from sockspec.docs.page import Sample, Samples
from sockspec.docs.writing import fence, one_line
from sockspec.python.calls import Programs
from sockspec.python.security import connecting

_MOST_CASES = 5
_TOKENS = ("oauth2", "openIdConnect")
_BRACES = re.compile(r"\{([^{}]*)\}")
_ENCODE = """function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

"""
_BROWSER = """%(url)s
let failures = 0;

%(encode)sfunction connect() {
  const socket = new WebSocket(url%(protocols)s);
  let stable;
  socket.addEventListener("open", () => {
    stable = setTimeout(() => { failures = 0; }, 10_000);
%(send)s  });
  socket.addEventListener("message", (event) => {
%(receive)s  });
  socket.addEventListener("close", (event) => {
    clearTimeout(stable);
    if (![%(again)s].includes(event.code)) {
      console.warn("closed for good", event.code, event.reason);
      return;
    }
    const ceiling = Math.min(30_000, 500 * 2 ** failures++);
    setTimeout(connect, Math.random() * ceiling);
  });
}

connect();
"""


class Code:
    """Writes samples for the endpoints of one API."""

    def __init__(
        self,
        api: ir.Api,
        examples: Examples,
        dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch],
        source: str,
        package: str,
    ) -> None:
        self._api = api
        self._examples = examples
        self._dispatches = dispatches
        self._source = source
        self._programs = Programs(api, package, examples.payload)
        self._schemes = {scheme.name: scheme for scheme in api.security_schemes}

    def samples(self, channel: ir.Channel, anchor: str) -> Samples:
        """The samples of an endpoint."""
        program = self._programs.program(channel.name)
        texts = (
            ("Python", "python", program.asynchronous),
            ("Python, sync", "python", program.waiting),
            ("Browser", "javascript", self.browser(channel)),
            ("Command line", "sh", self.command(channel)),
        )
        several = tuple(
            Sample(f"{anchor}-code-{number}", label, language, text, fence(text), number == 1)
            for number, (label, language, text) in enumerate(texts, 1)
        )
        return Samples(f"{anchor}-code", f"Code for {one_line(channel.title or channel.name)}", several)

    def _server(self, channel: ir.Channel) -> ir.Server | None:
        return next((one for one in self._api.servers if not channel.servers or one.name in channel.servers), None)

    def _url(self, channel: ir.Channel) -> str:
        """A URL of the endpoint whose blanks are filled in."""
        server = self._server(channel)
        values = {one.wire_name: initial(one) for one in (server.variables if server is not None else ())}
        values |= {one.wire_name: initial(one) for one in channel.parameters}
        template = (server.url if server is not None else "ws://127.0.0.1:8765") + (channel.address or "/")
        url = _BRACES.sub(lambda found: quote(values.get(found[1]) or found[1], safe=":/"), one_line(template))
        query = [(one.wire_name, initial(one) or one.wire_name) for one in channel.query if one.required]
        key = self._key(channel)
        query += [(key.parameter_name, "KEY")] if key is not None else []
        return url + (f"?{urlencode(query)}" if query else "")

    def _first_way(self, channel: ir.Channel) -> list[ir.SecurityScheme]:
        """The schemes of the first way to authenticate."""
        names = dict.fromkeys(need.scheme for alternative in connecting(self._api, channel)[:1] for need in alternative)
        return [self._schemes[name] for name in names if name in self._schemes]

    def _key(self, channel: ir.Channel) -> ir.SecurityScheme | None:
        declared = {one.wire_name for one in channel.query}
        ways = (one for one in self._first_way(channel) if one.parameter_in == "query" and one.parameter_name)
        return next((one for one in ways if one.parameter_name not in declared), None)

    def _has_token(self, channel: ir.Channel) -> bool:
        return any(
            one.type in _TOKENS or (one.type, one.scheme) == ("http", "bearer") for one in self._first_way(channel)
        )

    # --- browsers -----------------------------------------------------------------------------------------------------

    def browser(self, channel: ir.Channel) -> str:
        """A script for pages that connects, sends what can be sent first, and connects again."""
        protocols = [_js(name) for name in channel.subprotocols]
        has_token = self._has_token(channel)
        url = f"const url = {_js(self._url(channel))};"
        if has_token:
            protocols += ['"sockspec"'] if not protocols else []
            protocols.append('"sockspec.bearer." + base64url(token)')
            url += '\nconst token = "TOKEN"; // taken so by servers made with sockspec; others may want it otherwise'
        return _BROWSER % {
            "url": url,
            "encode": _ENCODE if has_token else "",
            "protocols": f", [{', '.join(protocols)}]" if protocols else "",
            "send": "".join(f"    {line}\n" for line in self._send(channel)),
            "receive": "".join(f"    {line}\n" for line in self._receive(channel)),
            "again": ", ".join(one.code for one in CLOSINGS if one.reaction == AGAIN),
        }

    def _send(self, channel: ir.Channel) -> Iterator[str]:
        found = self._dispatches.get((channel.name, ir.Direction.CLIENT_TO_SERVER))
        beat = channel.heartbeat
        for choice in found.choices if found is not None else ():
            message = choice.message
            if beat is not None and message.name in (beat.ping, beat.pong):
                continue
            payloads = self._examples.payload(message)
            if not payloads:
                continue
            if message.payload.content is ir.Content.TEXT:
                yield f"socket.send({_js(str(payloads[0]))});"
            elif message.payload.content is ir.Content.JSON:
                lines = json.dumps(payloads[0], indent=2, ensure_ascii=True).splitlines()
                yield f"socket.send(JSON.stringify({lines[0]}{'' if lines[1:] else '));'}"
                yield from (f"{line}{'));' if at == len(lines) - 1 else ''}" for at, line in enumerate(lines) if at)
            return

    def _receive(self, channel: ir.Channel) -> Iterator[str]:
        found = self._dispatches.get((channel.name, ir.Direction.SERVER_TO_CLIENT))
        choices = found.choices if found is not None else ()
        if any(choice.message.payload.content is ir.Content.BINARY for choice in choices):
            yield 'if (typeof event.data !== "string") { // a Blob: what is binary'
            yield "  console.log(event.data);"
            yield "  return;"
            yield "}"
        if choices and all(choice.message.payload.content is ir.Content.TEXT for choice in choices):
            yield "console.log(event.data);"
            return
        yield "const message = JSON.parse(event.data);"
        tagged = [choice for choice in choices if choice.values and not choice.is_array]
        if found is None or len(found.path) != 1 or len(tagged) < 2:
            yield "console.log(message);"
            return
        yield f"switch (message[{_js(str(found.path[0]))}]) {{"
        for choice in tagged[:_MOST_CASES]:
            yield f"  case {json.dumps(choice.values[0])}:"
            yield f"    console.log({_js(one_line(choice.message.name))}, message);"
            yield "    break;"
        yield "}"

    # --- the command line ---------------------------------------------------------------------------------------------

    def command(self, channel: ir.Channel) -> str:
        """The command that connects to the endpoint."""
        parts = [f"sockspec connect {_shell(self._source)}"]
        if len(self._api.channels) > 1:
            parts.append(f"--channel {_shell(channel.name)}")
        server = self._server(channel)
        if server is None:
            parts.append("--url ws://127.0.0.1:8765")
        parts += [
            f"--param {_shell(f'{one.wire_name}={initial(one) or one.wire_name.upper()}')}"
            for one in (*channel.parameters, *channel.query, *channel.headers)
            if one.required and one.default is None
        ]
        command = " \\\n    ".join(parts)
        return f"export SOCKSPEC_TOKEN=TOKEN\n{command}\n" if self._has_token(channel) else f"{command}\n"


def _js(text: str) -> str:
    return json.dumps(text)


def _shell(text: str) -> str:
    return shlex.quote(one_line(text))
