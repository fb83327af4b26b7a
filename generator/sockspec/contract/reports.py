"""The results of a run as text, as JSON, and as JUnit's XML."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree

from sockspec.contract.outcome import Outcome, Result
from sockspec.contract.rules import RULES
from sockspec.contract.settings import Settings

_COLOURS: Final = {Outcome.PASSED: "\x1b[32m", Outcome.FAILED: "\x1b[31m", Outcome.SKIPPED: "\x1b[33m"}
_PLAIN: Final = "\x1b[0m"
_MOST_SHOWN: Final = 20
"""Failures of one rule on one channel that are shown in full."""


def text(results: Sequence[Result], settings: Settings, *, colour: bool = False) -> str:
    """For people: a line for each rule on each channel, below it what failed, and a summary."""
    lines: list[str] = []
    for channel in dict.fromkeys(result.channel for result in results):
        lines.append(f"{_printable(channel)}")
        of_channel = [result for result in results if result.channel == channel]
        for rule in [name for name in RULES if any(result.rule == name for result in of_channel)]:
            lines += _of_rule(rule, [result for result in of_channel if result.rule == rule], colour=colour)
    count = Counter(result.outcome for result in results)
    told = ", ".join(f"{count[outcome]} {outcome.value}" for outcome in Outcome)
    return "\n".join([*lines, f"{told} (seed {settings.seed})", ""])


def _of_rule(rule: str, results: list[Result], *, colour: bool) -> list[str]:
    count = Counter(result.outcome for result in results)
    worst = next(o for o in (Outcome.FAILED, Outcome.PASSED, Outcome.SKIPPED) if count[o])
    word = f"{_COLOURS[worst]}{worst.value}{_PLAIN}" if colour else worst.value
    many = f" ({', '.join(f'{count[o]} {o.value}' for o in Outcome if count[o])})" if len(results) > 1 else ""
    single = f": {results[0].detail}" if worst is Outcome.SKIPPED and results[0].detail else ""
    lines = [f"  {word} {rule}{many}{_printable(single)}"]
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    for result in failed[:_MOST_SHOWN]:
        lines.append(_printable(f"    {f'{result.subject}: ' if result.subject else ''}{result.detail}"))
        if result.payload:
            lines.append(_printable(f"      {result.payload}"))
    if len(failed) > _MOST_SHOWN:
        lines.append(f"    and {len(failed) - _MOST_SHOWN} more")
    return lines


def _printable(line: str) -> str:
    """The line without what would move a terminal's cursor: servers choose parts of it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def as_json(results: Sequence[Result], settings: Settings) -> str:
    """For programs; docs/contract-testing.md names the members."""
    count = Counter(result.outcome for result in results)
    told = {
        "seed": settings.seed,
        "summary": {outcome.value: count[outcome] for outcome in Outcome},
        "results": [
            {
                "rule": result.rule,
                "channel": result.channel,
                "subject": result.subject,
                "outcome": result.outcome.value,
                "detail": result.detail,
                "payload": result.payload,
            }
            for result in results
        ],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def junit(results: Sequence[Result], settings: Settings) -> str:
    """For continuous integration: a suite for each channel, a case for each result."""
    root = ElementTree.Element("testsuites", name="sockspec test")
    for channel in dict.fromkeys(result.channel for result in results):
        of_channel = [result for result in results if result.channel == channel]
        count = Counter(result.outcome for result in of_channel)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(channel),
            tests=str(len(of_channel)),
            failures=str(count[Outcome.FAILED]),
            errors="0",
            skipped=str(count[Outcome.SKIPPED]),
        )
        properties = ElementTree.SubElement(suite, "properties")
        ElementTree.SubElement(properties, "property", name="seed", value=str(settings.seed))
        for result in of_channel:
            name = f"{result.rule} {result.subject}".strip()
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(channel), name=_xml(name))
            if result.outcome is Outcome.FAILED:
                failure = ElementTree.SubElement(case, "failure", message=_xml(result.detail))
                failure.text = _xml(result.payload)
            elif result.outcome is Outcome.SKIPPED:
                ElementTree.SubElement(case, "skipped", message=_xml(result.detail))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(value: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else f"\\x{ord(c):02x}" for c in value)


FORMATS: Final[Mapping[str, Callable[[Sequence[Result], Settings], str]]] = {
    "text": text,
    "junit": junit,
    "json": as_json,
}
"""The forms of a report by their names on the command line."""
