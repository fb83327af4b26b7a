"""What reading schemas and looking at the whole finds that a package cannot do, or that was assumed to make it."""

from __future__ import annotations

from sockspec.analysis import ambiguity, plain
from sockspec.diagnostics import Code
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.schema import bundle, reader


def _rule(code: Code, bad: str, good: str) -> Rule:
    return Rule(code, Group.GENERATION, ALL, bad, good)


RULES = (
    _rule(
        ambiguity.NOT_DISTINGUISHABLE,
        """\
messages:
  joined: {payload: {type: object, properties: {nickname: {type: string}}}}
  left: {payload: {type: object, properties: {nickname: {type: string}}}}
""",
        """\
messages:
  joined: {payload: {type: object, required: [type], properties: {type: {const: joined}}}}
  left: {payload: {type: object, required: [type], properties: {type: {const: left}}}}
""",
    ),
    _rule(
        ambiguity.TOLD_APART,
        """\
messages:
  joined: {payload: {type: object, required: [type], properties: {type: {const: joined}}}}
  left: {payload: {type: object, required: [type], properties: {type: {const: left}}}}
""",
        """\
messages:
  joined: {payload: {type: object, required: [type], properties: {type: {const: joined}}}}
""",
    ),
    _rule(
        reader.TOO_MANY_PROPERTIES,
        "properties: {a1: {}, a2: {}, a3: {}}  # and thousands more\n",
        "additionalProperties: {}\n",
    ),
    _rule(
        reader.PARAMETER_KEYWORD,
        "query: {type: object, properties: {odd: {type: integer, not: {multipleOf: 2}}}}\n",
        "query: {type: object, properties: {odd: {type: integer, description: An odd number.}}}\n",
    ),
    _rule(
        bundle.PATTERN_NOT_READABLE,
        r"word: {type: string, pattern: '^\p{L}+$'}" + "\n",
        "word: {type: string, pattern: '^[A-Za-z]+$'}\n",
    ),
    _rule(
        bundle.NULLABLE_KEYWORD,
        "name: {type: string, nullable: true}\n",
        "name: {type: [string, 'null']}\n",
    ),
    _rule(
        plain.NAME_NOT_TYPED,
        """properties: {'a "quoted" name': {type: string}}\n""",
        "properties: {a name: {type: string}}\n",
    ),
)
