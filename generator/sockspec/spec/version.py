"""Which specification a document follows."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from sockspec.diagnostics import Code, Diagnostic, Report, Severity
from sockspec.spec.metaschema import VERSIONS
from sockspec.spec.source import Document, Json, escape
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import shown

NOT_AN_API = Code(
    "not-an-api",
    Severity.ERROR,
    "The file has neither `asyncapi` nor `openapi` at its top, so nothing says how to read it.",
)
UNSUPPORTED_VERSION = Code(
    "unsupported-version",
    Severity.ERROR,
    "The document names a version of its specification that is not read here, or none at all. Read are AsyncAPI 2.0 to "
    "2.6, 3.0 and 3.1, and OpenAPI 3.0, 3.1 and 3.2. The version is text of three numbers, such as `3.0.0`; without the "
    "third one YAML takes it for a number.",
)
NEWER_VERSION = Code(
    "newer-version",
    Severity.WARNING,
    "The document names a version of its specification that is newer than those known here. It is read by the rules of "
    "the newest known one; what the newer version added is taken for a mistake.",
)

_OPENAPI = ("3.0", "3.1", "3.2")
_NAMES = {"asyncapi": "AsyncAPI", "openapi": "OpenAPI"}
_SUPPORTED = {"asyncapi": "AsyncAPI 2.0 to 2.6, 3.0 or 3.1", "openapi": "OpenAPI 3.0, 3.1 or 3.2"}
_VERSION = re.compile(r"(?P<major>[0-9]{1,9})\.(?P<minor>[0-9]{1,9})\.[0-9]{1,9}")
_NEARLY = re.compile(r"(?P<major>[0-9]{1,9})(?:\.(?P<minor>[0-9]{1,9}))?")
_UPGRADE = {
    "asyncapi": "the converter of the AsyncAPI project ('asyncapi convert') brings it up to date",
    "openapi": "convert it to OpenAPI 3.1; converters such as 'swagger2openapi' and 'openapi-format' do most of that",
}


class Specification(enum.Enum):
    """The specifications that are read."""

    ASYNCAPI_2 = "AsyncAPI 2"
    ASYNCAPI_3 = "AsyncAPI 3"
    OPENAPI_3 = "OpenAPI 3"


@dataclass(frozen=True, slots=True)
class Kind:
    """The specification that a document follows."""

    specification: Specification
    version: str
    """The minor version whose rules hold, such as `2.6`."""


def kind(document: Document, report: Report) -> Kind | None:
    """What the document is. None, reported, where it is nothing that can be read here."""
    value = document.value if isinstance(document.value, dict) else {}
    for key, known in (("asyncapi", VERSIONS), ("openapi", _OPENAPI)):
        if key in value:
            version = _minor(document, key, known, report)
            return None if version is None else Kind(Specification(f"{_NAMES[key]} {version[0]}"), version)
    if "swagger" in value:
        place, message = document.locate("/swagger"), f"this is Swagger; {_SUPPORTED['openapi']} was expected"
        report.add(UNSUPPORTED_VERSION.at(place, message, hint=_UPGRADE["openapi"]))
    else:
        report.add(_neither(document, value))
    return None


def _neither(document: Document, value: dict[str, Json]) -> Diagnostic:
    message = "this is neither an AsyncAPI nor an OpenAPI document"
    for word in ("asyncapi", "openapi"):
        near = nearest(word, value)
        if near is not None:
            place = document.locate(f"/{escape(near)}", key=True)
            return NOT_AN_API.at(place, message, hint=f"{quoted(near)} is unknown; did you mean {quoted(word)}?")
    hint = "its first line should be 'asyncapi: 3.0.0' or 'openapi: 3.1.0'"
    return NOT_AN_API.at(document.locate(""), message, hint=hint)


def _minor(document: Document, key: str, known: tuple[str, ...], report: Report) -> str | None:
    """The minor version whose rules hold: the document's, or the newest known one of the same major version."""
    written = document.value[key] if isinstance(document.value, dict) else None
    place = document.locate(f"/{key}")
    match = _VERSION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        message = f"{quoted(key)} is {shown(written)}; a version such as {quoted(known[-1] + '.0')} was expected"
        report.add(UNSUPPORTED_VERSION.at(place, message, hint=_meant(key, written, known)))
        return None
    version = int(match["major"]), int(match["minor"])
    minors = [each for each in known if int(each[0]) == version[0]]
    for each in minors:
        if _numbers(each) == version:
            return each
    if minors and version > _numbers(minors[-1]):
        message = f"{_NAMES[key]} {written} is not known here; the document is read as {minors[-1]}.0"
        report.add(NEWER_VERSION.at(place, message))
        return minors[-1]
    message = f"{_NAMES[key]} {written} is not supported; {_SUPPORTED[key]} was expected"
    hint = _UPGRADE[key] if version < _numbers(known[-1]) else ""
    report.add(UNSUPPORTED_VERSION.at(place, message, hint=hint))
    return None


def _meant(key: str, written: Json, known: tuple[str, ...]) -> str:
    """The version that was probably meant by `3.0`, `v3.0.0` or `3.0.0-rc1`."""
    match = _NEARLY.search(str(written))
    minor = f"{int(match['major'])}.{int(match['minor'] or 0)}" if match else ""
    return f"write '{key}: {minor if minor in known else known[-1]}.0'"


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)
