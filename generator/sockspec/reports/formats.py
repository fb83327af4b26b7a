"""The formats by the names that `--format` takes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sockspec.reports.run import Run

_MODULES = {
    "text": "text",
    "json": "as_json",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "gitlab": "gitlab",
    "checkstyle": "checkstyle",
    "markdown": "markdown",
}


def _printer(module: str) -> Callable[[Run], str]:
    """The printer of a module, which is imported when something is printed: most runs need one of them."""

    def printer(run: Run) -> str:
        printed: str = importlib.import_module(f"sockspec.reports.{module}").report(run)
        return printed

    return printer


FORMATS: Mapping[str, Callable[[Run], str]] = MappingProxyType(
    {name: _printer(module) for name, module in _MODULES.items()}
)
"""What turns a run into text, by the name of the format."""
