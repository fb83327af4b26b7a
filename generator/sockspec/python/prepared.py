"""An API as all views of its package take it: with a name for everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import dispatch, walk
from sockspec.python import hoist, names
from sockspec.python.names import Names
from sockspec.python.types import Types


@dataclass(frozen=True, slots=True)
class Prepared:
    """An API whose types can be written down, its names, and how its messages are told apart."""

    api: ir.Api
    names: Names
    types: Types
    dispatches: Mapping[tuple[str, ir.Direction], dispatch.Dispatch]


def prepare(api: ir.Api) -> Prepared:
    """Give everything a name, also what the document does not name."""
    dispatches = dispatch.all_of(api)
    tags = dispatch.record_tags(api, dispatches.values())
    api = hoist.hoist(api, Types(walk.by_name(api), names.give(api).definitions, tags))
    given = names.give(api)
    return Prepared(api, given, Types(walk.by_name(api), given.definitions, tags), dispatches)
