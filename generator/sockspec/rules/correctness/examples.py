"""Examples, defaults and listed values, held to the schemas that they are given for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.schemas import Schema, applying
from sockspec.rules.subject import Subject
from sockspec.schema.dialect import Dialect
from sockspec.spec.payload_wording import Refusal
from sockspec.spec.resolve import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import listed, pointer

INVALID_DEFAULT = Code(
    "invalid-default",
    Severity.ERROR,
    "A `default` is not valid by its own schema. AsyncAPI and OpenAPI 3.0 demand that it is (Schema Object), JSON Schema "
    "recommends it. A package is made all the same, without this default where it is of another type.",
    tolerable=True,
)
INVALID_EXAMPLE = Code(
    "invalid-example",
    Severity.ERROR,
    "An example of a schema or of a parameter is not valid by that schema, so a reader who follows it is refused. Correct "
    "the example or the schema.",
    tolerable=True,
)
INVALID_MESSAGE_EXAMPLE = Code(
    "invalid-message-example",
    Severity.ERROR,
    "An example of a message is not valid by the message's own schema, in its payload or in its headers, so a reader who "
    "follows it is refused. Correct the example or the schema. Members that come from traits count.",
    tolerable=True,
)
INVALID_LISTED_VALUE = Code(
    "invalid-listed-value",
    Severity.ERROR,
    "A value of `enum`, or the one of `const`, is refused by another keyword of the same schema, most often by its `type`, "
    'so it can never occur. In YAML `1` is a number and `"1"` is text.',
    tolerable=True,
)
FORMAT_NOT_KEPT = Code(
    "format-not-kept",
    Severity.WARNING,
    "A default, an example or a listed value is not of the `format` that its schema names. By JSON Schema a format only "
    "describes a value, but packages hold payloads to `date-time`, `date`, `time`, `uuid`, `byte` and `decimal`.",
)
VALUE_NOT_LISTED = Code(
    "value-not-listed",
    Severity.ERROR,
    "The default or an example of a server variable or a parameter is none of the values that its `enum` lists (AsyncAPI "
    "and OpenAPI, Server Variable Object; AsyncAPI 3, Parameter Object).",
    tolerable=True,
)

_WRITTEN_OUT = frozenset({"value", "dataValue"})


def _said(code: Code, refusal: Refusal, value: Node) -> Diagnostic:
    """What a refusal says of a value, at the very member that it is about."""
    place = value.document.locate(value.pointer + pointer(refusal.path), key=refusal.at_key)
    return (FORMAT_NOT_KEPT if refusal.keyword == "format" else code).at(place, refusal.message, hint=refusal.hint)


def _refused(subject: Subject, code: Code, schema: Schema, value: Node, whole: str) -> Iterator[Diagnostic]:
    for refusal in subject.judging.faults(schema, value.value, whole):
        yield _said(code, refusal, value)


def _defaults(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        default = schema.node.get("default") if "default" in schema.value and applying(schema) else None
        if default is not None:
            yield from _refused(subject, INVALID_DEFAULT, schema, default, "the default")


# --- examples ---------------------------------------------------------------------------------------------------------


def _examples(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        if schema.value.keys().isdisjoint(("examples", "example")) or not applying(schema):
            continue
        several, one = schema.node.get("examples"), schema.node.get("example")
        given = [*several.elements()] if several is not None else []
        # In AsyncAPI `example` is no keyword, and means nothing.
        given += [one] if one is not None and schema.dialect is not Dialect.ASYNCAPI else []
        for example in given:
            yield from _refused(subject, INVALID_EXAMPLE, schema, example, "the example")
    if not subject.is_asyncapi:
        for parameter in (*subject.schemas.objects("parameter"), *subject.schemas.objects("mediaType")):
            yield from _beside(subject, parameter)


def _beside(subject: Subject, holder: Node) -> Iterator[Diagnostic]:
    """The examples of an object that has a schema beside them: a parameter, a header or a media type of JSON."""
    written = holder.get("schema")
    schema = subject.schemas.of(written) if written is not None else None
    one, several = holder.get("example"), holder.get("examples")
    if schema is None or not _is_json(holder):
        return
    given = [one] if one is not None else []
    for _, entry in several.items() if several is not None else ():
        example = subject.documents.follow(entry)
        given += [value for word in sorted(_WRITTEN_OUT) if (value := example.get(word)) is not None]
    for example in given:
        yield from _refused(subject, INVALID_EXAMPLE, schema, example, "the example")


def _is_json(holder: Node) -> bool:
    """Whether an object is no media type, or one of JSON: examples of others are texts in that format."""
    if "/content/" not in holder.pointer:
        return True
    media_type = holder.pointer.rpartition("/")[2].replace("~1", "/").partition(";")[0].strip().lower()
    return media_type.endswith(("/json", "+json"))


def _message_examples(subject: Subject) -> Iterator[Diagnostic]:
    if not subject.is_asyncapi:
        yield from _of_described(subject)
        return
    are_free = subject.root.text("asyncapi").startswith("2.0")
    for message in subject.outline.messages:
        given = message.members.get("examples")
        for example in given.elements() if given is not None else ():
            for word in ("payload", "headers"):
                value = example.get(word)
                if value is None and word == "payload" and are_free and example.get("headers") is None:
                    value = example
                written = message.members.get(word)
                schema = subject.schemas.entry(written) if written is not None else None
                if value is not None and schema is not None:
                    whole = "the example" if word == "payload" else "the example's headers"
                    yield from _refused(subject, INVALID_MESSAGE_EXAMPLE, schema, value, whole)


def _of_described(subject: Subject) -> Iterator[Diagnostic]:
    """Examples of the messages that extensions of OpenAPI describe."""
    from sockspec.spec.openapi.messages import examples

    for message in subject.schemas.described:
        schema = subject.schemas.of(message.schema) if message.schema is not None else None
        if schema is not None and message.about is not None:
            for _, _, payload in examples(message.about):
                yield from _refused(subject, INVALID_MESSAGE_EXAMPLE, schema, payload, "the example")


# --- listed values ----------------------------------------------------------------------------------------------------


def _listed_values(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        words = schema.value
        if not applying(schema):
            continue
        if "const" in words and (const := schema.node.get("const")) is not None:
            for refusal in subject.judging.faults(schema, const.value, "the value of 'const'", without="const"):
                yield _said(INVALID_LISTED_VALUE, refusal, const)
        values = words.get("enum")
        if isinstance(values, list) and len(words) > 1:
            yield from _in_enum(subject, schema)


def _in_enum(subject: Subject, schema: Schema) -> Iterator[Diagnostic]:
    """The first value of `enum` that the schema refuses, and how many others there are: mostly they have one cause."""
    enum = schema.node.get("enum")
    wrong = [
        value
        for value in (enum.elements() if enum is not None else ())
        if not subject.judging.accepts(schema, value.value, without="enum")
    ]
    for refusal in (
        subject.judging.faults(schema, wrong[0].value, "the value in 'enum'", without="enum") if wrong else ()
    ):
        found = _said(INVALID_LISTED_VALUE, refusal, wrong[0])
        others = f" (and so for {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield found.code.at(found.location, found.message + others, hint=found.hint)
        return


def _not_listed(subject: Subject) -> Iterator[Diagnostic]:
    for holder in (*subject.schemas.objects("variable"), *_string_parameters(subject)):
        enum = holder.get("enum")
        allowed = {item.value: None for item in enum.elements() if isinstance(item.value, str)} if enum else {}
        if not allowed:
            continue
        default, given = holder.get("default"), holder.get("examples")
        each = [("the default", default)] if default is not None else []
        each += [("the example", example) for example in (given.elements() if given is not None else ())]
        for what, value in each:
            if isinstance(value.value, str) and value.value not in allowed:
                near = nearest(value.value, allowed)
                message = f"{what} is {quoted(value.value)}, which 'enum' does not list; it has {_few(allowed)}"
                hint = f"did you mean {quoted(near)}?" if near is not None else ""
                yield VALUE_NOT_LISTED.at(value.location, message, hint=hint)


def _string_parameters(subject: Subject) -> Iterator[Node]:
    """The parameters of AsyncAPI 3, which are texts without a schema."""
    if subject.is_asyncapi_3:
        yield from subject.schemas.objects("parameter")


def _few(values: Mapping[str, None]) -> str:
    names = [*values]
    return listed(names, "and") if len(names) <= 6 else f"{len(names)} others"


RULES = (
    Rule(
        INVALID_DEFAULT,
        Group.CORRECTNESS,
        ALL,
        bad="""\
