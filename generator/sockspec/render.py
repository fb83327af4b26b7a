"""Templates: views in, text out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import jinja2


class BadTemplate(ValueError):
    """A template that cannot be printed; says which one, at which line, and why."""


def renderer(overrides: Path | None = None) -> Callable[..., str]:
    """A function that prints a view with the template of a name. It raises BadTemplate.

    Templates in the folder `overrides` replace ours of the same name; there, `builtin/NAME` extends the replaced one.
    """
    return _ours() if overrides is None else _renderer(overrides)


@cache
def _ours() -> Callable[..., str]:
    """A function that prints with our templates, each of which is compiled once: that takes longer than to print."""
    return _renderer(None)


def _renderer(overrides: Path | None) -> Callable[..., str]:
    builtin = jinja2.PackageLoader("sockspec")
    loaders: list[jinja2.BaseLoader] = [jinja2.FileSystemLoader(overrides)] if overrides is not None else []
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([*loaders, builtin, jinja2.PrefixLoader({"builtin": builtin})]),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is not None and ".html" in name,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,  # asks the disk at each use whether a template has changed
    )

    def render(template: str, **view: object) -> str:
        try:
            return environment.get_template(template).render(view)
        except jinja2.TemplateSyntaxError as error:
            raise BadTemplate(f"{error.filename or error.name}:{error.lineno}: {error.message}") from None
        except jinja2.TemplateNotFound as error:
            raise BadTemplate(f"there is no template {error.name!r}, which {template!r} asks for") from None
        except jinja2.TemplateError as error:
            raise BadTemplate(f"{template}: {error.message}") from None
        except Exception as error:  # templates of the user may do anything
            raise BadTemplate(f"{template}: {type(error).__name__}: {error}") from error

    return render
