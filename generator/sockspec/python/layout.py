"""Laying out code on lines as formatters do: on one line where it fits, else broken where they would break it.

Elements between brackets go on lines of their own with a comma after the last one, which formatters leave as it is.
"""

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
class Either:
    """Types of which a value has one: operands of `|`."""

    operands: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Pieces of code one after the other."""

    pieces: tuple[Code, ...]


Code = str | Group | Either | Joined

_MOST_OPERANDS = 400
"""Operands of `|` that Python compiles without running out of stack."""


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
    return Joined(pieces)


def tuple_of(items: Iterable[Code]) -> Group:
    """A tuple. The comma behind a lone item is what makes it one."""
    found = tuple(items)
    if len(found) == 1:
        return Group("(", (joined(found[0], ","),), ")", comma=False)
    return Group("(", found, ")")


def either(*types: Code) -> Code:
    """A union. `None` stands last, where readers look for it."""
    operands: dict[Code, None] = {}
    for one in types:
        operands.update(dict.fromkeys(one.operands if isinstance(one, Either) else (one,)))
    if "None" in operands:
        del operands["None"]
        operands["None"] = None
    if len(operands) > _MOST_OPERANDS:
        return subscript("Union", *operands)
    return next(iter(operands)) if len(operands) == 1 else Either(tuple(operands))


def flat(code: Code) -> str:
    """The code on one line."""
    match code:
        case str():
            return code
        case Joined():
            return "".join(flat(piece) for piece in code.pieces)
        case Either():
            return " | ".join(flat(operand) for operand in code.operands)
        case Group():
            return code.opening + ", ".join(flat(element) for element in code.elements) + code.closing


def lay(code: Code, indent: int = 0, *, room: int = 0) -> str:
    """The code at an indentation, without that of its first line; `room` is what follows it on its last line."""
    one = flat(code)
    if indent + len(one) + room <= WIDTH:
        return one
    match code:
        case str():
            return one
        case Group():
            return exploded(code, indent)
        case Either():
            return f"\n{' ' * indent}| ".join(lay(operand, indent, room=2) for operand in code.operands)
        case Joined():
            return _lay_pieces(code.pieces, indent, room)


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


def statement(target: str, annotation: Code | None, value: Code | None, indent: int = 0) -> str:
    """An assignment with an annotation, or either of the two alone."""
    head = target if annotation is None else f"{target}: {flat(annotation)}"
    if value is None:
        return head if indent + len(head) <= WIDTH or annotation is None else _annotated(target, annotation, "", indent)
    one = f"{head} = {flat(value)}"
    if indent + len(one) <= WIDTH:
        return one
    opening = value.opening if isinstance(value, Group) and value.elements else "("
    if isinstance(value, Group) and value.elements and indent + len(f"{head} = {opening}") <= WIDTH:
        return f"{head} = {exploded(value, indent)}"
    fits_alone = not isinstance(value, str) or indent + 4 + len(value) <= WIDTH
    if indent + len(f"{head} = (") <= WIDTH and fits_alone:
        return f"{head} = {_parenthesized(value, indent)}"
    if annotation is None:
        return one
    tail = flat(value)
    if isinstance(value, Group) and indent + len(f"] = {tail}") > WIDTH:
        tail = exploded(value, indent)
    return _annotated(target, annotation, f" = {tail}", indent)


def signature(function: str, parameters: tuple[Code, ...], returns: Code, indent: int, *, room: int = 0) -> str:
    """The head of a function, up to its colon; `room` is what follows it on the same line."""
    group = Group(f"{function}(", parameters, ")")
    one = f"{flat(group)} -> {flat(returns)}:"
    if indent + len(one) + room <= WIDTH:
        return one
    tail = flat(returns)
    if isinstance(returns, Either) and indent + len(f") -> {tail}:") + room > WIDTH:
        tail = _parenthesized(returns, indent)
    return f"{exploded(group, indent)} -> {tail}:"


def _annotated(target: str, annotation: Code, tail: str, indent: int) -> str:
    """A long annotation, broken inside its brackets or put into parentheses."""
    if isinstance(annotation, Group):
        return f"{target}: {exploded(annotation, indent)}{tail}"
    if isinstance(annotation, str) and indent + 4 + len(annotation) > WIDTH:
        return f"{target}: {annotation}{tail}"
    return f"{target}: {_parenthesized(annotation, indent)}{tail}"


def _parenthesized(code: Code, indent: int) -> str:
    inner = " " * (indent + 4)
    return f"(\n{inner}{lay(code, indent + 4)}\n{' ' * indent})"


def _lay_pieces(pieces: tuple[Code, ...], indent: int, room: int) -> str:
    """Breaks the last piece that can be broken, and those before it while what comes before is still too long."""
    last = max((at for at, piece in enumerate(pieces) if not isinstance(piece, str)), default=-1)
    if last < 0:
        return "".join(map(flat, pieces))
    piece, before = pieces[last], pieces[:last]
    after = "".join(map(flat, pieces[last + 1 :]))
    if isinstance(piece, Group):
        return lay(Joined(before), indent, room=len(piece.opening)) + exploded(piece, indent) + after
    text = "".join(map(flat, before))
    if isinstance(piece, Either):
        first, *rest = piece.operands
        lines = [text + lay(first, indent, room=len(text))]
        lines += [f"{' ' * indent}| {lay(operand, indent, room=2)}" for operand in rest]
        return "\n".join(lines) + after
    return text + lay(piece, indent, room=room + len(after)) + after
