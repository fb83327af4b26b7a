"""The security schemes of a document: where each finds its credentials in a handshake, and who verifies them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sockspec.runtime.handshake import Handshake

SUBPROTOCOL: Final = "sockspec"
"""The subprotocol that clients offer which can offer nothing else, to have one that the server can choose."""
TOKEN_SUBPROTOCOL: Final = "sockspec.bearer."
"""What precedes a token, in unpadded base64url, among the subprotocols that a browser offers."""

_UNQUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]")
"""What cannot stand in a quoted string of a header (RFC 9110, section 5.6.4) as it is."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A scheme that has to be met, and the scopes that it has to grant."""

    scheme: str
    scopes: tuple[str, ...] = ()


Security = tuple[tuple[Requirement, ...], ...]
"""Alternatives: all requirements of one of them have to be met. An empty one is always met; none asks for nothing."""


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """A user and a password (RFC 7617)."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scheme:
    """Something that only the application understands: certificates, signatures and the like.

    `verify` names the method of the server that gets what is found. Here, that is the handshake alone.
    """

    name: str
    verify: str

    @property
    def challenge(self) -> str:
        """What a refusal says in `WWW-Authenticate`; empty for nothing."""
        return ""

    @property
    def is_ambient(self) -> bool:
        """Whether browsers send the credentials by themselves, also for pages of others."""
        return False

    def find(self, handshake: Handshake[Any], token_in_query: str) -> tuple[object, ...] | None:
        """The credentials as arguments for `verify`; None when there are none."""
        return ()


@dataclass(frozen=True, slots=True)
class CertificateScheme(Scheme):
    """A certificate of the client (mutual TLS).

    `verify` gets the handshake, whose `peer_certificate` it is; or its headers tell of it, behind a proxy that terminates
    TLS.
    """

    @property
    def is_ambient(self) -> bool:
        """Browsers show certificates for any page, once their user has chosen one."""
        return True


@dataclass(frozen=True, slots=True)
class BearerScheme(Scheme):
    """A token: from the `Authorization` header, from a subprotocol, and, where that is wanted, from the query."""

    @property
    def challenge(self) -> str:
        """See RFC 6750, section 3."""
        return "Bearer"

    def find(self, handshake: Handshake[Any], token_in_query: str) -> tuple[object, ...] | None:
        """The token."""
        token = handshake.bearer_token or token_in_subprotocols(handshake)
        if not token and token_in_query:
            token = handshake.query.get(token_in_query)
        return (token,) if token else None


@dataclass(frozen=True, slots=True)
class BasicScheme(Scheme):
    """A user and a password, from the `Authorization` header."""

    @property
    def challenge(self) -> str:
        """See RFC 7617, section 2."""
        return 'Basic realm="WebSocket", charset="UTF-8"'

    @property
    def is_ambient(self) -> bool:
        """Browsers remember a password, and send it for any page."""
        return True

    def find(self, handshake: Handshake[Any], token_in_query: str) -> tuple[object, ...] | None:
        """The credentials."""
        kind, _, encoded = handshake.headers.get("authorization", "").strip().partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        username, colon, password = text.partition(":")
        return (BasicCredentials(username, password),) if colon else None


@dataclass(frozen=True, slots=True)
class KeyScheme(Scheme):
    """A key in a header, in the query or in a cookie."""

    parameter: str
    place: Literal["header", "query", "cookie"] = "header"

    @property
    def challenge(self) -> str:
        """No standard has a word for keys (RFC 9110, section 11.6.1, wants one), so this says where the key goes.

        For cookies it is the one of draft-broyer-http-cookie-auth.
        """
        name = f'"{_UNQUOTABLE.sub("", self.parameter)}"'
        if self.place == "cookie":
            return f'Cookie realm="WebSocket", cookie-name={name}'
        return f'ApiKey realm="WebSocket", in="{self.place}", name={name}'

    @property
    def is_ambient(self) -> bool:
        """Cookies are."""
        return self.place == "cookie"

    def find(self, handshake: Handshake[Any], token_in_query: str) -> tuple[object, ...] | None:
        """The key."""
        match self.place:
            case "header":
                key = handshake.headers.get(self.parameter)
            case "query":
                key = handshake.query.get(self.parameter)
            case "cookie":
                key = _cookie(handshake, self.parameter)
        return (key,) if key else None


def token_in_subprotocols(handshake: Handshake[Any]) -> str | None:
    """The token that a browser sent as a subprotocol, since it can set no headers; None when there is none."""
    for name in handshake.subprotocols:
        if name.startswith(TOKEN_SUBPROTOCOL):
            encoded = name.removeprefix(TOKEN_SUBPROTOCOL)
            try:
                return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode() or None
            except (binascii.Error, ValueError):
                return None
    return None


def _cookie(handshake: Handshake[Any], name: str) -> str | None:
    """The value of a cookie. What others have set there, and no standard allows, does not matter (RFC 6265, section 5.2)."""
    for line in handshake.headers.all("cookie"):
        for pair in line.split(";"):
            key, equals, value = (text.strip() for text in pair.partition("="))
            if equals and key == name:
                return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return None
