"""The close codes of a channel: views of their enumeration, and of what problems lead to which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sockspec import ir
from sockspec.python import literals, naming
from sockspec.python.layout import Code, Group, joined, lay, statement

_MOST_WORDS: Final = 4
"""A meaning of more words is a sentence, and no name."""


@dataclass(frozen=True, slots=True)
class Member:
    """A close code: its assignment and its docstring, which may be empty."""

    code: str
    doc: str


@dataclass(frozen=True, slots=True)
class CloseCodes:
    """The enumeration of the close codes of a channel."""

    head: str
    doc: str
    members: tuple[Member, ...]


def view(channel: ir.Channel, name: str) -> CloseCodes:
    """The enumeration of that name."""
    where = channel.address or channel.name
    members = tuple(
        Member(
            statement(member, None, str(code.code), 4),
            literals.docstring(code.meaning, 4) if code.meaning.strip() else "",
        )
        for code, member in zip(channel.close_codes, members_of(channel), strict=True)
    )
    head = lay(joined(Group(f"class {name}(", ("IntEnum",), ")", comma=False), ":"))
    return CloseCodes(head, literals.docstring(f"Why a connection to {where} is closed, by the document.", 4), members)


def members_of(channel: ir.Channel) -> list[str]:
    """The names of the members: after the problem, after a meaning of a few words, else after the number."""
    scope = naming.Scope(naming.MEMBER_RESERVED)
    return [scope.claim(naming.member_name(_words(code)), f"CODE_{code.code}") for code in channel.close_codes]


def closing(channel: ir.Channel, name: str) -> Code:
    """The close codes by the problems that they stand for, as the runtime has them; empty where there are none."""
    members = zip(channel.close_codes, members_of(channel), strict=True)
    items = [f"{literals.string(code.problem)}: {name}.{member}" for code, member in members if code.problem]
    return Group("{", tuple(items), "}") if items else ""


def _words(code: ir.CloseCode) -> str:
    words = re.findall(r"\w+", code.problem.rpartition("/")[2] or code.meaning)
    return " ".join(words) if 0 < len(words) <= _MOST_WORDS else f"code {code.code}"
