"""The text of `docs/diff-rules.md`, made from the table of changes."""

from __future__ import annotations

import re
from pathlib import Path

from sockspec.diff import RULES, Category, Rule
from sockspec.diff.schemas import KINDS

CASES = Path(__file__).parent / "cases" / "diff"

_INTRODUCTION = """\
# Rules of `sockspec diff`

What changed between two versions of an API, by the rule that stands in each line; see [diff](diff.md) for the command.
An error breaks clients that were made from the old version; a warning may, or nothing proves that it does not; an
information leaves them as they are. Every rule has a case: a folder of `tests/cases/diff` with the two documents and
what is said of them.

This page is made from the program by `make golden`.
"""

_CATEGORIES = {
    Category.HANDSHAKE: ("Handshake", "How a connection comes about: URLs, parameters, subprotocols, credentials."),
    Category.WIRE: (
        "Wire",
        "What travels: messages, how they are told apart, replies, close codes, limits, heartbeats.",
    ),
    Category.SOURCE: ("Source", "Names of the generated package, where the wire stays as it is."),
    Category.DOC: ("Doc", "What people read."),
}

_PAYLOADS = """\
## Payloads

Category *wire*. Each kind of change is a rule for each side that sends: `client-KIND` for what clients send,
`server-KIND` for what the server sends. The severity goes by what is proven of the set of valid payloads:

| | clients send it | the server sends it |
| --- | --- | --- |
| fewer payloads are valid | error: what old clients send is refused | info: what old clients get they know |
| more payloads are valid | info: what old clients send is among them | error: old clients get what they refuse or misread |
| both | error | error |
| the same payloads are valid | info | info |
| nothing is proven | warning | warning |

A property that is gone is a warning at least, whatever payloads are valid: nobody reads or writes it any more. A
severity of your own takes the place of errors and warnings; what is proven to do no harm stays an information.

| kind | what it means | shown in |
| --- | --- | --- |
"""


def page() -> str:
    """The rules by their categories."""
    cases, parts = shown(), [_INTRODUCTION]
    for category, (title, meaning) in _CATEGORIES.items():
        of_category = [rule for rule in RULES.values() if rule.category is category and not rule.by_effect]
        parts.append(f"## {title}\n\n{meaning}\n")
        parts.extend(_rule(rule, cases[rule.id]) for rule in of_category)
        if category is Category.WIRE:
            rows = [
                f"| `{kind.id}` | {kind.meaning} | {_link(cases[f'client-{kind.id}'])} |"
                for kind in KINDS.values()
                if f"client-{kind.id}" in RULES
            ]
            parts.append(_PAYLOADS + "\n".join(rows) + "\n")
    return "\n".join(parts)


def shown() -> dict[str, str]:
    """The case that shows each rule: its own, or else one of another rule."""
    found: dict[str, str] = {}
    for expected in sorted(CASES.glob("*/expected.txt")):
        for rule in re.findall(r": (?:error|warning|info) ([a-z-]+) ", expected.read_text(encoding="utf-8")):
            if rule == expected.parent.name or rule not in found:
                found[rule] = expected.parent.name
    return found


def _rule(rule: Rule, case: str) -> str:
    text = f"### `{rule.id}`\n\n*{rule.severity.value}*\n\n{rule.meaning}\n\nWhy: {rule.why}\n"
    if rule.instead:
        text += f"\nInstead: {rule.instead}\n"
    return f"{text}\nShown in {_link(case)}.\n"


def _link(case: str) -> str:
    return f"[`{case}`](../tests/cases/diff/{case})"
