"""What `validate`, `lint` and `diff` have to say, in the forms that people and other programs read.

A command makes a `Run`; `FORMATS` turns it into text. Each format is a module, imported when it is asked for.
"""

from __future__ import annotations

from sockspec.reports.formats import FORMATS
from sockspec.reports.run import Run, Source

__all__ = ["FORMATS", "Run", "Source"]
