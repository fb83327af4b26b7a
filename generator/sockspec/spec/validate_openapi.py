"""Whether an OpenAPI document has the structure that OpenAPI asks for, by the judgement of `openapi-spec-validator`.

The validator gives verdicts; places and words are ours. It gives neither lines nor, for half of its errors, the part of
the document that they are about; it repeats one fault as several, stops at the first broken reference, fetches what
references name, and recurses with the document. Each of these is dealt with below. Importing it takes half a second.
"""

from __future__ import annotations

import pathlib
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from jsonschema.exceptions import ValidationError
from jsonschema.validators import validator_for
from jsonschema_path.paths import SchemaPath
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator, OpenAPIV32SpecValidator
from openapi_spec_validator.schemas import schema_v30, schema_v31, schema_v32
from openapi_spec_validator.validation.exceptions import (
    DuplicateOperationIDError,
    ParameterDuplicateError,
    UnresolvableParameterError,
)
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from sockspec.diagnostics import Code, Diagnostic, Report, Severity
from sockspec.spec import openapi_faults, wording
from sockspec.spec.names import DUPLICATE_OPERATION_ID
from sockspec.spec.plain_schemas import is_plain
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Json, unescape
from sockspec.spec.structure import MAX_FAULTS
from sockspec.spec.text import quoted

PATH_PARAMETER = Code(
    "path-parameter",
    Severity.ERROR,
    "The parameters in a path (`/rooms/{room}`) and those that the operation or the path declares with `in: path` are "
    "not the same.",
)
REPEATED_NAME = Code(
    "repeated-name",
    Severity.ERROR,
    "Two tags of the document, or two parameters of an operation at the same place (`in`), have the same name.",
)
UNKNOWN_PARENT = Code(
    "unknown-parent",
    Severity.ERROR,
    "The `parent` of a tag (OpenAPI 3.2) is no tag of the document, or leads back to the tag itself.",
)
INVALID_DEFAULT = Code(
    "invalid-default",
    Severity.WARNING,
    "The `default` of a schema is not valid by that schema. A default describes and judges nothing (JSON Schema "
    "Validation, section 9.2), so a package is made all the same, without this default.",
)
UNKNOWN_DIALECT = Code(
    "unknown-dialect",
    Severity.WARNING,
    "`$schema` or `jsonSchemaDialect` names a dialect of JSON Schema that is not known here, so the schema is not "
    "checked. Without them, Schema Objects of OpenAPI 3.1 and 3.2 are JSON Schema 2020-12 with a few additions.",
)
PARTLY_CHECKED = Code(
    "partly-checked",
    Severity.WARNING,
    "The structure of the document could not be checked to its end: it nests too deeply, takes too long, or has "
    "references that the validator cannot follow. What was found until then is reported.",
)

_VALIDATORS: dict[str, tuple[Any, Any]] = {
    "3.0": (schema_v30, OpenAPIV30SpecValidator),
    "3.1": (schema_v31, OpenAPIV31SpecValidator),
    "3.2": (schema_v32, OpenAPIV32SpecValidator),
}
"""The meta-schema of each minor version, and what judges the rest."""

_SECONDS = 60.0
"""How long the validator may take. Real documents of 100 000 lines need half a minute."""
_STACK = 64 * 1024 * 1024
_RECURSION = 3_000


def validate(documents: Documents, version: str, report: Report, *, part: Json = None) -> None:
    """Report every place where the root document, or the part of it, is not what OpenAPI of that version asks for.

    Broken references are reported first, and then nothing else: the validator cannot do without what they lead to.
    """
    documents.check()
    if report.failed:
        return
    judge = _Judge(documents, version, documents.root.value if part is None else part)
    _with_deep_stack(judge.run)
    for diagnostic in judge.found:
        report.add(diagnostic)


