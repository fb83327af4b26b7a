"""Typed WebSocket APIs for Python, made from the document that describes them."""

__version__ = "0.1.0"
