"""Documents held to rules: from all that is said of them to what matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sockspec.choices import Choices
from sockspec.diagnostics import Diagnostic, Severity
from sockspec.lint.baseline import Baseline, Entry
from sockspec.lint.known import is_fatal
from sockspec.lint.policy import Policy
from sockspec.lint.settings import Level
from sockspec.lint.suppressions import Suppression, Suppressions
from sockspec.pipeline import examined
from sockspec.rules.rule import Group, Rule
from sockspec.rules.subject import Subject
from sockspec.rules.suppressions import UNUSED_SUPPRESSION
from sockspec.rules.table import labelled, rules, unspoilt
from sockspec.spec.source import NO_TEXTS, Document
from sockspec.spec.text import quoted

_NONE = Choices()


@dataclass(frozen=True, slots=True)
class Linted:
    """What there is to say of a document and of the files that it refers to."""

    subject: Subject | None
    """None where it cannot be read at all."""
    findings: tuple[Diagnostic, ...]
    """Each with the severity that it is given, by place."""
    is_whole: bool
    """Whether nothing kept any rule from being asked."""


def lint(
    path: Path,
    policy: Policy,
    *,
    name: str | None = None,
    choices: Choices = _NONE,
    texts: Mapping[Path, bytes] = NO_TEXTS,
) -> Linted:
    """Read a document and hold it to the rules of a policy. Raises WrongUsage where a package's rule fails."""
    subject, report = examined(path, name=name, choices=choices, texts=texts)
    is_whole = subject is not None and not report.failed
    said = report.sorted()
    if subject is not None:
        known = policy.known
        asked = [rule for rule in known.by_id.values() if not _was_asked(rule) and policy.asks(rule)]
        said += unspoilt((found for rule in asked for found in known.found(rule, subject)), report)
    files = {document.name: document.path for document in subject.documents.loaded} if subject is not None else {}
    levelled = (_levelled(found, policy, files.get(found.location.path, path.absolute())) for found in said)
    return Linted(subject, _sorted(found for found in levelled if found is not None), is_whole)


def _was_asked(rule: Rule) -> bool:
    """Whether a rule is one of those that every document is held to."""
    return rule.check is None or (rule.group is Group.CORRECTNESS and rule.id in rules())


def _levelled(found: Diagnostic, policy: Policy, path: Path) -> Diagnostic | None:
    """What was found, with the severity that it has by the policy; None where it is not to be said."""
    if found.code.id not in policy.known.by_id:
        is_left_out = policy.settings.selected is not None or policy.is_excluded(path)
        return found if is_fatal(found.code) or not is_left_out else None
    if policy.is_excluded(path):
        return None
    return _of_level(labelled(found), policy.of(path).of(found.code.id, found.location.pointer))


def _of_level(found: Diagnostic, level: Level) -> Diagnostic | None:
    if level is None or level is found.severity:
        return found if level is not None else None
    return replace(found, code=replace(found.code, severity=level))


