"""What building the site does beside MkDocs.

In the navigation, a pattern stands for the pages that it matches, in the order of their names.

Pages link to files of the repository that are no pages. In the repository these links lead somewhere, on the site they
would lead nowhere. With `repo_url` in mkdocs.yml they lead to the repository; without, the words stay and the link goes.
A link to a file that does not exist is left as it is, and the strict build says so.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^( *)(`{3,})[^`\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """The settings, with the patterns of the navigation made into pages."""
    config.nav = _expanded(config.nav, Path(config.docs_dir))
    return config


def _expanded(item: Any, docs: Path) -> Any:
    match item:
        case dict():
            return {title: _expanded(value, docs) for title, value in item.items()}
        case list():
            parts = [_expanded(each, docs) for each in item]
            return [each for part in parts for each in (part if isinstance(part, list) else [part])]
        case str() if "*" in item:
            return sorted(path.relative_to(docs).as_posix() for path in docs.glob(item))
        case _:
            return item


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """The text of a page, with its links to files of the repository made into links that lead somewhere."""
    on_site = {file.src_uri for file in files}
    base = Path(page.file.src_uri).parent

    def replaced(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        if os.path.normpath(base / target) in on_site:
            return match[0]
        path = Path(os.path.normpath(Path(config.docs_dir) / base / target))
        if not path.exists() or not path.is_relative_to(ROOT):
            return match[0]
        where = path.relative_to(ROOT).as_posix()
        return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{where})" if config.repo_url else text

    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(replaced, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(replaced, markdown[end:])])
