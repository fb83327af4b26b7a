"""Names that are used, beside those that are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sockspec.spec.node import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest


def undeclared(used: Iterable[str], declared: Mapping[str, Node]) -> dict[str, str | None]:
    """The names that nothing declares, each with the declared one that was probably meant.

    What is used itself was not meant by another name.
    """
    names = dict.fromkeys(used)
    idle = [name for name in declared if name not in names]
    return {name: nearest(name, idle) for name in names if name not in declared}


def unused(used: Iterable[str], declared: Mapping[str, Node]) -> list[str]:
    """The declared names that nothing uses, without those that were probably meant by names that nothing declares."""
    names = dict.fromkeys(used)
    meant = set(undeclared(names, declared).values())
    return [name for name in declared if name not in names and name not in meant]


def did_you_mean(name: str | None, form: str = "{}") -> str:
    """The hint that a name was probably meant; empty where none was."""
    return f"did you mean {quoted(form.format(name))}?" if name is not None else ""
