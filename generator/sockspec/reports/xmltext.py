"""What XML can hold of texts."""

from __future__ import annotations

from xml.etree import ElementTree

from sockspec.reports.printable import printable


def value(text: str) -> str:
    """The text with an escape for each character that XML 1.0 cannot hold, and for those that terminals act upon."""
    return printable(text)


def lines(*texts: str) -> str:
    """The texts, each on a line of its own."""
    return "\n".join(map(value, texts))


def document(root: ElementTree.Element) -> str:
    """An element and all within it as a document, in ASCII: it can be written in any encoding."""
    ElementTree.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ElementTree.tostring(root, encoding='us-ascii').decode()}\n"
