"""Laying out code on lines, as formatters would: on one line where it fits, else one element on each line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sockspec.python.literals import WIDTH


@dataclass(frozen=True, slots=True)
class Group:
    """Elements between brackets. `comma` allows one after the last element when they stand on lines of their own."""

    opening: str
    elements: tuple[Code, ...]
    closing: str
    comma: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """Pieces of code one after the other."""

    pieces: tuple[Code, ...]


Code = str | Group | Joined


def call(function: str, *arguments: Code) -> Group:
    """A call."""
    return Group(f"{function}(", arguments, ")")


def subscript(name: str, *arguments: Code) -> Group:
    """A subscript, such as a generic type. A comma after a lone argument would make it a tuple."""
    return Group(f"{name}[", arguments, "]", comma=len(arguments) > 1)


def assigned(name: str, code: Code) -> Joined:
    """A keyword argument."""
    return Joined((f"{name}=", code))


def joined(*pieces: Code) -> Joined:
    """Pieces of code one after the other."""
    plain: list[Code] = []
    for piece in pieces:
        plain += piece.pieces if isinstance(piece, Joined) else (piece,)
    return Joined(tuple(plain))


def flat(code: Code) -> str:
    """The code on one line."""
    if isinstance(code, str):
        return code
    if isinstance(code, Joined):
        return "".join(flat(piece) for piece in code.pieces)
    return code.opening + ", ".join(flat(element) for element in code.elements) + code.closing


def lay(code: Code, indent: int = 0, *, room: int = 0) -> str:
    """The code at an indentation, without that of its first line; `room` is what follows it on its last line."""
    one = flat(code)
    if isinstance(code, str) or indent + len(one) + room <= WIDTH:
        return one
    if isinstance(code, Group):
        return exploded(code, indent)
    last = max((at for at, piece in enumerate(code.pieces) if isinstance(piece, Group) and piece.elements), default=-1)
    if last < 0:
        return one
    group = code.pieces[last]
    assert isinstance(group, Group)
    before = lay(Joined(code.pieces[:last]), indent, room=len(group.opening))
    return before + exploded(group, indent) + flat(Joined(code.pieces[last + 1 :]))


def exploded(group: Group, indent: int = 0) -> str:
    """The group with each element on lines of its own, however short it is."""
    if not group.elements:
        return group.opening + group.closing
    margin = " " * (indent + 4)
    last = len(group.elements) - 1
    lines = [
        margin + lay(element, indent + 4, room=1) + ("," if at < last or group.comma else "")
        for at, element in enumerate(group.elements)
    ]
    return "\n".join([group.opening, *lines, " " * indent + group.closing])
