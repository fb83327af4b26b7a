"""Keywords of schemas that are ignored: misspelt, or for what they stand beside."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.schemas import applying, types_of
from sockspec.rules.subject import Subject
from sockspec.schema.dialect import Dialect
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import kinds, listed

WITHOUT_EFFECT = Code(
    "keyword-without-effect",
    Severity.WARNING,
    "A keyword says nothing of the types that its schema allows: `properties` of a string, `minLength` of an integer. It "
    "is ignored, which is hardly what was meant.",
)
MISSPELT = Code(
    "misspelt-keyword",
    Severity.WARNING,
    "A key of a schema looks much like a keyword and is none. JSON Schema allows any key, so that nothing else tells of "
    "it: what it was meant to ask for is not asked.",
)
SIBLINGS_IGNORED = Code(
    "reference-siblings-ignored",
    Severity.WARNING,
    "Keywords stand beside `$ref`, where JSON Schema draft-07 (AsyncAPI) and OpenAPI 3.0 ignore them. Write `allOf` with "
    "the reference and the rest as its parts to have both.",
)

_OF_TYPE = {
    **dict.fromkeys(("minLength", "maxLength", "pattern"), ("string",)),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), ("number", "integer")
    ),
    **dict.fromkeys(
        """items prefixItems additionalItems minItems maxItems uniqueItems contains minContains maxContains
        unevaluatedItems""".split(),
        ("array",),
    ),
    **dict.fromkeys(
        """properties required patternProperties additionalProperties minProperties maxProperties propertyNames
        dependencies dependentRequired dependentSchemas unevaluatedProperties""".split(),
        ("object",),
    ),
}
"""The types of which each keyword says something."""


def _without_effect(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        types = types_of(schema) if "type" in schema.value and applying(schema) else None
        if types is None:
            continue
        idle = [word for word in schema.value if word in _OF_TYPE and not any(t in types for t in _OF_TYPE[word])]
        idle = [word for word in idle if word in schema.dialect.assertions]
        if idle and (node := schema.node.get(idle[0])) is not None:
            others = f" (nor {listed(idle[1:])})" if idle[1:] else ""
            whose = kinds([name for name in types if name != "null"] or ["null"])
            meant = kinds(_OF_TYPE[idle[0]][0])
            message = f"{quoted(idle[0])} says nothing of {whose}{others}"
            yield WITHOUT_EFFECT.at(
                node.key_location, message, hint=f"it is about {meant}; should the 'type' be another?"
            )


_ALL_KEYWORDS = frozenset().union(*(dialect.assertions for dialect in Dialect)) | frozenset(
    """$ref $id $schema $defs $anchor $comment $dynamicRef $dynamicAnchor $vocabulary id definitions title description
    default example examples deprecated readOnly writeOnly nullable contentEncoding contentMediaType contentSchema
    discriminator externalDocs xml""".split()
)
_MEANT = tuple(sorted(word for word in _ALL_KEYWORDS if word.isalpha() and (len(word) > 4 or word in ("type", "enum"))))


_MOST_WORDS = 1000
"""So many unknown keys are compared with the keywords; a document with more of them has a vocabulary of its own."""


def _misspelt(subject: Subject) -> Iterator[Diagnostic]:
    meanings: dict[str, str | None] = {}
    for schema in subject.schemas:
        for word in schema.value if applying(schema) else ():
            if word in _ALL_KEYWORDS or word.startswith("x-"):
                continue
            if word not in meanings and len(meanings) < _MOST_WORDS:
                meanings[word] = _meant(word)
            meant = meanings.get(word)
            if meant is not None and meant not in schema.value and (node := schema.node.get(word)) is not None:
                message = f"{quoted(word)} is no keyword of JSON Schema, and is ignored"
                yield MISSPELT.at(node.key_location, message, hint=f"did you mean {quoted(meant)}?")


def _meant(word: str) -> str | None:
    """The keyword that a key is a slip of the pen for: letters that changed places, or nearly all in their places."""
    letters = sorted(word)
    swapped = next((each for each in _MEANT if sorted(each) == letters), None)
    return swapped or nearest(word, _MEANT, likeness=0.82)


def _siblings(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        if len(schema.value) < 2 or applying(schema):
            continue
        idle = [word for word in schema.value if word in schema.dialect.assertions or word == "default"]
        if idle and (node := schema.node.get(idle[0])) is not None:
            message = f"{listed(idle, 'and')} beside '$ref' {'is' if len(idle) == 1 else 'are'} ignored"
            hint = "write 'allOf: [{$ref: ...}, {...}]' to have both"
            yield SIBLINGS_IGNORED.at(node.key_location, message, hint=hint)


RULES = (
    Rule(
        WITHOUT_EFFECT,
        Group.GENERATION,
        ALL,
        bad="""\
type: string
properties: {text: {type: string}}
""",
        good="""\
type: object
properties: {text: {type: string}}
""",
        check=_without_effect,
    ),
    Rule(
        MISSPELT,
        Group.GENERATION,
        ALL,
        bad="""\
type: object
requierd: [text]
properties: {text: {type: string, maxlength: 20}}
""",
        good="""\
type: object
required: [text]
properties: {text: {type: string, maxLength: 20}}
""",
        check=_misspelt,
    ),
    Rule(
        SIBLINGS_IGNORED,
        Group.GENERATION,
        (*ASYNCAPI, "OpenAPI 3.0"),
        bad="""\
$ref: '#/components/schemas/Name'
maxLength: 20
""",
        good="""\
allOf:
  - $ref: '#/components/schemas/Name'
  - maxLength: 20
""",
        check=_siblings,
    ),
)
