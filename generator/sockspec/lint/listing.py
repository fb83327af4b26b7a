"""The rules, in words: a table of all, and the page of one."""

from __future__ import annotations

from collections.abc import Iterable

from sockspec.lint.policy import Policy
from sockspec.rules.rule import Group, Rule

_ORDER = tuple(Group)


def table(policy: Policy) -> str:
    """All rules by group, each with the level that it has everywhere, and what is said of it below all."""
    rows = [("rule", "level", "group", "fix", "since")]
    for rule in sorted(policy.known.by_id.values(), key=lambda rule: (_ORDER.index(rule.group), rule.id)):
        rows.append((rule.id, level(rule, policy), rule.group.value, _fix(rule), ", ".join(rule.since)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def level(rule: Rule, policy: Policy) -> str:
    """The word for the level that a rule has where no override says otherwise."""
    severity = policy.everywhere(rule)
    return severity.value if severity is not None else "off"


def page(rules: Iterable[Rule], policy: Policy) -> str:
    """All that there is to know about some rules."""
    return "\n".join(_page(rule, policy) for rule in rules)


def _page(rule: Rule, policy: Policy) -> str:
    facts = [
        f"{rule.id} ({level(rule, policy)})",
        f"  group: {rule.group.value}",
        f"  since: {', '.join(rule.since)}",
        f"  severity: {rule.code.severity.value}",
    ]
    if rule.aliases:
        facts.append(f"  also called: {', '.join(rule.aliases)}")
    if rule.id in policy.known.origins:
        facts.append(f"  from: {policy.known.origins[rule.id]}")
    parts = [
        "\n".join(facts),
        rule.code.meaning.strip(),
        f"Wrong:\n\n{_indented(rule.bad)}",
        f"Right:\n\n{_indented(rule.good)}",
    ]
    if rule.fix:
        options = "--fix" if rule.is_fix_safe else "--fix --unsafe-fixes"
        parts.append(f"{options} {rule.fix}")
    return "\n\n".join(parts) + "\n"


def _fix(rule: Rule) -> str:
    if rule.fixer is None:
        return ""
    return "safe" if rule.is_fix_safe else "unsafe"


def _indented(example: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in example.strip("\n").splitlines())
