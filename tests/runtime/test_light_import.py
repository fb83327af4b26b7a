"""Importing the runtime is light, and its names are where the index says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sockspec.runtime


def modules_after(statement: str) -> set[str]:
    """The modules of interest that are loaded after a statement."""
    heavy = ("asyncio", "jsonschema", "referencing", "websockets", "sockspec.cli", "jinja2", "yaml")
    program = f"import sys\n{statement}\nprint(*(name for name in {heavy!r} if name in sys.modules))"
    source = str(Path(sockspec.runtime.__file__).parents[2])
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": source})
    return set(found.stdout.split())


@pytest.mark.parametrize(
    ("statement", "modules"),
    [
        ("from sockspec.runtime import Codec, Entry, Problem, Schemas", set()),
        ("from sockspec.runtime import *", {"asyncio"}),
        ("import sockspec.runtime.serving.standalone", {"asyncio", "websockets"}),
    ],
)
def test_a_program_loads_only_what_it_needs(statement: str, modules: set[str]) -> None:
    assert modules_after(statement) == modules


def test_every_name_of_the_runtime_can_be_imported() -> None:
    assert [name for name in sockspec.runtime.__all__ if not hasattr(sockspec.runtime, name)] == []


def test_a_name_that_the_runtime_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'sockspec\.runtime' has no attribute 'Nonsense'"):
        getattr(sockspec.runtime, "Nonsense")  # noqa: B009 - what a type checker would refuse
