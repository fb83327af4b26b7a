"""URLs, hosts and addresses as people write them, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARAMETER = re.compile(r"\{([^{}]*)\}")
"""A parameter in an address, a host or a path."""

_URL = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*|\{[^{}]+\})://)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_PATH = re.compile(r"()([^?#]{0})([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_PATH_LIKE = re.compile(r"[\w.~%{}-]+(?:/[\w.~%{}-]*)+")
_VERSION = re.compile(r"v\d+(\.\d+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL, or of a piece of one."""

    scheme: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]
    fragment: str


def split(written: str, *, has_host: bool = True) -> Url:
    """The parts of a URL; without a host it begins with the path."""
    match = (_URL if has_host else _PATH).fullmatch(written.strip())
    if match is None:
        return Url("", "", "", (), "")
    scheme, host, path, query, fragment = match.groups(default="")
    pairs = (pair.partition("=") for pair in query.removeprefix("?").split("&") if pair)
    return Url(scheme.lower(), host, path, tuple((name, value) for name, _, value in pairs if name), fragment)


def is_absolute(address: str) -> bool:
    """Whether an address is a whole URL."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", address) is not None


def is_path(address: str) -> bool:
    """Whether an address is a path, even without its first `/`; else it is a bare name such as `trades.{pair}`."""
    return not address or address[0] in "/?" or is_absolute(address) or _PATH_LIKE.fullmatch(address) is not None


def fixed_part(path: str) -> str:
    """The last part of a path that says something: no parameter and no version; empty where there is none."""
    parts = [PARAMETER.sub("", part).strip(".-_:[]@") for part in path.split("/")]
    return next((part for part in reversed(parts) if _is_telling(part)), "")


def _is_telling(part: str) -> bool:
    return any(character.isalnum() for character in part) and _VERSION.fullmatch(part) is None
