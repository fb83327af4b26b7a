"""The site is built of the pages, strictly: what leads nowhere is an error, and nothing is asked of other hosts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sockspec import runtime
from tests.site.pages import ROOT

_ASSET = re.compile(
    r"""<(?:script|img|iframe|link(?=[^>]*(?:stylesheet|icon|preload|preconnect)))[^>]*(?:src|href)=["']?([^"'\s>]+)"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "generator")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def test_every_page_becomes_one_of_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert pages - {path.relative_to(site) for path in site.rglob("*.html")} == set()


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    assets = {asset for page in pages for asset in _ASSET.findall(page)}
    assert [asset for asset in sorted(assets) if "//" in asset] == []
    assert any(asset.endswith(".css") for asset in assets)
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles) == []


def test_every_public_name_of_the_runtime_has_its_place(site: Path) -> None:
    page = (site / "runtime.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'id="sockspec\.runtime\.(?:\w+\.)*(\w+)"', page))
    assert set(runtime.__all__) - anchors == set()


def test_links_to_files_that_are_no_pages_lead_nowhere_else(site: Path) -> None:
    """Without `repo_url` their words stay, and the link goes."""
    page = (site / "types.html").read_text(encoding="utf-8")
    assert "<code>specs/types.asyncapi.yaml</code>" in page
    assert 'types.asyncapi.yaml"' not in page
