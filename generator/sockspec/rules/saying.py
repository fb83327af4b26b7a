"""How rules say what is wrong with many parts of a document: of each, or once where it is wrong with most of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sockspec.diagnostics import Code, Diagnostic, Location
from sockspec.spec.text import quoted

_MANY = 5
"""Of more than so many parts that lack the same, it is said once, if they are at least half of all."""
_MOST = 12
"""Of more than so many it is said once in any case."""
_SHOWN = 3


def each_or_most(
    code: Code, broken: Sequence[tuple[Location, str]], count: int | None, lack: str, *, hint: str = ""
) -> Iterator[Diagnostic]:
    """A finding for each place with its message, or one at the first of them where most parts are broken.

    `count` says how many parts there are, None where only the broken ones are parts, and `lack` what they are and lack:
    `messages lack a 'timestamp'`. Whoever leaves something out nearly everywhere has decided so, and need not read it
    hundreds of times.
    """
    if len(broken) > _MANY and (2 * len(broken) >= (count or 0) or len(broken) > _MOST):
        first, *others = (place for place, _ in broken)
        of = f"all {count:,}" if len(broken) == count else f"{len(broken):,} of the {count:,}" if count else ""
        who = of or f"{len(broken):,}"
        yield code.at(first, f"{who} {lack}", hint=hint, related=others[:_SHOWN])
        return
    for place, message in broken:
        yield code.at(place, message, hint=hint)


def listed(names: Iterable[str], *, most: int = _SHOWN) -> str:
    """Names as they were written, and how many more there are."""
    every = [*names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(map(quoted, every[:most])) + more
