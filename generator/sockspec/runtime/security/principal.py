"""Who is at the other end of a connection."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import TypeVar
else:
    from typing import TypeVar as _TypeVar

    def TypeVar(name, **arguments):
        """Defaults are for type checkers; before Python 3.13 there are none at run time."""
        arguments.pop("default", None)
        return _TypeVar(name, **arguments)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who connects. An application that knows more derives a class of its own, and names it: `ChatServer[User]`."""

    id: str = ""
    """What the limits for one principal count by; empty for somebody unknown."""
    scopes: frozenset[str] = frozenset()
    """What they may do, in the terms of the document."""
    expires: dt.datetime | None = None
    """When that ends, with a time zone; None for never. The connection is then closed, unless it is renewed."""

    def __post_init__(self) -> None:
        """Raises ValueError for a time without a zone."""
        if self.expires is not None and self.expires.tzinfo is None:
            raise ValueError(f"expires={self.expires} has no time zone, such as datetime.UTC")


ANONYMOUS = Principal()
"""Whoever connects to an endpoint that asks for no credentials."""

P = TypeVar("P", bound=Principal, default=Principal)
"""The application's class of principals."""
