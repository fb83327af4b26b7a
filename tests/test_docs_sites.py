"""The Markdown of an API in the sites that people put it into: MkDocs and Sphinx, both as strict as they can be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from html import unescape
from pathlib import Path

import markdown
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from sockspec import docs
from sockspec.docs.writing import MARKDOWN, one_line
from sockspec.pipeline import documentation, examine

ROOT = Path(__file__).parents[1]
CORPUS = ("speechmatics__docs/realtime.yaml", "tradeparadex__paradex-docs/asyncapi-2.6.0.yaml")
MKDOCS = """\
site_name: APIs
use_directory_urls: false
theme: {name: material, font: false}
validation: {omitted_files: warn, absolute_links: warn, unrecognized_links: warn, anchors: warn}
markdown_extensions: [attr_list, admonition, def_list, md_in_html, pymdownx.highlight, pymdownx.superfences, pymdownx.emoji]
"""
SPHINX = """\
project = "APIs"
extensions = ["myst_parser"]
myst_enable_extensions = ["attrs_inline", "attrs_block", "colon_fence", "deflist", "dollarmath", "substitution"]
smartquotes = False
"""


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sites")


@pytest.fixture
def sites(shared: Path, _folder: Path) -> tuple[Path, Path]:
    """The folders of the two sites, each with a page for each document."""
    return _built(shared, _folder)


@cache
def _built(shared: Path, folder: Path) -> tuple[Path, Path]:
    specs = {"chat": ROOT / "specs" / "chat.asyncapi.yaml", "names": ROOT / "specs" / "hostile_names.asyncapi.yaml"}
    specs |= {path.partition("__")[0]: shared / "corpus" / "asyncapi" / path for path in CORPUS}
    (folder / "docs").mkdir()
    for name, spec in specs.items():
        api, _ = examine(spec, wholly=False)
        assert api is not None
        page = documentation(api, docs.Origin(spec.name), formats=("markdown",))["index.md"]
        (folder / "docs" / f"{name}.md").write_text(page, encoding="utf-8")
    listed = "\n".join(specs)
    (folder / "docs" / "index.md").write_text(f"# APIs\n\n```{{toctree}}\n{listed}\n```\n", encoding="utf-8")
    (folder / "mkdocs.yml").write_text(MKDOCS, encoding="utf-8")
    (folder / "conf.py").write_text(SPHINX, encoding="utf-8")
    run("-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", folder / "mkdocs.yml")
    run("-m", "sphinx", "-W", "--keep-going", "-q", "-c", folder, folder / "docs", folder / "sphinx")
    return folder / "site", folder / "sphinx"


def run(*command: str | Path) -> None:
    """Run a module of Python; it has to say nothing."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def body(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    found = re.search(
        r'(?s)<article.*?</article>|<div class="body" role="main">.*?(?=<div class="sphinxsidebar")', text
    )
    assert found is not None
    return re.sub(r'(?s)<a class="headerlink".*?</a>|<nav.*?</nav>|<button.*?</button>', "", found[0])


def words(html: str) -> list[str]:
    return unescape(re.sub(r"<[^>]*>", " ", html)).split()


@pytest.mark.parametrize("name", ["chat", "names", "speechmatics", "tradeparadex"])
def test_both_sites_show_the_same(sites: tuple[Path, Path], name: str) -> None:
    one, other = (body(site / f"{name}.html") for site in sites)
    assert "".join(words(one)) == "".join(words(other))
    for tag in ("table", "tr", "pre", "h2", "h3", "li"):
        assert one.count(f"<{tag}>") + one.count(f"<{tag} ") == other.count(f"<{tag}>") + other.count(f"<{tag} ")


@pytest.mark.parametrize("name", ["chat", "names", "speechmatics", "tradeparadex"])
@pytest.mark.parametrize("site", [0, 1], ids=["mkdocs", "sphinx"])
def test_links_lead_to_places_on_the_page(sites: tuple[Path, Path], name: str, site: int) -> None:
    page = body(sites[site] / f"{name}.html")
    places = set(re.findall(r' id="([^"]+)"', page))
    links = set(re.findall(r' href="#([^"]+)"', page))
    assert len(links) > 10
    assert links - places == set()


def rendered_by_mkdocs(text: str) -> str:
    return markdown.markdown(
        text, extensions=["attr_list", "def_list", "md_in_html", "tables", "admonition", "fenced_code"]
    )


def rendered_by_sphinx(text: str) -> str:
    from markdown_it.renderer import RendererHTML

    extensions: Sequence[str] = ("attrs_inline", "attrs_block", "colon_fence", "deflist", "dollarmath")
    return str(create_md_parser(MdParserConfig(enable_extensions={*extensions}), RendererHTML).render(text))


AWKWARD = st.text(st.sampled_from(list("ab1 \n\\`*_[](){}#!|~$^:=%@/?<>&;.-+\"'")), max_size=30)


@given(AWKWARD | st.text(max_size=30))
@example("(a)=")
@example("::: os.path")
@example("a {: .b }")
@example("{math}`x`")
@example("[TOC]")
@example("!!! note")
@example("a\n: b")
@example("&#35;")
def test_words_mean_themselves_in_either(text: str) -> None:
    written = MARKDOWN.text(text)
    for render in (rendered_by_mkdocs, rendered_by_sphinx):
        html = render(f"{written}\n\nEnd.\n")
        assert re.sub(r"</?p>", "", html) == re.sub(r"<[^>]*>", "", html)
        assert (
            " ".join(unescape(html.replace("<p>", "").replace("</p>", "")).split()) == f"{one_line(text)} End.".strip()
        )


@given(AWKWARD | st.text(max_size=30))
def test_code_means_itself_in_either(text: str) -> None:
    written = MARKDOWN.code(text)
    for render in (rendered_by_mkdocs, rendered_by_sphinx):
        html = render(f"| a | b |\n| --- | --- |\n| {written} | x |\n")
        assert html.count("<td>") == 2
        cell = html.partition("<td>")[2].partition("</td>")[0]
        assert re.sub(r"</?code>", "", cell) == re.sub(r"<[^>]*>", "", cell)
        assert unescape(re.sub(r"<[^>]*>", "", cell)).split() == one_line(text).split()
