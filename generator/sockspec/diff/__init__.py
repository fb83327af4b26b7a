"""What has changed between two versions of an API, and whom it concerns.

`compare` takes two APIs, from whichever specifications, and gives changes: values with a rule, a place and a level.
"""

from __future__ import annotations

from sockspec.diff.comparison import compare, rated
from sockspec.diff.rule import Category, Change, Rule
from sockspec.diff.rules import RULES

__all__ = ["RULES", "Category", "Change", "Rule", "compare", "rated"]
