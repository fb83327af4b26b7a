"""What a client proves with who it is, and where that goes in its handshake."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from sockspec.runtime.address import header_line
from sockspec.runtime.security.schemes import BasicCredentials

Token: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token or a key, or what gives one: it is asked at each attempt to connect."""

_COOKIE_OCTETS: Final = "!#$%&'()*+-./:<=>?@[]^_`{|}~"
"""What can stand in a cookie as it is, beside letters and digits (RFC 6265, section 4.1.1)."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, a key or a password in its place. One that is None is not sent."""

    value: Token | None = field(repr=False)
    place: Literal["header", "query", "cookie"] = "header"
    name: str = "Authorization"
    """The header, the parameter of the query or the cookie."""
    prefix: str = ""
    """What stands before it, such as `Bearer `."""

    @property
    def is_renewable(self) -> bool:
        """Whether asking again may give another one."""
        return callable(self.value)

    async def ask(self) -> str:
        """The value as it is now."""
        if self.value is None or isinstance(self.value, str):
            return self.value or ""
        value = self.value()
        return await value if inspect.isawaitable(value) else value


def bearer(token: Token | None) -> Credential:
    """A bearer token (RFC 6750, section 2.1)."""
    return Credential(token, prefix="Bearer ")


def basic(credentials: BasicCredentials | None) -> Credential:
    """A user and a password (RFC 7617)."""
    if credentials is None:
        return Credential(None)
    text = f"{credentials.username}:{credentials.password}".encode()
    return Credential(base64.b64encode(text).decode(), prefix="Basic ")


async def placed(credentials: Iterable[Credential], url: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The URL and the headers with the credentials. Raises what asking for one raises, and ValueError."""
    found = dict(headers)
    query: list[tuple[str, str]] = []
    cookies: list[str] = []
    for credential in credentials:
        if credential.value is None:
            continue
        text = credential.prefix + await credential.ask()
        match credential.place:
            case "header":
                found[credential.name] = header_line(credential.name, text)
            case "query":
                query.append((credential.name, text))
            case "cookie":
                cookies.append(f"{credential.name}={quote(text, safe=_COOKIE_OCTETS)}")
    if cookies:
        found["Cookie"] = "; ".join([*filter(None, [found.get("Cookie", "")]), *cookies])
    if query:
        parts = urlsplit(url)
        url = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query))))))
    return url, found
