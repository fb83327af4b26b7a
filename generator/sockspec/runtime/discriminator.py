"""Which of the messages of a direction a payload may be, by its tags and by its shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Final, NoReturn

import msgspec
from msgspec import UNSET, Raw, Struct

from sockspec.runtime.lanes import Lane, insisting, typed_decoder

Path = tuple[str | int, ...]
"""Wire names from the payload's root to a value; a position where the payload is an array."""
Key = tuple[object, object]
"""The value of the tag, and that of the second tag or None."""

_NO_KEY: Final[Key] = (UNSET, None)


class Discriminator:
    """Looks at the tags first; where they do not decide, at the properties that messages require, the most first."""

    def __init__(self, lanes: Iterable[Lane], tag: str | Path, second: str | Path, position: int | None) -> None:
        """`tag` and `second` are wire names or paths of them; `position` is the item that is an array's tag."""
        self._lanes = tuple(lanes)
        self.tag: Path = _path(tag)
        self._second = _path(second)
        self._position = position

    @cached_property
    def typed(self) -> Callable[[str], Any]:
        """Decodes what the typed lane judges and a tag decides; raises one of `REFUSALS` for all else."""
        if len(self._lanes) == 1:
            only = self._lanes[0].entry
            return self._lanes[0].typed if only.lane == "typed" and only.content == "json" else _refuse
        classes = self._tagged_classes()
        if classes:
            return typed_decoder(insisting(classes))
        paths = [path for path in (self.tag, self._second) if path]
        if self._position is not None and not paths:
            return self._peeking(_array_peek(self._position), 1)
        return self._peeking(_object_peek(paths), len(paths)) if paths else _refuse

    def candidates(self, value: object) -> Iterator[Lane]:
        """The messages that a payload may be, the likeliest first."""
        tagged = self._by_mark if isinstance(value, list) else self._by_tag
        key = self._key(value)
        first = _find(tagged, key)
        yield from first
        names = frozenset(value) if isinstance(value, dict) else None
        for lane in self._shaped:
            entry = lane.entry
            is_mark = isinstance(value, list)
            tags = entry.marks if is_mark else entry.tags
            # A schema that requires properties need not say that it wants an object.
            fits = names is None or lane.required <= names
            if fits and lane not in first and (not tags or key[0] is UNSET):
                yield lane

    def refusal(self, value: dict[Any, Any]) -> str:
        """Why no message comes into question for an object."""
        known = ", ".join(repr(tag) for tag in list(dict.fromkeys(first for first, _ in self._by_tag))[:_MOST_NAMES])
        if not known:
            return "the payload has the required properties of no message"
        place = ".".join(map(str, self.tag))
        found = "is missing" if _at(value, self.tag) is UNSET else "names no message that is known here"
        return f"the property {place!r} {found}; expected {known}"

    def _key(self, value: object) -> Key:
        """The tags of a payload; what is no tag at all counts as absent."""
        if isinstance(value, list):
            path: Path = (self._position,) if self._position is not None else ()
            return (_at(value, path), None) if path else _NO_KEY
        if not self.tag:
            return _NO_KEY
        return _at(value, self.tag), (_at(value, self._second) if self._second else None)

    def _tagged_classes(self) -> tuple[type[Struct], ...]:
        """The classes that msgspec itself tells apart by one property; none where it takes more than that."""
        if len(self.tag) != 1 or self._second:
            return ()
        classes: dict[object, type[Struct]] = {}
        for lane in self._lanes:
            entry, config = lane.entry, lane.entry.message.__struct_config__
            alone = len(self._by_tag.get((config.tag, None), ())) == 1
            if entry.lane == "typed" and config.tag_field == self.tag[0] and alone:
                classes[config.tag] = entry.message
        return tuple(classes.values())

    def _peeking(self, peek: Callable[[str], tuple[object, ...]], tags: int) -> Callable[[str], Any]:
        """Decodes in two passes: the tags alone, then the one message that they name."""
        index = self._by_tag if self.tag else self._by_mark
        decoders = {key: lanes[0].typed for key, lanes in index.items() if len(lanes) == 1 and _is_typed(lanes[0])}
        single = tags == 1

        def decode(text: str) -> Any:
            found = peek(text)
            key = (found[0], None) if single else (found[0], found[1])
            decoder = decoders.get(key) or decoders.get((found[0], None))
            return decoder(text) if decoder is not None else _refuse(text)

        return decode

    @cached_property
    def _by_tag(self) -> dict[Key, tuple[Lane, ...]]:
        return _index((lane, lane.entry.tags) for lane in self._lanes)

    @cached_property
    def _by_mark(self) -> dict[Key, tuple[Lane, ...]]:
        return _index((lane, lane.entry.marks) for lane in self._lanes)

    @cached_property
    def _shaped(self) -> tuple[Lane, ...]:
        """The JSON messages that a payload without a tag may be, those that require most first."""
        lanes = [lane for lane in self._lanes if lane.entry.content == "json"]
        open_lanes = [x for x in lanes if not (x.entry.tags or x.entry.marks) or not x.entry.tag_required]
        return tuple(sorted(open_lanes, key=lambda lane: -len(lane.required)))


