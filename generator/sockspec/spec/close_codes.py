"""What a document says of a close code beside its meaning: the problem that it stands for."""

from __future__ import annotations

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.resolve import Node
from sockspec.spec.text import quoted

CLOSE_CODE_PROBLEM = Code(
    "close-code-problem",
    Severity.WARNING,
    "The `problem` of a close code is the type of a problem, such as `/problems/unauthorized`, and each problem has one "
    "code. What is written instead is left out, so that the server closes with the usual code.",
)


def with_problem(found: ir.CloseCode, entry: Node, taken: dict[str, int], report: Report) -> ir.CloseCode:
    """A close code with the problem that its entry names; `taken` has those that other codes stand for."""
    node = entry.get("problem") if isinstance(entry.value, dict) else None
    if node is None:
        return found
    name = node.value
    if not isinstance(name, str) or not name:
        report.add(CLOSE_CODE_PROBLEM.at(node.location, f"{quoted(str(name))} is not the type of a problem"))
        return found
    other = taken.setdefault(name, found.code)
    if other != found.code:
        message = f"{quoted(name)} is what {other} stands for; a problem has one close code"
        report.add(CLOSE_CODE_PROBLEM.at(node.location, message))
        return found
    return ir.CloseCode(found.code, found.meaning, name)
