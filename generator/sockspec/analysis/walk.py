"""Walking the types of an API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sockspec import ir


def parts(of: ir.Type | ir.Record, *, whole: Callable[[ir.Union], bool] = lambda union: False) -> Iterator[ir.Type]:
    """The type and every type inside it, up to references. Unions that are `whole` are not entered."""
    stack: list[ir.Type | ir.Record] = [of]
    while stack:
        one = stack.pop()
        match one:
            case ir.Record():
                if one.extra is not None:
                    stack.append(one.extra)
                stack.extend(field.type for field in reversed(one.fields))
                continue
            case ir.Array():
                stack.append(one.item)
            case ir.Map():
                stack.append(one.value)
            case ir.Nullable():
                stack.append(one.of)
            case ir.Tuple():
                if one.rest is not None:
                    stack.append(one.rest)
                stack.extend(reversed(one.items))
            case ir.Union() if not whole(one):
                stack.extend(reversed(one.members))
            case ir.Scalar() | ir.Constant() | ir.Ref() | ir.Anything() | ir.Union():
                pass
        yield one


def body(definition: ir.Definition) -> ir.Type | ir.Record:
    """What a definition is made of."""
    match definition:
        case ir.Record():
            return definition
        case ir.Enumeration():
            return ir.Constant(definition.values)
        case ir.Alias():
            return definition.type


def resolve(of: ir.Type | ir.Record, definitions: Mapping[str, ir.Definition]) -> ir.Type | ir.Record:
    """What a reference stands for, through any number of names."""
    seen: set[str] = set()
    while isinstance(of, ir.Ref) and of.name in definitions and of.name not in seen:
        seen.add(of.name)
        of = body(definitions[of.name])
    return of


def by_name(api: ir.Api) -> dict[str, ir.Definition]:
    """The definitions of an API."""
    return {definition.name: definition for definition in api.definitions}


def alias_order(definitions: Mapping[str, ir.Definition]) -> tuple[list[ir.Alias], list[ir.Alias]]:
    """The aliases, each after those that it is made of; and those that are made of themselves somewhere inside."""
    aliases = {name: d for name, d in definitions.items() if isinstance(d, ir.Alias)}
    needs = {
        name: {part.name for part in parts(alias.type) if isinstance(part, ir.Ref) and part.name in aliases}
        for name, alias in aliases.items()
    }
    users: dict[str, list[str]] = {}
    for name, needed in needs.items():
        for one in needed:
            users.setdefault(one, []).append(name)
    waiting = {name: len(needed) for name, needed in needs.items()}
    ready = [name for name, count in waiting.items() if count == 0]
    ordered: list[ir.Alias] = []
    for name in ready:
        ordered.append(aliases[name])
        for user in users.get(name, ()):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    settled = {alias.name for alias in ordered}
    return ordered, [alias for name, alias in aliases.items() if name not in settled]
