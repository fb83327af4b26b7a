"""The API as a Python package: identifiers, annotations and the views that templates print.

What makes the views is imported where it is called: rules look at identifiers, and need no more than these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sockspec import ir
from sockspec.python.reuse import Models

if TYPE_CHECKING:
    from sockspec.python.package import Render

__all__ = ["Models", "class_names", "codec_name", "files"]


def files(api: ir.Api, source: str, render: Render, *, models: Models | None = None) -> Mapping[str, str]:
    """The modules of the package by their paths. `source` is the name of the document, for the header.

    What `models` has already is imported from there.
    """
    from sockspec.python import package

    return package.files(api, source, render, models=models)


def codec_name(api: ir.Api, channel: ir.Channel, direction: ir.Direction) -> str:
    """The name of the codec for what one side sends on a channel."""
    from sockspec.python import names

    return names.give(api).codecs[channel.name, direction]


def class_names(api: ir.Api) -> Mapping[str, str]:
    """The names of the classes of the messages, by the names of the messages."""
    from sockspec.python import names

    return names.give(api).messages
