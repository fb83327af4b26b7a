"""How a document is written: what other readers of YAML, and of references, take for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.saying import each_or_most, listed
from sockspec.rules.subject import Subject
from sockspec.schema.dialect import Dialect
from sockspec.spec.node import Node
from sockspec.spec.text import Json, quoted
from sockspec.spec.walk import Seen, references

YAML_1_1 = Code(
    "yaml-1-1",
    Severity.WARNING,
    "The value, or the key, is read by YAML 1.2 here, and means something else in YAML 1.1, which many libraries still "
    "read: `no`, `off`, `yes` and `on` are booleans there, `1:30` is 90, `12_000` is 12000, and `017` is 15. Write it "
    "between quotes, or as the number that is meant.",
)
YAML_DATE = Code(
    "yaml-date",
    Severity.INFO,
    "A date or a time stands without quotes. Here it is text, as everywhere in JSON; many libraries make an object of it, "
    "which no JSON Schema calls a string. Write it between quotes.",
)
REFERENCE_SIBLINGS = Code(
    "schema-beside-reference",
    Severity.WARNING,
    "Keywords that say what is valid stand beside a `$ref`. In AsyncAPI's schemas, as in draft 7 of JSON Schema, they are "
    "ignored. Put the reference and the keywords into an `allOf`.",
)

_FOLLOWED = r"(?=[ \t]*(?:$|[,\]}]|[ \t]#|:(?:\s|$)))"
_OF_1_1 = re.compile(
    r"(?<![^\s,\[{])(?:(?P<word>[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)"
    r"|(?P<sixty>[-+]?[1-9][0-9]*(?::[0-5]?[0-9])+(?:\.[0-9]*)?)"
    r"|(?P<long>[-+]?[0-9][0-9]*(?:_[0-9]+)+)"
    r"|(?P<octal>[-+]?0[0-7]+))" + _FOLLOWED,
    re.MULTILINE,
)
_DATE = re.compile(
    r"(?<![^\s,\[{])[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9:.]+(?:[Zz]|[-+][0-9:]+)?)?" + _FOLLOWED, re.MULTILINE
)
_MEANS = {"word": "a boolean", "sixty": "a number to the base 60", "long": "a number", "octal": "an octal number"}


def _differing(subject: Subject) -> Iterator[Diagnostic]:
    broken: list[tuple[Location, str]] = []
    for document in subject.documents.loaded:
        for match, value, place in document.written(_OF_1_1):
            if _is_whole(match, value):
                meaning = _MEANS[str(match.lastgroup)]
                broken.append((place, f"{quoted(match[0])} without quotes is {meaning} to readers of YAML 1.1"))
    lack = "values without quotes mean something else to readers of YAML 1.1"
    yield from each_or_most(YAML_1_1, broken, None, lack, hint="write it between quotes")


def _is_whole(match: re.Match[str], value: Json) -> bool:
    """Whether what was matched is the value, and not the beginning of a longer text."""
    return value == match[0] or (isinstance(value, int) and match.lastgroup == "octal")


def _dates(subject: Subject) -> Iterator[Diagnostic]:
    broken = [
        (place, f"the date {quoted(match[0])} stands without quotes")
        for document in subject.documents.loaded
        for match, value, place in document.written(_DATE)
        if value == match[0]
    ]
    yield from each_or_most(YAML_DATE, broken, None, "dates stand without quotes", hint="write it between quotes")


def _siblings(subject: Subject) -> Iterator[Diagnostic]:
    asserting = Dialect.ASYNCAPI.assertions
    seen: Seen = set()
    broken: list[tuple[Location, str]] = []
    for document in subject.documents.loaded:
        for node in references(Node(document.value, document, ""), seen):
            beside = [key for key, _ in node.items() if key in asserting]
            if beside and "/security" not in node.pointer:
                text = f"{listed(beside)} beside '$ref' {'is' if len(beside) == 1 else 'are'} ignored"
                broken.append(((node.get(beside[0]) or node).key_location, text))
    lack = "references have keywords beside them that are ignored"
    yield from each_or_most(REFERENCE_SIBLINGS, broken, None, lack, hint="put both into an 'allOf'")


RULES = (
    Rule(
        YAML_1_1,
        Group.GENERATION,
        ALL,
        bad="enum: [yes, no]\n",
        good="enum: ['yes', 'no']\n",
        check=_differing,
    ),
    Rule(
        YAML_DATE,
        Group.GENERATION,
        ALL,
        bad="examples:\n  - payload: {timestamp: 2025-03-01T10:05:12Z}\n",
        good="examples:\n  - payload: {timestamp: '2025-03-01T10:05:12Z'}\n",
        check=_dates,
    ),
    Rule(
        REFERENCE_SIBLINGS,
        Group.GENERATION,
        ASYNCAPI,
        bad="name: {$ref: '#/components/schemas/Name', maxLength: 20}\n",
        good="name:\n  allOf:\n    - $ref: '#/components/schemas/Name'\n    - maxLength: 20\n",
        check=_siblings,
    ),
)