properties:
  limit: {type: integer, default: many}
""",
        good="""\
properties:
  limit: {type: integer, default: 20}
""",
        check=_defaults,
        aliases=("asyncapi2-schema-default",),
    ),
    Rule(
        INVALID_EXAMPLE,
        Group.CORRECTNESS,
        ALL,
        bad="""\
type: object
properties:
  count: {type: integer}
examples:
  - {count: three}
""",
        good="""\
type: object
properties:
  count: {type: integer}
examples:
  - {count: 3}
""",
        check=_examples,
        aliases=("asyncapi2-schema-examples",),
    ),
    Rule(
        INVALID_MESSAGE_EXAMPLE,
        Group.CORRECTNESS,
        ALL,
        bad="""\
messages:
  counted:
    payload: {type: object, properties: {count: {type: integer}}}
    examples:
      - payload: {count: three}
""",
        good="""\
messages:
  counted:
    payload: {type: object, properties: {count: {type: integer}}}
    examples:
      - payload: {count: 3}
""",
        check=_message_examples,
        aliases=("asyncapi2-message-examples", "asyncapi2-message-examples-custom-format"),
    ),
    Rule(
        INVALID_LISTED_VALUE,
        Group.CORRECTNESS,
        ALL,
        bad="""\
level: {type: string, enum: [1, 2, 3]}
""",
        good="""\
level: {type: integer, enum: [1, 2, 3]}
""",
        check=_listed_values,
    ),
    Rule(
        FORMAT_NOT_KEPT,
        Group.CORRECTNESS,
        ALL,
        bad="""\
at: {type: string, format: date-time, examples: [yesterday]}
""",
        good="""\
at: {type: string, format: date-time, examples: ['2025-01-31T12:00:00Z']}
""",
    ),
    Rule(
        VALUE_NOT_LISTED,
        Group.CORRECTNESS,
        (*ASYNCAPI, "OpenAPI 3.0"),
        bad="""\
variables:
  port: {enum: ['443', '8443'], default: '80'}
""",
        good="""\
variables:
  port: {enum: ['443', '8443'], default: '443'}
""",
        check=_not_listed,
    ),
)
