"""The API as a Python package: identifiers, annotations and the views that templates print."""

from __future__ import annotations

from collections.abc import Mapping

from sockspec import ir
from sockspec.python import names
from sockspec.python.calls import Program, Programs
from sockspec.python.naming import package_name
from sockspec.python.package import files
from sockspec.python.reuse import Models
from sockspec.python.scaffold import files as scaffold
from sockspec.python.surface import surface

__all__ = ["Models", "Program", "Programs", "class_names", "codec_name", "files", "package_name", "scaffold", "surface"]


def codec_name(api: ir.Api, channel: ir.Channel, direction: ir.Direction) -> str:
    """The name of the codec for what one side sends on a channel."""
    return names.give(api).codecs[channel.name, direction]


def class_names(api: ir.Api) -> Mapping[str, str]:
    """The names of the classes of the messages, by the names of the messages."""
    return names.give(api).messages
