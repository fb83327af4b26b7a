"""What silences rules, held to rules itself; the linter finds where these are broken."""

from __future__ import annotations

from sockspec.diagnostics import Code, Severity
from sockspec.rules.rule import ALL, Group, Rule

SUPPRESSION_NOT_UNDERSTOOD = Code(
    "suppression-not-understood",
    Severity.WARNING,
    "A comment or a key is meant to silence a rule, and does not: it names no rule, one that there is not, or an error "
    "that keeps the document from being read, which nothing silences. Write `# lint-ignore: rule-id -- reason`.",
)
SUPPRESSION_WITHOUT_REASON = Code(
    "suppression-without-reason",
    Severity.WARNING,
    "A rule is silenced, and nobody says why. Who reads the document later cannot tell whether it still has to be. "
    "Write the reason behind `--`, or as the value under the rule's id.",
)
UNUSED_SUPPRESSION = Code(
    "unused-suppression",
    Severity.WARNING,
    "A rule is silenced where it finds nothing. What it silenced was mended, or has moved; left where it is, it would "
    "hide the next mistake. Remove it. In a file that is only referred to this is an information: perhaps another "
    "document needs it.",
)
STALE_BASELINE = Code(
    "stale-baseline",
    Severity.WARNING,
    "The baseline has a finding that is found no longer. Run `sockspec lint --update-baseline`, so that it cannot come "
    "back unseen.",
)

_GOOD = """\
channels:
  room:
    # lint-ignore: undeclared-parameter -- any text will do for a room
    address: /rooms/{room}
"""

RULES = (
    Rule(
        SUPPRESSION_NOT_UNDERSTOOD,
        Group.SUPPRESSIONS,
        ALL,
        bad=_GOOD.replace("undeclared-parameter", "undeclared-params"),
        good=_GOOD,
    ),
    Rule(
        SUPPRESSION_WITHOUT_REASON,
        Group.SUPPRESSIONS,
        ALL,
        bad=_GOOD.replace(" -- any text will do for a room", ""),
        good=_GOOD,
    ),
    Rule(
        UNUSED_SUPPRESSION,
        Group.SUPPRESSIONS,
        ALL,
        bad=_GOOD.replace("/{room}", ""),
        good=_GOOD,
    ),
    Rule(
        STALE_BASELINE,
        Group.SUPPRESSIONS,
        ALL,
        bad="# baseline.json lists undeclared-parameter at /channels/room/address\n" + _GOOD.replace("/{room}", ""),
        good=_GOOD,
    ),
)
