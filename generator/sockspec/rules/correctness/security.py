"""What servers and operations ask of clients: schemes that there are, and scopes that these have."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.correctness.comparing import did_you_mean
from sockspec.rules.rule import ALL, ASYNCAPI_2, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.names import UNKNOWN_SECURITY_SCHEME, unknown_security_scheme
from sockspec.spec.node import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNKNOWN_SCOPE = Code(
    "unknown-scope",
    Severity.ERROR,
    "A security requirement names a scope that none of the flows of its `oauth2` scheme has (OAuth Flow Object), so that "
    "no client could ask for it.",
    tolerable=True,
)
SCOPES_NOT_TAKEN = Code(
    "scopes-not-taken",
    Severity.ERROR,
    "A security requirement lists scopes for a scheme that has none: only `oauth2` and `openIdConnect` do, for others "
    "the list has to be empty (AsyncAPI 2, Security Requirement Object).",
    tolerable=True,
)

_SCOPED = ("oauth2", "openIdConnect")


def _lists(subject: Subject) -> Iterator[Node]:
    """The `security` of everything that has one."""
    if not subject.is_asyncapi:
        found = [part.get("security") for part in (subject.root, *subject.schemas.objects("operation"))]
        yield from (node for node in found if node is not None)
        return
    outline = subject.outline
    found = [server.node.get("security") for server in outline.servers]
    found += [operation.members.get("security") for operation in outline.operations]
    found += [trait.node.get("security") for trait in outline.components("operationTraits")]
    yield from {node.identity: node for node in found if node is not None}.values()


def _schemes(subject: Subject) -> dict[str, Node]:
    components = subject.root.get("components")
    listed = components.get("securitySchemes") if components is not None else None
    return dict(listed.items()) if listed is not None else {}


def _named(subject: Subject) -> Iterator[tuple[str, Node]]:
    """The names of schemes in requirements, each with the scopes that are asked for. AsyncAPI 3 names none."""
    if not subject.is_asyncapi_3:
        for node in _lists(subject):
            for requirement in node.elements():
                yield from requirement.items()


def _unknown(subject: Subject) -> Iterator[Diagnostic]:
    """What requirements of OpenAPI name is found as they are read, in extensions, too."""
    if not subject.is_asyncapi:
        return
    known = _schemes(subject)
    for name, scopes in _named(subject):
        if name not in known:
            yield unknown_security_scheme(name, known, scopes.key_location)


def _asked(subject: Subject) -> Iterator[tuple[Node, Node]]:
    """Schemes with the scopes that are asked of them."""
    known = _schemes(subject)
    if not subject.is_asyncapi_3:
        for name, scopes in _named(subject):
            scheme = subject.kinds.end(known[name]) if name in known else None
            if scheme is not None:
                yield scheme, scopes
        return
    listed = [entry for node in _lists(subject) for entry in node.elements()]
    ends = [end for entry in (*listed, *known.values()) if (end := subject.kinds.end(entry)) is not None]
    for scheme in {end.identity: end for end in ends}.values():
        written = scheme.get("scopes")
        if written is not None:
            yield scheme, written


def _unknown_scopes(subject: Subject) -> Iterator[Diagnostic]:
    for scheme, scopes in _asked(subject):
        flows = scheme.get("flows")
        if scheme.text("type") != "oauth2" or flows is None:
            continue
        word = "availableScopes" if subject.is_asyncapi_3 else "scopes"
        offered = [listed for _, flow in flows.items() if (listed := flow.get(word)) is not None]
        known = dict.fromkeys(name for listed in offered for name, _ in listed.items())
        if not offered or not all(isinstance(listed.value, dict) for listed in offered):
            continue
        for scope in scopes.elements():
            if isinstance(scope.value, str) and scope.value not in known:
                message = f"no flow of the scheme has the scope {quoted(scope.value)}"
                hint = did_you_mean(nearest(scope.value, known))
                yield UNKNOWN_SCOPE.at(scope.location, message, hint=hint, related=[scheme.key_location])


def _scopes_not_taken(subject: Subject) -> Iterator[Diagnostic]:
    for scheme, scopes in _asked(subject):
        kind = scheme.text("type")
        if kind and kind not in _SCOPED and isinstance(scopes.value, list) and scopes.value:
            message = f"a scheme of the type {quoted(kind)} has no scopes; an empty list was expected"
            yield SCOPES_NOT_TAKEN.at(scopes.location, message, related=[scheme.key_location])


RULES = (
    Rule(
        UNKNOWN_SECURITY_SCHEME,
        Group.CORRECTNESS,
        ALL,
        bad="""\
security:
  - bearer: []
components:
  securitySchemes:
    bearerAuth: {type: http, scheme: bearer}
""",
        good="""\
security:
  - bearerAuth: []
components:
  securitySchemes:
    bearerAuth: {type: http, scheme: bearer}
""",
        check=_unknown,
        aliases=("asyncapi2-server-security", "asyncapi2-operation-security"),
    ),
    Rule(
        UNKNOWN_SCOPE,
        Group.CORRECTNESS,
        ALL,
        bad="""\
type: oauth2
scopes: [room:write]
flows:
  clientCredentials:
    tokenUrl: https://example.com/token
    availableScopes: {'rooms:write': write to rooms}
""",
        good="""\
type: oauth2
scopes: [rooms:write]
flows:
  clientCredentials:
    tokenUrl: https://example.com/token
    availableScopes: {'rooms:write': write to rooms}
""",
        check=_unknown_scopes,
        aliases=("asyncapi2-server-security", "asyncapi2-operation-security"),
    ),
    Rule(
        SCOPES_NOT_TAKEN,
        Group.CORRECTNESS,
        ASYNCAPI_2,
        bad="""\
security:
  - bearerAuth: [rooms:write]
""",
        good="""\
security:
  - bearerAuth: []
""",
        check=_scopes_not_taken,
    ),
)
