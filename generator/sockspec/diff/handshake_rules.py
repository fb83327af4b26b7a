"""The rules for changes of the handshake: servers, addresses, parameters, subprotocols, credentials."""

from __future__ import annotations

from sockspec.diagnostics import Severity
from sockspec.diff.rule import Category, table

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

SERVERS = table(
    Category.HANDSHAKE,
    (
        (
            "server-removed",
            _ERROR,
            "A server is not there any more, under its URL or another one of its name.",
            "Clients that connect to it find nobody.",
            "Keep it until nobody connects to it.",
        ),
        ("server-added", _INFO, "There is another server.", "Clients go on as they were.", ""),
        (
            "server-url-changed",
            _ERROR,
            "A server has another host, port or path. The names of variables in its URL do not count.",
            "Clients connect to the URL that they were made with.",
            "Serve both URLs for a while: list the new one as another server.",
        ),
        (
            "server-protocol-changed",
            _ERROR,
            "A server speaks `ws` where it spoke `wss`, or the other way about.",
            (
                "A client with the old scheme cannot connect. From `wss` to `ws`, what clients and server say, credentials "
                "among it, can be read on the way."
            ),
            "Keep `wss`. To give up `ws`, serve both for a while.",
        ),
        (
            "server-variable-value-removed",
            _ERROR,
            "A variable in the URL of a server may not have a value any more that it could have.",
            "Clients that give that value find nobody.",
            "Keep the value until nobody uses it.",
        ),
        (
            "server-variable-value-added",
            _INFO,
            "A variable in the URL of a server may have more values.",
            "Clients go on as they were.",
            "",
        ),
        (
            "server-variable-default-changed",
            _WARNING,
            "A variable in the URL of a server has another default, or none any more.",
            (
                "Clients that are made anew and give no value connect to somewhere else. Those that are out there keep the "
                "old default."
            ),
            "Say so in the release notes.",
        ),
    ),
)

CHANNELS = table(
    Category.HANDSHAKE,
    (
        (
            "channel-removed",
            _ERROR,
            "A channel is not there any more, under its address or another one of its name.",
            "Clients that connect to it are refused.",
            "Say in its description that it will go, and remove it when nobody connects to it any more.",
        ),
        ("channel-added", _INFO, "There is another channel.", "Clients go on as they were.", ""),
        (
            "channel-address-changed",
            _ERROR,
            (
                "A channel has another address. The names of its path parameters do not count, and neither does it matter "
                "whether a part of the path stands with the server or with the channel."
            ),
            "Clients connect to the address that they were made with.",
            "Serve both addresses for a while: add the new one as another channel.",
        ),
        (
            "channel-server-removed",
            _ERROR,
            "A server that is still there does not have a channel any more.",
            "Clients that connect to the channel there are refused.",
            "Keep the channel on the server until nobody connects to it there.",
        ),
        ("channel-server-added", _INFO, "Another server has a channel.", "Clients go on as they were.", ""),
        (
            "parameter-required-added",
            _ERROR,
            "The handshake asks for a query parameter or a header that it did not know.",
            "Clients do not send it, and are refused.",
            "Make it optional, with a default that means what was meant before.",
        ),
        (
            "parameter-optional-added",
            _INFO,
            "The handshake takes another optional query parameter or header.",
            "Clients do not send it, and need not.",
            "",
        ),
        (
            "parameter-became-required",
            _ERROR,
            "A query parameter or a header is required that was optional.",
            "Clients that leave it out are refused.",
            "Keep it optional, with a default.",
        ),
        (
            "parameter-became-optional",
            _INFO,
            "A query parameter or a header is optional that was required.",
            "Clients go on sending it.",
            "",
        ),
        (
            "parameter-removed",
            _WARNING,
            "The handshake does not know a query parameter or a header any more.",
            (
                "Clients go on sending it. Servers usually ignore what they do not know, so nobody is told that it has no "
                "effect."
            ),
            "Mark it deprecated in its description first.",
        ),
        (
            "parameter-narrowed",
            _ERROR,
            "A parameter of the path, the query or the headers may not have all values any more that it could have.",
            "Clients that send such a value are refused.",
            "Go on taking the old values.",
        ),
        (
            "parameter-widened",
            _INFO,
            "A parameter of the path, the query or the headers may have more values.",
            "What clients send is among them.",
            "",
        ),
        (
            "parameter-unproven",
            _WARNING,
            (
                "The type of a parameter changed in a way of which it cannot be proven that the old values are still "
                "taken, such as another regular expression."
            ),
            "Clients may be refused.",
            "Compare the two by hand, and note in the ignore list what you found.",
        ),
        (
            "parameter-default-changed",
            _WARNING,
            "A parameter means something else when it is left out.",
            "Clients that leave it out get something else than before.",
            "Keep the default.",
        ),
        (
            "subprotocol-removed",
            _ERROR,
            "The server does not speak a subprotocol any more.",
            (
                "A client that offers only that one ends the handshake when the server chooses none (RFC 6455, section 4.1), "
                "or talks in a format that the server does not read."
            ),
            "Keep it until nobody offers it.",
        ),
        (
            "subprotocol-added",
            _INFO,
            "The server speaks another subprotocol.",
            "Clients offer those that they know.",
            "",
        ),
    ),
)

SECURITY = table(
    Category.HANDSHAKE,
    (
        (
            "security-added",
            _ERROR,
            "Credentials are asked for where none were needed.",
            "Clients send none, and are refused.",
            "Allow both for a while, with an empty alternative (`{}`), and tell clients to send credentials.",
        ),
        (
            "security-removed",
            _WARNING,
            "No credentials are asked for any more.",
            "Clients go on sending theirs, which is no harm to them. Everybody else may come in as well.",
            "Make sure that this is meant.",
        ),
        (
            "security-alternative-removed",
            _ERROR,
            "A way to authenticate is not accepted any more.",
            "Clients that use it are refused.",
            "Go on accepting it until nobody uses it.",
        ),
        (
            "security-alternative-added",
            _WARNING,
            "Another way to authenticate is accepted.",
            "Clients go on as they were. There is another way in.",
            "Make sure that the new way is as strong as the old ones.",
        ),
        (
            "security-scope-added",
            _ERROR,
            "Credentials have to grant a scope that they did not need.",
            "Clients whose credentials do not grant it are refused.",
            "Grant the new scope to the old credentials first.",
        ),
        (
            "security-scope-removed",
            _WARNING,
            "Credentials need not grant a scope any more.",
            "Clients go on as they were. Others may come in with less.",
            "Make sure that this is meant.",
        ),
    ),
)

HANDSHAKE = {**SERVERS, **CHANNELS, **SECURITY}
