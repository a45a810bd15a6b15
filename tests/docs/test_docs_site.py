"""The site of the documentation: everything is on it, every link leads somewhere, and it loads nothing from anywhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from browsing import chromium

ROOT = Path(__file__).parents[2]


def tool():
    """Return ``tools/docs.py``, which is no package."""
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "tools" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_site"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """The pages as they are laid for Sphinx, without the reference."""
    folder = tmp_path_factory.mktemp("source")
    tool().lay(folder)
    tool().write_nav(folder)
    return folder


def test_every_page_of_the_repository_is_laid_and_every_link_still_leads_somewhere(source, read):
    laid = sorted(source.rglob("*.md"))
    assert len(laid) == len(list((ROOT / "docs").rglob("*.md"))) + len(tool().TOP)
    for path in laid:
        page = read(str(path))
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            there = (path.parent / name).resolve() if name else path
            assert there.is_file(), f"{path.relative_to(source)}: {link}"
            assert source in there.parents, f"{path.relative_to(source)}: {link}"
            if anchor:
                assert anchor in read(str(there)).anchors, f"{path.relative_to(source)}: {link}"


def test_every_page_is_in_one_group_of_the_navigation(source):
    text = (source / "index.md").read_text("utf-8")
    groups = re.findall(r"```\{toctree\}\n:hidden:\n:caption: (\S+)\n\n(.*?)\n```", text, re.DOTALL)
    assert [name for name, _ in groups] == list(tool().NAV)
    listed = [re.sub(r".*<(.*)>", r"\1", line) for _, body in groups for line in body.split("\n")]
    pages = {str(p.relative_to(source).with_suffix("")) for p in source.rglob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages)


def test_a_link_to_what_is_not_there_ends_the_build(tmp_path, monkeypatch):
    made = tool()
    monkeypatch.setattr(made, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "page.md"
    page.write_text("# Page\n\n[gone](gone.md) and `[code](code.md)`\n")
    with pytest.raises(SystemExit, match=r"docs/page.md links to gone.md, which is not there"):
        made.turned(page, tmp_path / "source")


@pytest.fixture(scope="module")
def browser():
    """One browser, or a skip that says what is missing."""
    with chromium() as held:
        yield held


class Reader(HTMLParser):
    """What a page loads, where it leads, what can be led to, and what is written into its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.inline: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        if tag == "a" and "href" in given:
            self.leads.append(given["href"])
        elif tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.loads.append(given["src"])
        elif tag == "link" and given.get("rel") not in ("canonical", "search", "next", "prev"):
            self.loads.append(given.get("href", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as ``make docs`` builds it: a warning of Sphinx fails here."""
    pytest.importorskip("sphinx", reason="the dependency group `docs` is not installed")
    out = tmp_path_factory.mktemp("site")
    program = [sys.executable, str(ROOT / "tools" / "docs.py"), str(out)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "html"


@pytest.mark.long
@pytest.mark.timeout(900)  # it builds the site
def test_the_site_has_every_public_name_and_every_link_of_it_resolves(site):
    import assay

    pages = {path: Reader(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    assert {f"assay.{name}" for name in assay.__all__} <= pages[site / "api" / "assay.html"].ids
    for path, page in pages.items():
        for link in page.leads:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", f"{path.relative_to(site)}: {link}"
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert there.is_file(), f"{path.relative_to(site)}: {link}"
            if parts.fragment and there in pages:
                known = pages[there].ids
                assert unquote(parts.fragment) in known, f"{path.relative_to(site)}: {link}"


@pytest.mark.long
def test_no_page_of_the_site_loads_or_runs_anything_that_is_not_its_own(site):
    for path in site.rglob("*.html"):
        page = Reader(path.read_text("utf-8"))
        assert page.policy.startswith("default-src 'none'; script-src 'self'"), path
        assert "unsafe" not in page.policy
        assert page.inline == [], path
        assert [link for link in page.loads if urlsplit(link).scheme or link.startswith("//")] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", sheet.read_text("utf-8"))


@pytest.mark.long
def test_the_site_is_read_and_searched_from_the_disk_on_a_phone_and_in_the_dark(site, browser):
    for width, scheme in ((1280, "light"), (360, "dark")):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        page = context.new_page()
        told: list[str] = []
        page.on("console", lambda message, told=told: told.append(message.text))
        page.on("pageerror", lambda error, told=told: told.append(str(error)))
        for name in ("index.html", "statistics.html", "api/assay.html", "families/lm.html"):
            page.goto((site / name).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert told == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(251, 250, 247)" if scheme == "light" else "rgb(18, 20, 24)")
        page.goto((site / "search.html").as_uri() + "?q=Holm")
        # Results are put there one after another: the sixth is waited for.
        page.locator("#search-results li a").nth(5).wait_for()
        context.close()