class _Judge:
    """One run of the validator over a document."""

    def __init__(self, documents: Documents, version: str, value: Json) -> None:
        self.found: list[Diagnostic] = []
        self._documents = documents
        self._document = documents.root.document
        self._value: Any = value
        self._metaschema, self._validator = _VALIDATORS[version]
        self._deadline = time.monotonic() + _SECONDS

    def run(self) -> None:
        """Find what is wrong with the structure, and only where it is sound, with what the parts say of each other."""
        try:
            self.found.extend(self._structure())
            if not self.found:
                self.found.extend(self._meaning())
        except RecursionError:
            self._stopped("it nests too deeply")
        except _TooLong:
            self._stopped(f"that takes more than {_SECONDS:.0f} seconds")
        except (LookupError, Unresolvable):
            self._stopped("it has a reference that the validator cannot follow")
        except Exception as error:  # whatever else ails the validator, the user gets no traceback
            self._stopped(f"the validator stopped with {type(error).__name__}")

    def _stopped(self, why: str) -> None:
        message = f"the structure of the document was not checked to its end: {why}"
        self.found.append(PARTLY_CHECKED.at(self._document.locate(""), message))

    def _structure(self) -> Iterator[Diagnostic]:
        schema = dict(self._metaschema)
        # Crawled once: each `$dynamicRef` would crawl it again, which is most of the time of a validator without.
        resource: Resource[Any] = Resource.from_contents(schema)
        registry: Any = Registry[Any]().with_resource(resource.id() or "", resource).crawl()
        validator = validator_for(schema)(schema, registry=registry)
        errors: list[ValidationError] = []
        for error in validator.iter_errors(self._value):
            errors.append(error)
            if len(errors) > MAX_FAULTS:
                break
        faults = openapi_faults.faults(errors, self._value, openapi_faults.property_names(schema))
        yield from wording.diagnostics(faults, self._document)

    def _meaning(self) -> Iterator[Diagnostic]:
        base: Any = self._validator
        own_dialect = base is not OpenAPIV30SpecValidator and "jsonSchemaDialect" not in self._value
        validators = {
            name: _placed(each, self._check_time, quick=own_dialect) for name, each in base.keyword_validators.items()
        }
        local = {"resolver_handlers": _Local(self._documents), "keyword_validators": validators}
        judge = type("Judge", (base,), local)(self._value, base_uri=self._document.path.as_uri())
        nodes = _Nodes(self._documents)
        for error in judge.root_validator(judge.schema_path):
            yield from _in_words(error, nodes, self._documents)

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise _TooLong


class _TooLong(Exception):
    """The time is up."""


def _with_deep_stack(work: Callable[[], None]) -> None:
    """Do something that recurses with the document."""
    limit, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    try:
        sys.setrecursionlimit(max(limit, _RECURSION))
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)


