"""How rules say what is wrong with many parts of a document: of each, or once where it is wrong with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sockspec.diagnostics import Code, Diagnostic, Location
from sockspec.spec.text import quoted

_MANY = 5
"""Of more than so many parts that all lack the same, it is said once."""
_SHOWN = 3


def each_or_all(
    code: Code, broken: Sequence[tuple[Location, str]], count: int, of_all: str, *, hint: str = ""
) -> Iterator[Diagnostic]:
    """A finding for each place with its message, or `of_all` at the first of them where all parts are broken.

    `count` says how many parts there are. Whoever leaves something out everywhere has decided so, and need not read it
    hundreds of times.
    """
    if len(broken) == count > _MANY:
        first, *others = (place for place, _ in broken)
        yield code.at(first, of_all, hint=hint, related=others[:_SHOWN])
        return
    for place, message in broken:
        yield code.at(place, message, hint=hint)


def listed(names: Iterable[str], *, most: int = _SHOWN) -> str:
    """Names as they were written, and how many more there are."""
    every = [*names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(map(quoted, every[:most])) + more


def counted(count: int, one: str, several: str = "") -> str:
    """`1 property`, `3 properties`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
