"""The classes of a package: view of `messages.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import dispatch, walk
from sockspec.analysis.constants import TagValue
from sockspec.python import literals, naming
from sockspec.python.imports import exported_order, order
from sockspec.python.layout import Code, Group, assigned, call, either, flat, joined, lay, statement, subscript
from sockspec.python.names import Names
from sockspec.python.types import Types


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute: its line, and its docstring or nothing."""

    code: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """A class: its head up to the colon, its docstring, its attributes."""

    head: str
    doc: str
    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.head.removeprefix("class ").partition("(")[0]


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a type. `stand_in` is what it is at run time, where the decoder cannot read the type itself."""

    code: str
    doc: str = ""
    stand_in: str = ""

    @property
    def name(self) -> str:
        """The name itself."""
        return self.code.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A member of a message as a parameter of the method that sends it, and as the argument for the constructor."""

    member: str
    name: str
    """The name of the parameter."""
    annotation: Code
    default: str
    argument: str


def as_parameters(attributes: Iterable[Attribute]) -> tuple[Code, ...]:
    """The parameters of a method, those first that have to be given."""
    listed = tuple(attributes)
    required = (joined(f"{a.name}: ", a.annotation) for a in listed if not a.default)
    optional = (joined(f"{a.name}: ", a.annotation, f" = {a.default}") for a in listed if a.default)
    return (*required, *optional)


@dataclass(frozen=True, slots=True)
class Module:
    """Everything that the template prints."""

    classes: tuple[Class, ...]
    aliases: tuple[Alias, ...]
    exports: tuple[str, ...]
    listed: tuple[str, ...] = ()
    """The strings of `__all__`, which a module needs that hands on names of another."""

    def without(self, names: frozenset[str]) -> Module:
        """The module that has these names from another."""
        return Module(
            tuple(one for one in self.classes if one.name not in names),
            tuple(one for one in self.aliases if one.name not in names),
            self.exports,
            tuple(sorted(map(literals.string, self.exports), key=exported_order)),
        )


EXTRA = "**"
"""The wire name by which the runtime knows the member that holds all other properties."""
_OTHERS = "All other properties."


