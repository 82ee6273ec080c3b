"""The site that `make docs` builds: it has no broken link, and a browser shows it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs/gallery_examples").glob("plot_*.py"))
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
CONTENTS = r"```{toctree}\n(.*?)```"
SITE = ROOT / "build/site"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_goes_through_the_door(example):
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert "\nimport torrey as tr\n" in text
    assert not re.search(r"^from torrey", text, flags=re.M)


def test_every_document_is_on_the_site():
    """In the contents of some other document."""
    documents = {path.stem: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    contents = "\n".join(
        block for text in documents.values() for block in re.findall(CONTENTS, text, flags=re.S)
    )
    listed = re.findall(r"^([\w/]+)$", contents, flags=re.M)
    assert documents.keys() - set(listed) == {"index"}


@pytest.fixture(scope="session")
def site() -> Path:
    """The site, built or brought up to date; warnings are errors."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "-c", "docs"]
    command += ["-d", "build/site-cache", ".", str(SITE)]
    once = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=ROOT, env=once, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return SITE


class Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a tag leads, and what leads to it."""
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.links.append(value)
            if value and name in ("id", "name"):
                self.anchors.add(value)


def pages(site: Path) -> Iterator[Path]:
    """Pages that are written, not those that belong to the theme."""
    return (path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts)


@pytest.mark.slow
def test_no_link_within_the_site_is_broken(site):
    read = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in pages(site)}
    assert len(read) > 50
    broken = []
    for path, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            known = read[target].anchors if target in read else {anchor}
            if not target.exists() or (anchor and anchor not in known):
                broken.append(f"{path.relative_to(site.resolve())}: {link}")
    assert broken == []


@pytest.mark.slow
def test_nothing_that_a_page_needs_comes_from_the_network(site):
    """Scripts, styles and pictures; links to elsewhere are for whoever follows them."""
    loaded = re.compile(r'<(?:script|img|source)[^>]*src="https?:|<link[^>]*href="https?:')
    found = {path.name for path in pages(site) if loaded.search(path.read_text(encoding="utf-8"))}
    assert found == set()


def shown(page: Path, query: str = "") -> str:
    """What a browser makes of a page, after its scripts have run."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    command = [CHROMIUM, *options, "--dump-dom", page.resolve().as_uri() + query]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.slow
def test_a_browser_opens_the_start_page(site):
    text = shown(site / "index.html")
    assert "Torrey computes diffusion MRI signals" in text
    assert "A first hour" in text


@pytest.mark.slow
def test_a_browser_finds_a_word(site):
    text = shown(site / "search.html", "?q=kurtosis")
    found = re.search(r"found (\d+) pages? matching", text)
    assert found, text[-2000:]
    assert int(found[1]) >= 3
    assert re.search(r'class="search">\s*<li', text)


@pytest.mark.slow
def test_a_browser_shows_an_example_with_its_picture_and_its_numbers(site):
    page = site / "docs/gallery/plot_2_exchange_time.html"
    text = shown(page)
    pictures = re.findall(r'<img[^>]*src="([^"]*plot_2_exchange_time_001[^"]*png)"', text)
    assert pictures
    assert all((page.parent / name).resolve().stat().st_size > 10_000 for name in pictures)
    assert re.search(r"exact\s.*?Karger", text, flags=re.S)
