"""Which of the old is which of the new."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

Key = Callable[[T], Hashable | None]
"""What a thing is known by; None where it has nothing of that kind."""


@dataclass(frozen=True, slots=True)
class Matched(Generic[T]):
    """What is in both versions, and what is only in one, each in the order of its document."""

    pairs: tuple[tuple[T, T], ...]
    removed: tuple[T, ...]
    added: tuple[T, ...]


def match(old: Iterable[T], new: Iterable[T], *keys: Key[T]) -> Matched[T]:
    """Pair things by the first of the keys that they share.

    Each key is tried on all that is left by the one before. Where several things have one key, they are paired in
    order if there are as many on both sides, and else left to the next key.
    """
    olds, news = list(old), list(new)
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for key in keys:
        groups: dict[Hashable, tuple[list[int], list[int]]] = {}
        for at, one in enumerate(olds):
            if at not in partner and (known := key(one)) is not None:
                groups.setdefault(known, ([], []))[0].append(at)
        for at, one in enumerate(news):
            if at not in taken and (known := key(one)) is not None and known in groups:
                groups[known][1].append(at)
        for before, after in groups.values():
            if len(before) == len(after):
                partner.update(zip(before, after, strict=True))
                taken.update(after)
    return Matched(
        tuple((olds[before], news[partner[before]]) for before in sorted(partner)),
        tuple(one for at, one in enumerate(olds) if at not in partner),
        tuple(one for at, one in enumerate(news) if at not in taken),
    )
