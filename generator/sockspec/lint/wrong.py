"""Wrong usage of the linter: nothing that a document has to do with."""

from __future__ import annotations

from collections.abc import Iterable

from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest


class WrongUsage(Exception):
    """A configuration, an option, a baseline or a package of rules that cannot be used; the text says why."""


def unknown(what: str, written: str, known: Iterable[str]) -> WrongUsage:
    """Something was named that does not exist; the nearest name is offered, else all are where they are few."""
    names = list(known)
    near = nearest(written, names)
    if near is not None:
        return WrongUsage(f"there is no {what} {quoted(written)}; did you mean {quoted(near)}?")
    listed = f"; there are: {', '.join(names)}" if names and len(names) <= 10 else ""
    return WrongUsage(f"there is no {what} {quoted(written)}{listed}")