class Messages:
    """Writes the classes of one API."""

    def __init__(
        self,
        api: ir.Api,
        names: Names,
        types: Types,
        dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch],
    ) -> None:
        self._api = api
        self._names = names
        self._types = types
        self._dispatches = dispatches

    def module(self) -> Module:
        """The view of the module."""
        shared = {name for name, python in self._names.definitions.items() if python in self._names.messages.values()}
        definitions = [d for d in self._api.definitions if d.name not in shared]
        enumerations = [self._enumeration(d) for d in definitions if isinstance(d, ir.Enumeration)]
        classes = [self._message(message) for message in self._api.messages]
        classes += [
            self._record(d, self._names.definitions[d.name], d.name, d.description or d.title)
            for d in definitions
            if isinstance(d, ir.Record)
        ]
        ordered, recursive = walk.alias_order(self._types.definitions)
        aliases = [self._alias(alias, stand_in=False) for alias in ordered]
        aliases += [self._alias(alias, stand_in=True) for alias in recursive]
        aliases += [self._union(key, found) for key, found in self._dispatches.items()]
        aliases += [alias for operation in self._api.operations if (alias := self._operation(operation)) is not None]
        exports = [*self._names.messages.values(), *self._names.definitions.values()]
        exports += [self._names.unions[key] for key in self._dispatches]
        exports += [self._names.operations[o.name] for o in self._api.operations if self.has_alias(o)]
        return Module((*enumerations, *classes), tuple(aliases), tuple(sorted(set(exports), key=order)))

    def has_alias(self, operation: ir.Operation) -> bool:
        """Whether the messages of an operation are so many that they have a name together."""
        found = self._dispatches.get((operation.channel, operation.direction))
        return 2 < len(operation.messages) < (len(found.choices) if found is not None else 0)

    def union(self, operation: ir.Operation, prefix: str) -> Code:
        """The annotation of the messages of an operation."""
        if self.has_alias(operation):
            return prefix + self._names.operations[operation.name]
        if len(operation.messages) > 2:
            return prefix + self._names.unions[operation.channel, operation.direction]
        return either(*(prefix + self._names.messages[name] for name in operation.messages))

    def attributes(self, message: ir.Message, *, request: bool = False) -> list[Attribute]:
        """The members of a message as parameters of a method; a request's correlation id may be left out."""
        record = message.payload.type
        if not isinstance(record, ir.Record):
            annotation = self._types.annotation(record, "messages.")
            return [Attribute("payload", "payload", annotation, "", "payload")]
        return [
            self._attribute(field, name, correlation=message.correlation if request else ())
            for field, name in self._fields(record, f"message:{message.name}")
        ]

    def _attribute(self, field: ir.Field, name: str, *, correlation: tuple[str, ...]) -> Attribute:
        annotation, default = self._field_type(field, "messages."), self._default(field, "messages.")
        resolved = walk.resolve(field.type, self._types.definitions)
        kind = resolved.kind if isinstance(resolved, ir.Scalar) else None
        optional = either(annotation, "UnsetType")
        parameter = f"{name}_" if name in naming.METHOD_RESERVED or name == "timeout" else name
        if field.required and field.wire_name == "timestamp" and kind is ir.Kind.DATE_TIME:
            return Attribute(name, parameter, optional, "UNSET", f"stamped({parameter})")
        if field.required and (field.wire_name,) == correlation and kind is ir.Kind.STRING:
            return Attribute(name, parameter, optional, "UNSET", f"identified({parameter})")
        if default in ("[]", "{}") or default.endswith(")"):
            # Made anew in each call: such a value must not stand as the default of a parameter.
            fresh = f"{default} if {parameter} is UNSET else {parameter}"
            return Attribute(name, parameter, optional, "UNSET", fresh)
        return Attribute(name, parameter, annotation, default, parameter)

    # --- classes ----------------------------------------------------------------------------------------------------

    def _message(self, message: ir.Message) -> Class:
        name, record = self._names.messages[message.name], message.payload.type
        doc = message.description or message.summary or message.title
        if isinstance(record, ir.Record):
            return self._record(record, name, f"message:{message.name}", doc or record.description or record.title)
        annotation = self._types.annotation(record)
        member = Member(statement("payload", annotation, None, 4))
        return Class(
            lay(joined(Group(f"class {name}(", ("Struct", "frozen=True"), ")"), ":")), _class_doc(doc, name), (member,)
        )

    def _record(self, record: ir.Record, name: str, key: str, doc: str) -> Class:
        options: list[Code] = ["Struct", "kw_only=True", "frozen=True"]
        if record.closed:
            options.append("forbid_unknown_fields=True")
        if any(self._default(field, "") not in ("", "UNSET") for field, _ in self._fields(record, key)):
            options.append("omit_defaults=True")
        tag = self._types.tags.get(key)
        members: list[Member] = []
        if tag is not None:
            options += [f"tag_field={literals.string(tag[0])}", f"tag={literals.value(tag[1])}"]
            members.append(self._tag_member(record, tag))
        members += [self._field(field, python) for field, python in self._fields(record, key)]
        head = lay(joined(Group(f"class {name}(", tuple(options), ")"), ":"))
        return Class(head, _class_doc(doc, name), tuple(members))

    def _tag_member(self, record: ir.Record, tag: tuple[str, TagValue]) -> Member:
        value = literals.value(tag[1])
        name = next(naming.attribute_name(f.wire_name) for f in record.fields if f.wire_name == tag[0])
        name = f"{name}_" if name in naming.ATTRIBUTE_RESERVED else name
        annotation = subscript("ClassVar", subscript("Literal", value))
        return Member(statement(name, annotation, value, 4))

    def _fields(self, record: ir.Record, key: str) -> list[tuple[ir.Field, str]]:
        return record_members(record, self._types.tags.get(key))

    def _field(self, field: ir.Field, name: str) -> Member:
        default = self._default(field, "")
        arguments: list[Code] = []
        if name != field.wire_name:
            arguments.append(assigned("name", literals.string(field.wire_name)))
        if default and arguments:
            arguments.append(assigned("default", default))
        value = call("field", *arguments) if arguments else default or None
        code = statement(name, self._field_type(field, ""), value, 4)
        notes = [*(["deprecated"] if field.deprecated else []), *([field.access] if field.access else [])]
        doc = field.description + (f" ({', '.join(notes)})" if notes else "")
        return Member(code, literals.docstring(doc, 4) if doc.strip() else "")

    def _field_type(self, field: ir.Field, prefix: str) -> Code:
        annotation = self._types.annotation(field.type, prefix)
        return either(annotation, "UnsetType") if self._default(field, prefix) == "UNSET" else annotation

    def _default(self, field: ir.Field, prefix: str) -> str:
        """What stands for an absent field: the default that the document gives, or UNSET; nothing where it is required."""
        if field.required:
            return ""
        if field.has_default:
            return self.default_value(field.default, field.type, prefix) or "UNSET"
        return "UNSET"

    def default_value(self, value: object, of: ir.Type, prefix: str) -> str:
        """A default as Python writes it; nothing where it cannot."""
        if value is None:
            return "None" if isinstance(of, ir.Nullable) else ""
        of = of.of if isinstance(of, ir.Nullable) else of
        resolved = walk.resolve(of, self._types.definitions)
        match resolved:
            case ir.Constant():
                enumeration = self._types.definitions.get(of.name) if isinstance(of, ir.Ref) else None
                if isinstance(enumeration, ir.Enumeration) and value in enumeration.values:
                    member = enumeration_members(enumeration)[enumeration.values.index(str(value))]
                    return f"{prefix}{self._names.definitions[enumeration.name]}.{member}"
                fits = any(type(value) is type(v) and value == v for v in resolved.values)
                return literals.value(value) if fits else ""
            case ir.Scalar():
                return _scalar_default(value, resolved.kind)
            case ir.Array():
                return "[]" if value == [] else ""
            case ir.Map():
                return "{}" if value == {} else ""
            case _:
                return ""

    # --- enumerations and aliases -----------------------------------------------------------------------------------

    def _enumeration(self, enumeration: ir.Enumeration) -> Class:
        name = self._names.definitions[enumeration.name]
        descriptions = enumeration.descriptions or ("",) * len(enumeration.values)
        members = tuple(
            Member(
                statement(member, None, literals.string(value), 4), literals.docstring(doc, 4) if doc.strip() else ""
            )
            for member, value, doc in zip(
                enumeration_members(enumeration), enumeration.values, descriptions, strict=True
            )
        )
        head = lay(joined(Group(f"class {name}(", ("StrEnum",), ")", comma=False), ":"))
        return Class(head, _class_doc(enumeration.description or enumeration.title, name), members)

    def _alias(self, alias: ir.Alias, *, stand_in: bool) -> Alias:
        name = self._names.definitions[alias.name]
        doc = literals.docstring(alias.description or alias.title) if (alias.description or alias.title).strip() else ""
        inner = alias.type.of if isinstance(alias.type, ir.Nullable) else alias.type
        annotation = self._types.annotation(alias.type)
        if isinstance(inner, ir.Union) and not self._types.decodable(inner):
            alternatives = tuple(self._types.annotation(member) for member in inner.members)
            stand_in_type = call("one_of", joined("lambda: ", Group("(", alternatives, ")")))
            null = either(stand_in_type, "None") if isinstance(alias.type, ir.Nullable) else stand_in_type
            return Alias(statement(name, "TypeAlias", annotation, 4), doc, statement(name, None, null, 4))
        if isinstance(inner, ir.Tuple) and inner.rest is not None:
            items = Group("[", tuple(self._types.annotation(item) for item in inner.items), "]")
            rest = self._types.annotation(inner.rest)
            stand_in_type = call("open_tuple", joined("lambda: ", items), joined("lambda: ", rest))
            null = either(stand_in_type, "None") if isinstance(alias.type, ir.Nullable) else stand_in_type
            return Alias(statement(name, "TypeAlias", annotation, 4), doc, statement(name, None, null, 4))
        if stand_in:
            quoted = literals.string(flat(annotation))
            return Alias(f"{name}: TypeAlias = {quoted}", doc, f"{name} = Any")
        return Alias(statement(name, "TypeAlias", annotation), doc)

    def _union(self, key: tuple[str, ir.Direction], found: dispatch.Dispatch) -> Alias:
        classes = either(*(self._names.messages[choice.message.name] for choice in found.choices))
        who = "clients" if key[1] is ir.Direction.CLIENT_TO_SERVER else "the server"
        channel = next(c for c in self._api.channels if c.name == key[0])
        doc = literals.docstring(f"What {who} may send on {channel.address or channel.name}.")
        return Alias(statement(self._names.unions[key], "TypeAlias", classes), doc)

    def _operation(self, operation: ir.Operation) -> Alias | None:
        if not self.has_alias(operation):
            return None
        classes = either(*(self._names.messages[name] for name in operation.messages))
        return Alias(statement(self._names.operations[operation.name], "TypeAlias", classes))


