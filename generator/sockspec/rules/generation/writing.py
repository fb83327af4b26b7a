"""How a document is written: what other readers of YAML take for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.edits import Edit
from sockspec.rules.rule import ALL, Fixer, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.text import Json, quoted

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

# Bounded where one part could begin in several places: the text of a document may be made to take long.
_BEFORE = r"(?<![^\s,\[{])"
_FOLLOWED = r"(?=[ \t]{0,200}(?:[\r\n]|\Z|[,\]}]|[ \t]#|:(?:\s|\Z)))"
_LONG = (
    r"[-+]?[0-9]{1,40}_[0-9_]{0,40}\.[0-9_]{0,40}",
    r"[-+]?[0-9][0-9_]{0,40}\.[0-9]{0,40}_[0-9_]{0,40}",
    r"[-+]?(?:0[0-7]{0,40}_[0-7_]{0,40}|[1-9][0-9]{0,40}_[0-9_]{0,40})",
    r"\.[0-9]{1,40}_[0-9_]{0,40}",
)
_KINDS = {
    "word": r"[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF",
    "sixty": r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*",
    "octal": r"[-+]?0[0-7]+",
    "binary": r"[-+]?0b[01_]+",
    "long": "|".join(_LONG),
}
_OF_1_1 = re.compile(_BEFORE + f"(?:{'|'.join(f'(?P<{kind}>{of})' for kind, of in _KINDS.items())})" + _FOLLOWED)
_DATE = re.compile(
    _BEFORE + r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9:.]{1,30}(?:[Zz]|[-+][0-9:]{1,10})?)?" + _FOLLOWED
)
_MEANS = {
    "word": "a boolean",
    "sixty": "a number to the base 60",
    "octal": "an octal number",
    "binary": "a binary number",
    "long": "a number",
}


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
    if isinstance(value, int) and match.lastgroup == "octal":
        return value != int(match[0], 8)
    return value == match[0]


def _dates(subject: Subject) -> Iterator[Diagnostic]:
    broken = [
        (place, f"the date {quoted(match[0])} stands without quotes")
        for document in subject.documents.loaded
        for match, value, place in document.written(_DATE)
        if value == match[0]
    ]
    yield from each_or_most(YAML_DATE, broken, None, "dates stand without quotes", hint="write it between quotes")


def _quoted(pattern: re.Pattern[str]) -> Fixer:
    """Puts quotes around all that a pattern matches; to readers of YAML 1.2 it is the same text with them."""

    def fixer(subject: Subject, finding: Diagnostic) -> Iterator[Edit]:
        for document in subject.documents.loaded:
            for match, value, _ in document.written(pattern):
                if value == match[0]:
                    yield Edit(document, match.start(), match.end(), f"'{match[0]}'", ())

    return fixer


RULES = (
    Rule(
        YAML_1_1,
        Group.GENERATION,
        ALL,
        bad="enum: [yes, no]\n",
        good="enum: ['yes', 'no']\n",
        check=_differing,
        fix="writes quotes around texts; numbers are left to people.",
        fixer=_quoted(_OF_1_1),
    ),
    Rule(
        YAML_DATE,
        Group.GENERATION,
        ALL,
        bad="examples:\n  - payload: {timestamp: 2025-03-01T10:05:12Z}\n",
        good="examples:\n  - payload: {timestamp: '2025-03-01T10:05:12Z'}\n",
        check=_dates,
        fix="writes quotes around them.",
        fixer=_quoted(_DATE),
    ),
)
