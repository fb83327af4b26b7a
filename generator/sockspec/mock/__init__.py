"""Mock servers: an API from its document alone, by the project's own runtime, with faults on demand."""

from sockspec.mock.hosting import Hosted
from sockspec.mock.script import BadScript
from sockspec.mock.server import Manner, Mock
from sockspec.mock.traffic import Traffic

__all__ = ["BadScript", "Hosted", "Manner", "Mock", "Traffic"]