def record_members(record: ir.Record, tag: tuple[str, TagValue] | None) -> list[tuple[ir.Field, str]]:
    """The fields of a record that are members of its objects, not of the class, with their identifiers."""
    scope = naming.Scope(naming.ATTRIBUTE_RESERVED)
    found: list[tuple[ir.Field, str]] = []
    for field in sorted(record.fields, key=lambda f: tag is None or f.wire_name != tag[0]):
        name = scope.claim(field.name_hint or naming.attribute_name(field.wire_name), field.wire_name)
        if tag is None or field.wire_name != tag[0]:
            found.append((field, name))
    if record.extra is not None:
        others = ir.Field(EXTRA, ir.Map(record.extra), False, record.location, _OTHERS, {}, has_default=True)
        found.append((others, scope.claim("extra", EXTRA)))
    return found


def enumeration_members(enumeration: ir.Enumeration) -> list[str]:
    """The names of the members of an enumeration."""
    scope = naming.Scope(naming.MEMBER_RESERVED)
    wanted = enumeration.names or enumeration.values
    return [scope.claim(naming.member_name(word)) for word in wanted]


def _class_doc(text: str, name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return literals.docstring(text if text.strip() else f"{spaced[:1]}{spaced[1:].lower()}.", 4)


def _scalar_default(value: object, kind: ir.Kind) -> str:
    """A default as Python writes it; the document's values have been held to their types before."""
    match kind:
        case ir.Kind.STRING | ir.Kind.BOOLEAN | ir.Kind.INTEGER | ir.Kind.NUMBER:
            return literals.value(value)
        case ir.Kind.DATE_TIME:
            return f"dt.datetime.fromisoformat({literals.value(value)})"
        case ir.Kind.DATE:
            return f"dt.date.fromisoformat({literals.value(value)})"
        case ir.Kind.TIME:
            return f"dt.time.fromisoformat({literals.value(value)})"
        case ir.Kind.UUID:
            return f"UUID({literals.value(value)})"
        case _:
            return ""
