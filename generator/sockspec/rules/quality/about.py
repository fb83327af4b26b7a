"""What a document says about itself: whom to ask, under which licence, and by which specification."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.quality.mending import contact, default_content_type, licence
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.saying import listed
from sockspec.rules.subject import Subject
from sockspec.spec.metaschema import VERSIONS
from sockspec.spec.text import quoted

CONTACT = Code(
    "info-contact",
    Severity.INFO,
    "`info` has no `contact`, or one without a `name` and without a way to reach anybody (`url` or `email`), so readers "
    "cannot ask.",
)
LICENSE = Code(
    "info-license",
    Severity.INFO,
    "`info` has no `license`, or one that does not say where it is to be read (`url`; in OpenAPI also `identifier`), so "
    "readers do not know what they may do.",
)
TAGS = Code(
    "document-tags",
    Severity.INFO,
    "The document has no `tags` (in AsyncAPI 3: `info` has none), by which catalogues of APIs find and group it.",
)
IDENTIFIER = Code(
    "document-id",
    Severity.INFO,
    "The document has no `id`, the URI by which other documents and catalogues know this API whatever its title.",
)
CONTENT_TYPE = Code(
    "content-type-missing",
    Severity.INFO,
    "A message says nothing of its `contentType`, and the document has no `defaultContentType`. JSON is assumed, here and "
    "by most; other tools may ask.",
)
LATEST_VERSION = Code(
    "latest-version",
    Severity.INFO,
    "The document follows an older version of AsyncAPI than the newest one. Nothing has to be done: all are read.",
)


def _contact(subject: Subject) -> Iterator[Diagnostic]:
    info = subject.root.get("info")
    contact = info.get("contact") if info is not None else None
    if info is None:
        return
    if contact is None:
        yield CONTACT.at(info.key_location, "'info' has no contact", hint="add 'contact: {name: …, email: …}'")
        return
    missing = [name for name in ("name",) if not contact.text(name)]
    if not contact.text("url") and not contact.text("email"):
        missing += ["url", "email"]
    if missing:
        yield CONTACT.at(contact.key_location, f"the contact has no {listed(missing)}")


def _license(subject: Subject) -> Iterator[Diagnostic]:
    info = subject.root.get("info")
    if info is None:
        return
    found = info.get("license")
    if found is None:
        yield LICENSE.at(info.key_location, "'info' has no license", hint="add 'license: {name: …, url: …}'")
    elif not found.text("url") and not found.text("identifier"):
        yield LICENSE.at(found.key_location, "the license does not say where it is to be read", hint="add its 'url'")


def _tags(subject: Subject) -> Iterator[Diagnostic]:
    info = subject.root.get("info")
    holder = info if subject.is_asyncapi_3 else subject.root
    if info is not None and holder is not None and not any((holder.get("tags") or holder).elements()):
        where = "'info'" if subject.is_asyncapi_3 else "the document"
        yield TAGS.at(info.key_location, f"{where} has no tags")


def _identifier(subject: Subject) -> Iterator[Diagnostic]:
    if not subject.root.text("id"):
        place = subject.root.get("asyncapi") or subject.root
        yield IDENTIFIER.at(place.key_location, "the document has no id", hint="add 'id: urn:com:example:chat'")


def _content_type(subject: Subject) -> Iterator[Diagnostic]:
    if subject.root.text("defaultContentType"):
        return
    silent = [one for one in subject.outline.messages if "contentType" not in one.members]
    if silent:
        names = listed(dict.fromkeys(one.key for one in silent))
        hint = "add 'defaultContentType: application/json' to the document"
        yield CONTENT_TYPE.at(silent[0].entry.key_location, f"nothing says the content type of {names}", hint=hint)


def _latest(subject: Subject) -> Iterator[Diagnostic]:
    newest, written = VERSIONS[-1], subject.root.get("asyncapi")
    if written is not None and subject.kind.version != newest:
        text = f"{quoted(str(written.value))} is not the newest version, which is {quoted(newest + '.0')}"
        yield LATEST_VERSION.at(written.location, text)


RULES = (
    Rule(
        CONTACT,
        Group.QUALITY,
        ALL,
        bad="info: {title: Chat, version: 1.0.0}\n",
        good="info:\n  title: Chat\n  version: 1.0.0\n  contact: {name: Support, email: support@example.com}\n",
        check=_contact,
        fix="writes a contact that says what is to be filled in.",
        fixer=contact,
        is_fix_safe=False,
        aliases=("asyncapi-info-contact", "asyncapi-info-contact-properties"),
    ),
    Rule(
        LICENSE,
        Group.QUALITY,
        ALL,
        bad="info: {title: Chat, version: 1.0.0}\n",
        good="""\
info:
  title: Chat
  version: 1.0.0
  license: {name: Apache 2.0, url: 'https://www.apache.org/licenses/LICENSE-2.0'}
""",
        check=_license,
        fix="writes a license that says what is to be filled in.",
        fixer=licence,
        is_fix_safe=False,
        aliases=("asyncapi-info-license", "asyncapi-info-license-url"),
    ),
    Rule(
        TAGS,
        Group.QUALITY,
        ALL,
        bad="info: {title: Chat, version: 1.0.0}\n",
        good="info: {title: Chat, version: 1.0.0, tags: [{name: chat}]}\n",
        check=_tags,
        aliases=("asyncapi2-tags",),
    ),
    Rule(
        IDENTIFIER,
        Group.QUALITY,
        ASYNCAPI,
        bad="asyncapi: 3.0.0\n",
        good="asyncapi: 3.0.0\nid: urn:com:example:chat\n",
        check=_identifier,
        aliases=("asyncapi-id",),
    ),
    Rule(
        CONTENT_TYPE,
        Group.QUALITY,
        ASYNCAPI,
        bad="asyncapi: 3.0.0\n",
        good="asyncapi: 3.0.0\ndefaultContentType: application/json\n",
        check=_content_type,
        fix="writes `defaultContentType: application/json`, unless a message names the format of its schema.",
        fixer=default_content_type,
        aliases=("asyncapi-defaultContentType",),
    ),
    Rule(
        LATEST_VERSION,
        Group.QUALITY,
        ASYNCAPI,
        bad="asyncapi: 2.6.0\n",
        good="asyncapi: 3.1.0\n",
        check=_latest,
        aliases=("asyncapi-latest-version",),
    ),
)