class _Local(dict[str, Any]):
    """Answers for every scheme of URI, with the files that our own reference check has read, and with nothing else."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._values = {document.path: document.value for document in documents.loaded}

    def __contains__(self, scheme: object) -> bool:
        return True

    def __getitem__(self, scheme: str) -> Callable[[str], Json]:
        return self._read

    def _read(self, uri: str) -> Json:
        parts = urlsplit(uri)
        path = pathlib.Path(url2pathname(parts.path)).resolve()
        if parts.scheme != "file" or path not in self._values:
            raise LookupError(unquote(uri))
        return self._values[path]


class _Nodes:
    """Finds where a mapping or a list stands, by its identity."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._places: dict[int, Node] = {}

    def of(self, value: object) -> Node:
        """The node of a container that is part of a document; the root of the root document for anything else."""
        if not self._places:
            waiting = [Node(document.value, document, "") for document in self._documents.loaded]
            while waiting:
                node = waiting.pop()
                if isinstance(node.value, (dict, list)) and id(node.value) not in self._places:
                    self._places[id(node.value)] = node
                    waiting.extend(child for _, child in node.items())
                    waiting.extend(node.elements())
        return self._places.get(id(value), self._documents.root)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Which part of the validator found an error, and what it was looking at."""

    validator: str
    part: object
    words: tuple[str, ...]


def _placed(validator: Any, check_time: Callable[[], None], *, quick: bool) -> Any:
    """A part of the validator whose errors know what they are about. If quick, plain schemas are not judged."""

    def call(self: Any, *parts: Any, **options: Any) -> Iterator[ValidationError]:
        check_time()
        for error in validator.__call__(self, *parts, **options):
            if not hasattr(error, "origin"):
                path = next((part for part in parts if isinstance(part, SchemaPath)), None)
                value = None if path is None else path.read_value()
                words = tuple(part for part in parts if isinstance(part, str))
                error.origin = _Origin(validator.__name__, value, words)
            yield error

    def judged(self: Any, schema: SchemaPath, value: Any) -> Any:
        return None if is_plain(value) else validator._validate_schema_meta(self, schema, value)

    def init(self: Any, registry: Any) -> None:
        validator.__init__(self, registry)
        # Lists of identities that are searched for each schema; with sets the time is no longer quadratic.
        for name in ("visited_schema_ids", "meta_checked_schema_ids", "operation_ids_registry"):
            if hasattr(self, name):
                setattr(self, name, _Identities())

    methods: dict[str, Any] = {"__call__": call, "__init__": init}
    if quick and hasattr(validator, "_validate_schema_meta"):
        methods["_validate_schema_meta"] = judged
    return type(validator.__name__, (validator,), methods)


class _Identities(set[Any]):
    """A set that can be appended to."""

    def append(self, item: Any) -> None:
        """Add an item."""
        self.add(item)


def _in_words(error: ValidationError, nodes: _Nodes, documents: Documents) -> Iterable[Diagnostic]:
    origin: _Origin = getattr(error, "origin", _Origin("", None, ()))
    node = nodes.of(origin.part)
    match error:
        case DuplicateOperationIDError():
            written = node.get("operationId") or node
            message = f"the operationId {wording.shown(written.value)} is that of another operation, too"
            return [DUPLICATE_OPERATION_ID.at(written.location, message)]
        case UnresolvableParameterError():
            return [_path_parameter(_named(error), node, origin.words[0] if origin.words else "")]
        case ParameterDuplicateError():
            message = f"two parameters have the name {quoted(_named(error))} and the same 'in'"
            return [REPEATED_NAME.at(node.location, message)]
        case _ if origin.validator.endswith("TagsValidator"):
            return [_about_tags(error, node)]
        case _ if origin.validator.endswith("ValueValidator"):
            default = node.get("default") or node
            fault = next(openapi_faults.as_faults(error, default.value, ("default",)))
            message = wording.message(fault, otherwise="which its schema does not allow")
            return [INVALID_DEFAULT.at(default.location, message)]
        case _ if error.message.startswith("Unknown JSON Schema dialect"):
            dialect = node.get("$schema") or documents.root.get("jsonSchemaDialect") or node
            message = f"the dialect {wording.shown(dialect.value)} of JSON Schema is not known"
            return [UNKNOWN_DIALECT.at(dialect.location, message)]
        case _:
            # The path of such an error begins at the schema.
            base = tuple(unescape(token) for token in node.pointer.split("/")[1:])
            return wording.diagnostics(openapi_faults.as_faults(error, node.value, base), node.document)


def _named(error: ValidationError) -> str:
    """The first name that an error quotes."""
    match = re.search("'(.*?)'", error.message)
    return match[1] if match else ""


def _path_parameter(name: str, operation: Node, path: str) -> Diagnostic:
    if f"{{{name}}}" in path:
        message = f"the path {quoted(path)} has a parameter {quoted(name)} that is not declared"
        hint = f"add {{name: {name}, in: path, required: true, schema: ...}} to 'parameters'"
    else:
        message = f"the parameter {quoted(name)} with 'in: path' is not in the path {quoted(path)}"
        hint = f"write {{{name}}} into the path, or remove the parameter"
    return PATH_PARAMETER.at(operation.key_location, message, hint=hint)


def _about_tags(error: ValidationError, tags: Node) -> Diagnostic:
    name = _named(error)
    node = next((tag for tag in reversed([*tags.elements()]) if tag.text("name") == name), tags)
    if "Duplicate" in error.message:
        return REPEATED_NAME.at(node.location, f"two tags have the name {quoted(name)}")
    if "parent" in error.message:
        parent = node.get("parent") or node
        message = f"the tag {quoted(name)} has the parent {wording.shown(parent.value)}, which does not exist"
        return UNKNOWN_PARENT.at(parent.location, message)
    return UNKNOWN_PARENT.at(tags.location, "the parents of the tags go round in a circle")
