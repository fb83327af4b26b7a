"""`python -m tests.site` lists the links of the pages to other hosts, which no test follows."""

from __future__ import annotations

import re

from tests.site.pages import ROOT, pages


def main() -> None:
    """Print each link once, with the pages that have it."""
    found: dict[str, list[str]] = {}
    for page in pages():
        for link in re.findall(r"\]\((https?://[^)\s]+)\)", (ROOT / page).read_text(encoding="utf-8")):
            found.setdefault(link, []).append(page)
    for link in sorted(found):
        print(link, *sorted(set(found[link])))


if __name__ == "__main__":
    main()
