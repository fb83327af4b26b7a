"""The names of files as services want them: relative to the folder that they show, and as URIs."""

from __future__ import annotations

import os
import posixpath
from urllib.parse import quote

from sockspec.reports.printable import encodable
from sockspec.reports.run import Run


def relative(run: Run, name: str) -> str:
    """A file's name with slashes, seen from the run's root; absolute where the file is not below it."""
    path = _slashed(name)
    if not _is_absolute(path):
        return posixpath.normpath(posixpath.join(_slashed(run.within), path))
    root = _slashed(run.root).rstrip("/")
    return path[len(root) + 1 :] if root and path.startswith(f"{root}/") else path


def uri(path: str) -> str:
    """A name that `relative` gives as a reference of RFC 3986; that of an absolute path begins with `file:`."""
    try:
        octets = os.fsencode(path)
    except UnicodeEncodeError:
        octets = encodable(path).encode()
    text = quote(octets, safe="/-._~!$&'()*+,;=@")
    if not _is_absolute(path):
        return text
    return f"file://{text}" if path.startswith("/") else f"file:///{text}"


def folder_uri(path: str) -> str:
    """A folder, absolute, as a URI that others can be relative to."""
    return uri(_slashed(path).rstrip("/") + "/")


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or os.path.isabs(path)
