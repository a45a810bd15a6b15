"""Build the documentation site from ``docs/``: ``make docs``.

    python tools/docs.py [OUT]

The pages are those of the repository: here they are laid into one tree, their links are turned to where they then
stand, the reference of the public API is written from its docstrings, and Sphinx makes HTML of it.  A warning is an
error.  The site loads nothing from anywhere, works from the disk, and says so in the policy of every page.
"""

from __future__ import annotations

import ast
import base64
import fnmatch
import hashlib
import importlib
import importlib.util
import inspect
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / ".cache" / "docs"

TOP = {name: f"{name.removesuffix('.md').lower()}.md" for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LOG.md")}  # fmt: skip
"""Pages of the root, and what they are called on the site."""

NAV: Mapping[str, Sequence[str]] = {
    "Start": ("Overview <readme>", "start/five-minutes", "start/one-hour", "migrate", "walk"),
    "Tutorials": ("tutorials/*",),
    "Guides": (
        *("import", "ci", "board", "cascades", "prices", "noise", "logs", "plugins", "reproduce"),
        *("scale", "security", "reliability", "packaging", "notebooks", "contributing"),
    ),
    "Families": ("families/*",),
    "Reference": (
        *(
            "plan",
            "commands",
            "statistics",
            "errors",
            "nouns",
            "run-directory",
            "Public API <api/assay>",
            "api/*",
        ),
        *("changelog", "log"),
    ),
    "Why": ("why/*",),
}
"""What the side of every page lists, in order; a page that nobody has placed goes to the guides."""

MODULES = (
    *("boards", "documents", "estimates", "extras", "figures", "formats", "kept", "lines", "locks"),
    *("logs", "machines", "pages", "plans", "predictions", "progress", "recipes", "repositories"),
    *("runs", "sandbox", "sections", "signing", "sockets", "templates", "testing", "visible"),
)
"""Public modules for plugin authors."""

LINK = re.compile(
    r"^ *```.*?^ *```$|(\[(?:[^\]\[\n]|\[[^\]\n]*\])*\])\(([^)\s]+)\)|`[^`\n]*`",
    re.MULTILINE | re.DOTALL,
)
"""A fenced block, a link, or a piece of code: whichever begins first."""

POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)
STYLE = re.compile(r"(?<=[\w\"]) style=\"([^\"]*)\"")
INLINE = re.compile(r"<(script|style)(?![^>]*\ssrc=)[^>]*>(.*?)</\1>", re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Build; return 1 where a page is at fault."""
    out = Path(arguments[0]) if arguments else OUT
    source = out / "source"
    shutil.rmtree(out, ignore_errors=True)
    pages = lay(source)
    write_reference(source)
    write_nav(source)
    warnings = build(source, out / "html", out / "doctrees")
    if warnings:
        print(warnings, file=sys.stderr)
        return 1  # what was made stays there, to look at
    close(out / "html")
    for spare in ("_sources", ".buildinfo", "objects.inv"):
        gone = out / "html" / spare
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink(missing_ok=True)
    print(f"{pages} pages: {out / 'html' / 'index.html'}")
    return 0


# --- pages of the repository ------------------------------------------------------------------


def place(path: Path) -> Path:
    """Return where a file of the repository stands on the site."""
    inside = path.relative_to(ROOT)
    if inside.parts[0] == "docs":
        return Path(*inside.parts[1:])
    if str(inside) in TOP:
        return Path(TOP[str(inside)])
    return Path("files") / inside


def lay(source: Path) -> int:
    """Copy every page and what they show or link, with links turned; return how many pages."""
    found = [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in TOP)]
    for page in found:
        there = source / place(page)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(turned(page, source), "utf-8")
    static = source / "_static"
    static.mkdir(exist_ok=True)
    shutil.copy(ROOT / "docs" / "site.css", static)
    shutil.copy(ROOT / "site" / "icon.svg", static)
    return len(found)


def turned(page: Path, source: Path) -> str:
    """Return a page's text with links as they are on the site; copy the files that it links."""

    def turn(found: re.Match[str]) -> str:
        text, link = found[1], found[2]
        if text is None:
            return found[0]
        if re.match(r"[a-z]+:", link) or link.startswith("#"):
            return found[0]
        name, mark, anchor = link.partition("#")
        target = (page.parent / name).resolve()
        if not target.is_file():
            sys.exit(f"{page.relative_to(ROOT)} links to {link}, which is not there")
        there = place(target)
        if target.suffix != ".md":
            (source / there).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(target, source / there)
        elif not (target.is_relative_to(ROOT / "docs") or target.name in TOP):
            return text  # a page of the repository that is not on the site
        away = os.path.relpath(there, place(page).parent)
        return f"{text}({away}{mark}{anchor})"

    return LINK.sub(turn, page.read_text("utf-8"))


# --- the reference ----------------------------------------------------------------------------


def write_reference(source: Path) -> None:
    """Write a page for the public names of ``assay``, and one for each public module."""
    folder = source / "api"
    folder.mkdir()
    assay = importlib.import_module("assay")
    kinds: dict[str, list[str]] = {"Functions": [], "Values": [], "Errors": [], "Types": []}
    for name in sorted(assay.__all__, key=str.lower):
        kinds[kind_of(getattr(assay, name))].append(name)
    lines = ["# Public API", "", said(assay), ""]
    for kind, names in kinds.items():
        lines += [f"## {kind}", ""]
        lines += [directive("assay", name, getattr(assay, name)) for name in names]
    (folder / "assay.md").write_text("\n".join(lines), "utf-8")
    for module in MODULES:
        made = importlib.import_module(f"assay.{module}")
        lines = [f"# assay.{module}", "", said(made), ""]
        lines += [directive(f"assay.{module}", name, value) for name, value in public(made)]
        (folder / f"{module}.md").write_text("\n".join(lines), "utf-8")


def public(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a module offers: what it lists, or else what is defined in it."""
    names = getattr(module, "__all__", None)
    for name, value in sorted(vars(module).items(), key=lambda item: item[0].lower()):
        own = getattr(value, "__module__", None) == module.__name__
        if name in names if names is not None else own and not name.startswith("_"):
            yield name, value


def kind_of(value: Any) -> str:
    """Return the heading that a public name stands under."""
    if inspect.isclass(value):
        return "Errors" if issubclass(value, Exception) else "Types"
    return "Functions" if inspect.isfunction(value) else "Values"


def said(module: Any) -> str:
    """Return a module's docstring as reStructuredText inside of Markdown."""
    return f"```{{eval-rst}}\n{inspect.getdoc(module)}\n```"


def directive(module: str, name: str, value: Any) -> str:
    """Return the directive that writes one name's documentation."""
    word = {"Functions": "function", "Values": "data", "Errors": "exception", "Types": "class"}
    kind = word[kind_of(value)]
    if kind == "data":
        lines = written(module, name) or (f"``{value!r}``",)
        told = "\n".join(f"   {line}".rstrip() for line in lines)
        return f"```{{eval-rst}}\n.. py:data:: {module}.{name}\n\n{told}\n```\n"
    more = "   :members:\n" if kind in ("class", "exception") else ""
    home = f"{getattr(value, '__module__', module)}.{getattr(value, '__qualname__', name)}"
    if home in _DESCRIBED and _DESCRIBED[home] != module:
        more += "   :no-index:\n"
    _DESCRIBED.setdefault(home, module)
    return f"```{{eval-rst}}\n.. auto{kind}:: {module}.{name}\n{more}```\n"


def written(module: str, name: str) -> Sequence[str]:
    """Return what stands below a value where it is defined: a value has no docstring of its own."""
    from sphinx.pycode import ModuleAnalyzer

    found = ModuleAnalyzer.for_module(module)
    if told := found.find_attr_docs().get(("", name)):
        return told
    for node in ast.walk(ast.parse(found.code)):
        if isinstance(node, ast.ImportFrom) and name in {a.name for a in node.names}:
            relative = "." * node.level + (node.module or "")
            return written(importlib.util.resolve_name(relative, package_of(module)), name)
    return ()


def package_of(module: str) -> str:
    """Return the package that relative imports of a module begin at."""
    return importlib.import_module(module).__package__ or ""


_DESCRIBED: dict[str, str] = {}
"""Where each object was described first: a second place is no target of links."""


# --- the site ---------------------------------------------------------------------------------


def write_nav(source: Path) -> None:
    """Put every page into one group of the navigation."""
    known = {str(p.relative_to(source).with_suffix("")) for p in source.rglob("*.md")} - {"index"}
    groups: dict[str, list[str]] = {}
    for title, wanted in NAV.items():
        for name in wanted:
            title_of, _, pattern = name.rpartition(" ")
            among = sorted(fnmatch.filter(known, pattern.strip("<>")))
            shown = [f"{title_of} <{p}>" if title_of else p for p in among]
            groups.setdefault(title, []).extend(shown)
            known -= set(among)
    groups["Guides"] += sorted(known)
    with (source / "index.md").open("a", encoding="utf-8") as index:
        for title, pages in groups.items():
            if pages:
                listed = "\n".join(pages)
                index.write(f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n```\n")


def build(source: Path, html: Path, kept: Path) -> str:
    """Make HTML of the tree; return what Sphinx warns of."""
    from pygments.lexers.special import TextLexer
    from sphinx.application import Sphinx
    from sphinx.highlighting import lexers
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    told = StringIO()
    lexers["tree"] = TextLexer()
    with patch_docutils(None), docutils_namespace():
        Sphinx(
            srcdir=source,
            confdir=None,
            outdir=html,
            doctreedir=kept,
            buildername="html",
            confoverrides=SETTINGS,
            status=None,
            warning=told,
            parallel=2,
        ).build()
    return told.getvalue()


SETTINGS: dict[str, Any] = {
    "project": "assay",
    "html_title": "assay",
    "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
    "myst_heading_anchors": 4,
    "html_theme": "furo",
    "html_static_path": ["_static"],
    "html_css_files": ["site.css"],
    "html_favicon": "_static/icon.svg",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_sphinx": False,
    "html_last_updated_fmt": None,
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "signature",
    "exclude_patterns": ["files/**"],
}


def close(html: Path) -> None:
    """Write into every page what it may load: its own files, and what stands in it now.

    Styles of single elements, which no policy can name, move into a sheet.
    """
    sheet: dict[str, int] = {}

    def move(found: re.Match[str]) -> str:
        return f' data-style="{sheet.setdefault(found[1], len(sheet))}"'

    for page in sorted(html.rglob("*.html")):
        text = STYLE.sub(move, page.read_text("utf-8"))
        hashes: dict[str, list[str]] = {"script": [], "style": []}
        for kind, body in INLINE.findall(text):
            digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            hashes[kind].append(f" 'sha256-{digest}'")
        policy = POLICY.format(
            scripts="".join(dict.fromkeys(hashes["script"])),
            styles="".join(dict.fromkeys(hashes["style"])),
        )
        tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        page.write_text(text.replace("<head>", f"<head>{tag}", 1), "utf-8")
    with (html / "_static" / "site.css").open("a", encoding="utf-8") as file:
        for rules, number in sheet.items():
            file.write(f'[data-style="{number}"] {{ {rules} }}\n')


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
