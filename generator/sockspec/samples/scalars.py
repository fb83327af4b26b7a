"""Single values within the limits of schemas: texts, numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

from sockspec.samples import expressions
from sockspec.samples.expressions import LONGEST, TooLong

Parts = Sequence[dict[str, Any]]
"""Schemas without alternatives that all hold together."""

_WORDS: Final = ("text", "hello", "sample", "lobby", "ann", "blue", "seven", "north")
_FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "date-time": ("2025-03-01T10:05:12Z", "2024-12-31T23:59:59.5+01:00", "1999-01-01T00:00:00Z"),
    "date": ("2025-03-01", "2024-02-29", "1999-12-31"),
    "time": ("10:05:12", "23:59:59", "00:00:00"),
    "uuid": ("0b7d3c1e-52f4-4e0a-9a51-6f0d8c2b7e11", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
    "byte": ("aGVsbG8=", "", "c2FtcGxl", "AAECAw=="),
    "decimal": ("1.5", "0", "-12.75", "100"),
    "email": ("ann@example.com", "bob@example.org"),
    "idn-email": ("ann@example.com",),
    "hostname": ("example.com", "www.example.org"),
    "idn-hostname": ("example.com",),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1", "2001:db8::7"),
    "uri": ("https://example.com/a", "https://example.org/b?c=d"),
    "uri-reference": ("/a", "https://example.com/a"),
    "iri": ("https://example.com/a",),
    "url": ("https://example.com/a",),
    "uri-template": ("https://example.com/{a}",),
    "json-pointer": ("/a/0", ""),
    "regex": ("^a+$",),
    "duration": ("PT1H", "P1D"),
    "binary": ("sample",),
    "password": ("a secret word",),
}
"""Texts of each format. Those that the judge does not know are shown properly too: servers may know them."""


def least(parts: Parts, keyword: str, default: int = 0) -> int:
    """The strongest of some lower bounds."""
    return max((math.ceil(p[keyword]) for p in parts if _is_number(p.get(keyword))), default=default)


def most(parts: Parts, keyword: str) -> int | None:
    """The strongest of some upper bounds; None without one."""
    return min((math.floor(p[keyword]) for p in parts if _is_number(p.get(keyword))), default=None)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


# --- texts -----------------------------------------------------------------------------------------------------------


def texts(parts: Parts, rng: random.Random, *, plain: bool) -> Iterator[str]:
    """Texts that probably fit, the most readable first; plain ones are the same for every seed."""
    low, high = least(parts, "minLength"), most(parts, "maxLength")
    if low > LONGEST:
        raise TooLong(f"a text of {low} characters is asked for")
    patterns = [p["pattern"] for p in parts if isinstance(p.get("pattern"), str)]
    formats = [f for p in parts if isinstance(f := p.get("format"), str)]
    for name in formats:
        yield from _shuffled(_FORMATS.get(name, ()), rng, plain=plain)
        if name == "byte":
            yield "AAAA" * math.ceil(low / 4)
        elif name == "decimal":
            yield "1" * max(low, 1)
    if not patterns:
        yield from _sized(_shuffled(_WORDS, rng, plain=plain), low, high)
    yield from _of_patterns(patterns, rng, low, high, plain=plain)


def _shuffled(given: Sequence[str], rng: random.Random, *, plain: bool) -> list[str]:
    return list(given) if plain else rng.sample(list(given), len(given))


def _sized(words: list[str], low: int, high: int | None) -> Iterator[str]:
    for word in words:
        long = word if len(word) >= low else (word * (low // len(word) + 1))[:low]
        yield long if high is None else long[: max(high, 0)]


def _of_patterns(patterns: list[str], rng: random.Random, low: int, high: int | None, *, plain: bool) -> Iterator[str]:
    given = random.Random(0) if plain else rng
    for more in ((0, 1, 3) if plain else (1, 3, 3)) + (0, 1, 2, 4, 8, 16, 40):
        for pattern in patterns:
            try:
                made = expressions.text(pattern, given, more=more, least=low)
            except ValueError:
                continue
            yield made
            if len(made) < low:
                yield from (made + "a" * (low - len(made)), "a" * (low - len(made)) + made)
            elif high is not None and len(made) > high:
                yield from (made[:high], made[-high:] if high else "")


# --- numbers ---------------------------------------------------------------------------------------------------------


def numbers(parts: Parts, rng: random.Random, *, plain: bool, whole: bool) -> Iterator[int | float]:
    """Numbers that probably fit, the most readable first."""
    low, high = _bound(parts, "inimum", max), _bound(parts, "aximum", min)
    steps = [abs(exact(p["multipleOf"])) for p in parts if _is_number(p.get("multipleOf")) and p["multipleOf"]]
    step = _together([*steps, Fraction(1)] if whole else steps)
    grain = step or Fraction(1)
    first = [*_near(low, grain), *_near(high, grain)]
    if low is not None and high is not None:
        first.append((low + high) / 2)
    span = _window(low, high, grain)
    drawn = [span[0] + grain * rng.randint(0, span[1]) for _ in range(6)]
    small = [Fraction(n) for n in (1, 0, 2, 10, 100)] if whole else [Fraction(3, 2), Fraction(1), Fraction(0)]
    for candidate in [*small, *first, *drawn] if plain else [*drawn, *first, *small]:
        on_step = candidate if step is None else round(candidate / step) * step
        if (low is None or on_step >= low) and (high is None or on_step <= high):
            yield number(on_step)


def exact(value: float | int) -> Fraction:
    """The number that is written, and not the binary one nearest to it."""
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def number(value: Fraction) -> int | float:
    """A JSON number; whole ones are written without a point."""
    return value.numerator if value.denominator == 1 else float(value)


def _bound(parts: Parts, word: str, strongest: Callable[[list[Fraction]], Fraction]) -> Fraction | None:
    keywords = [f"{prefix}{word}" for prefix in ("m", "exclusiveM")]
    found = [exact(p[k]) for p in parts for k in keywords if _is_number(p.get(k))]
    return strongest(found) if found else None


def _near(bound: Fraction | None, grain: Fraction) -> list[Fraction]:
    if bound is None:
        return []
    return [bound, bound + grain, bound - grain, bound + grain / 2, bound - grain / 2, bound + Fraction(1, 1000)]


def _window(low: Fraction | None, high: Fraction | None, grain: Fraction) -> tuple[Fraction, int]:
    """Where to draw numbers from, and how many grains wide."""
    start = low if low is not None else (high - 100 * grain if high is not None else Fraction(0))
    stop = high if high is not None else start + 100 * grain
    return start, max(0, min(1_000, int((stop - start) / grain)))


def _together(steps: list[Fraction]) -> Fraction | None:
    """The least step that is a multiple of all."""
    if not steps:
        return None
    bottom = math.lcm(*(s.denominator for s in steps))
    return Fraction(math.lcm(*(int(s * bottom) for s in steps)), bottom)
