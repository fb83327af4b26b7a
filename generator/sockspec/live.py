"""The package of a document, made and imported in this process: for commands that speak the API themselves."""

from __future__ import annotations

import importlib
import itertools
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from sockspec import output

_NUMBERS = itertools.count()


@contextmanager
def imported(files: Mapping[str, str]) -> Generator[ModuleType]:
    """A package that exists only within the block, and of which nothing stays behind.

    `files` is what `pipeline.generate` or `pipeline.modules` returns. Its modules are there as `package.messages`,
    `package.codecs`, `package.server` and `package.client`. Several packages can be imported at a time.
    """
    name = f"_sockspec_live_{next(_NUMBERS)}"
    with tempfile.TemporaryDirectory() as folder:
        output.write(files, Path(folder) / name)
        sys.path.insert(0, folder)
        try:
            yield _without_bytecode(name)
        finally:
            sys.path.remove(folder)
            for module in [module for module in sys.modules if module.partition(".")[0] == name]:
                del sys.modules[module]
            for path in [path for path in sys.path_importer_cache if path.startswith(folder)]:
                del sys.path_importer_cache[path]


def _without_bytecode(name: str) -> ModuleType:
    """The module, imported without the file of bytecode that PYTHONPYCACHEPREFIX would put elsewhere."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        for part in ("codecs", "server", "client"):
            importlib.import_module(f"{name}.{part}")
        return sys.modules[name]
    finally:
        sys.dont_write_bytecode = before