def _sorted(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By place, each once."""
    return tuple(sorted(dict.fromkeys(found), key=lambda d: (d.location, d.code.id, d.message)))


@dataclass(slots=True)
class _File:
    """A file that was looked at, alone or as a part of other documents."""

    suppressions: Suppressions
    used: set[Suppression] = field(default_factory=set[Suppression])
    is_document: bool = False
    """Whether it was named itself, and not only referred to."""
    asked: set[str] = field(default_factory=set[str])
    """The rules that were asked there, and had all that they need."""


class Linter:
    """Lints several documents under one policy, and knows what was needed of suppressions and of the baseline."""

    def __init__(self, policy: Policy, baseline: Baseline | None = None) -> None:
        self._policy = policy
        self._baseline = baseline
        self._files: dict[Path, _File] = {}
        self._found: Counter[Entry] = Counter()
        """What was held against the baseline."""
        self._is_old: dict[Diagnostic, bool] = {}
        """Whether the baseline has a finding: a file that several documents share is counted once."""

    def told(self, linted: Linted) -> tuple[Diagnostic, ...]:
        """Of what was said of a document what is neither suppressed nor in the baseline."""
        if linted.subject is None:
            return linted.findings
        documents = {document.name: document for document in linted.subject.documents.loaded}
        files = {name: self._file(document) for name, document in documents.items()}
        root = linted.subject.root.document
        files[root.name].is_document = True
        if linted.is_whole:
            for name, file in files.items():
                file.asked |= self._asked(documents[name].path)
        kept = [found for found in linted.findings if not self._is_silenced(found, files, documents)]
        kept += [fault for name in files for fault in self._faults(documents[name], files[name])]
        return _sorted(kept)

    def left(self) -> tuple[Diagnostic, ...]:
        """What is to be said after the last document: what suppresses nothing, and what the baseline has in vain."""
        found: list[Diagnostic] = []
        for path, file in self._files.items():
            unused = [_unused(each) for each in file.suppressions.all if self._is_unused(each, file)]
            levelled = self._levelled(unused, path)
            # Of a file that was not named itself it is known of some documents only.
            found += levelled if file.is_document else (_at_most_info(each) for each in levelled)
        if self._baseline is not None:
            stale = self._baseline.stale(self._found, self._asked_in)
            found += self._levelled(stale, self._baseline.path.absolute())
        return _sorted(found)

    def updated(self) -> tuple[Path, str]:
        """The path of the baseline, and its text with all that was found. Raises ValueError where there is none."""
        if self._baseline is None:
            raise ValueError("there is no baseline to write")
        return self._baseline.path, self._baseline.updated(self._found, self._asked_in)

    def is_listed(self, found: Diagnostic) -> bool:
        """Whether a finding is in a baseline that is written now."""
        return found in self._is_old

    @property
    def size(self) -> int:
        """How many findings were held against the baseline."""
        return self._found.total()

    @property
    def old(self) -> int:
        """How many findings were left out because the baseline has them."""
        return sum(self._is_old.values())

    @property
    def _asked_in(self) -> dict[Path, set[str]]:
        return {path: file.asked for path, file in self._files.items()}

    def _is_unused(self, suppression: Suppression, file: _File) -> bool:
        """Whether it silenced nothing, though what it is about was looked for."""
        of_rules = self._policy.known.by_id.keys() & suppression.rules
        return suppression not in file.used and bool(file.asked) and of_rules <= file.asked

    # --- one file ---------------------------------------------------------------------------------------------------

    def _file(self, document: Document) -> _File:
        if document.path not in self._files:
            self._files[document.path] = _File(Suppressions(document, self._policy.known))
        return self._files[document.path]

    def _asked(self, path: Path) -> set[str]:
        levels = self._policy.of(path)
        return {rule for rule in self._policy.known.by_id if levels.asks(rule)}

    def _faults(self, document: Document, file: _File) -> list[Diagnostic]:
        return self._levelled(file.suppressions.faults, document.path)

    def _levelled(self, found: Iterable[Diagnostic], path: Path) -> list[Diagnostic]:
        levelled = (_levelled(each, self._policy, path) for each in found)
        return [each for each in levelled if each is not None]

    def _is_silenced(self, found: Diagnostic, files: Mapping[str, _File], documents: Mapping[str, Document]) -> bool:
        is_rule = found.code.id in self._policy.known.by_id
        file = files.get(found.location.path)
        if file is None or (not is_rule and is_fatal(found.code)):
            return False
        suppression = file.suppressions.of(found)
        if suppression is not None:
            file.used.add(suppression)
            return True
        if self._baseline is not None and found not in self._is_old:
            entry = self._baseline.entry(found, documents[found.location.path])
            self._found[entry] += 1
            self._is_old[found] = self._found[entry] <= self._baseline.count(entry)
        return self._is_old.get(found, False)


def _at_most_info(found: Diagnostic) -> Diagnostic:
    return replace(found, code=replace(found.code, severity=Severity.INFO))


def _unused(suppression: Suppression) -> Diagnostic:
    message = f"nothing is found here that ignoring {quoted(suppression.name)} would silence"
    return UNUSED_SUPPRESSION.at(suppression.location, message, hint="remove it")