_MOST_NAMES: Final = 20
"""How many known tags a problem lists."""


def _path(tag: str | Path) -> Path:
    return ((tag,) if tag else ()) if isinstance(tag, str) else tag


def _is_typed(lane: Lane) -> bool:
    return lane.entry.lane == "typed" and lane.entry.content == "json"


def _at(value: object, path: Path) -> object:
    """The tag at a path; UNSET where there is none, or none that can be a tag."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step, UNSET)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return UNSET
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else UNSET


def _find(index: dict[Key, tuple[Lane, ...]], key: Key) -> tuple[Lane, ...]:
    """The messages of a pair of tags, then those that ask for the first alone."""
    first, second = key
    return index.get(key, ()) if second is None else (*index.get(key, ()), *index.get((first, None), ()))


def _index(entries: Iterable[tuple[Lane, tuple[Any, ...]]]) -> dict[Key, tuple[Lane, ...]]:
    index: dict[Key, tuple[Lane, ...]] = {}
    for lane, tags in entries:
        for tag in tags:
            key = tag if isinstance(tag, tuple) else (tag, None)
            index[key] = (*index.get(key, ()), lane)
    return index


def _refuse(text: str) -> NoReturn:
    raise msgspec.ValidationError


def _object_peek(paths: list[Path]) -> Callable[[str], tuple[object, ...]]:
    """Reads the values at paths of an object, and nothing else of it."""
    branches: dict[str, Any] = {}
    for path in paths:
        branch = branches
        for step in path[:-1]:
            branch = branch.setdefault(str(step), {})
        branch[str(path[-1])] = None
    decode = msgspec.json.Decoder(_peeked(branches)).decode
    readers = [_reader(branches, path) for path in paths]

    def peek(text: str) -> tuple[object, ...]:
        peeked = decode(text)
        return tuple(reader(peeked) for reader in readers)

    return peek


def _peeked(branches: dict[str, Any]) -> Any:
    """A class with one member for each branch, whatever its wire name."""
    members: list[Any] = []
    for at, (wire_name, inner) in enumerate(branches.items()):
        of = _Tag if inner is None else _peeked(inner)
        members.append((f"at_{at}", of, msgspec.field(name=wire_name, default=None)))
    return msgspec.defstruct("Peek", members)


_Tag: Final[Any] = str | int | float
"""What a tag is on the wire."""


def _reader(branches: dict[str, Any], path: Path) -> Callable[[Any], object]:
    names: list[str] = []
    for step in path:
        names.append(f"at_{list(branches).index(str(step))}")
        branches = branches[str(step)] or {}

    def read(peeked: Any) -> object:
        for name in names:
            peeked = getattr(peeked, name, None)
        found: object = peeked
        return found

    return read


def _array_peek(position: int) -> Callable[[str], tuple[object, ...]]:
    """Reads one item of an array, and nothing else of it."""
    members: list[Any] = [(f"at_{at}", Raw) for at in range(position)]
    peek: Any = msgspec.defstruct("Peek", [*members, ("tag", _Tag)], array_like=True)
    decode: Callable[[str], Any] = msgspec.json.Decoder(peek).decode
    return lambda text: (decode(text).tag,)
