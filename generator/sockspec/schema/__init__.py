"""JSON Schema as the specifications use it: read into types, and bundled as what judges payloads."""

from sockspec.schema.dialect import Dialect
from sockspec.schema.reader import SchemaReader

__all__ = ["Dialect", "SchemaReader"]
