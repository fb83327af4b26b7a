"""Templates: views in, text out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2


def renderer(overrides: Path | None = None) -> Callable[..., str]:
    """A function that prints a view with the template of a name.

    Templates in the folder `overrides` replace ours of the same name; there, `builtin/NAME` extends the replaced one.
    """
    builtin = jinja2.PackageLoader("sockspec")
    loaders: list[jinja2.BaseLoader] = [jinja2.FileSystemLoader(overrides)] if overrides is not None else []
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([*loaders, builtin, jinja2.PrefixLoader({"builtin": builtin})]),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is not None and ".html" in name,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def render(template: str, **view: object) -> str:
        return environment.get_template(template).render(view)

    return render
