"""What the tests of the site have: Debian's Chromium, a folder or a host with the page, a board on it."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SITE = HERE.parents[1] / "site"
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))  # tests say `import boards`

from visits import Visit  # noqa: E402  (it stands beside this file)

from browsing import chromium  # noqa: E402  (tests/ is on the path, by the conftest there)

WRITTEN = ("board.json", "board.js", "leaderboard.json", "badges")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return one browser for a module of tests, or skip and say what is missing."""
    with chromium() as held:
        yield held


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Return a folder that is served, and its address."""
    folder = tmp_path_factory.mktemp("hosted")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05), daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def put(hosted: tuple[Path, str]) -> Callable[..., Path]:
    """Return a function that lays the page and a board into a served folder of a name."""

    def lay(name: str, document: object) -> Path:
        folder = hosted[0] / name
        if not folder.exists():
            shutil.copytree(SITE, folder, ignore=shutil.ignore_patterns(*WRITTEN))
            if document is not None:
                text = document if isinstance(document, str) else json.dumps(document)
                (folder / "board.json").write_text(text, "utf-8")
                (folder / "board.js").write_text(f"globalThis.BOARD = {text};\n", "utf-8")
        return folder

    return lay


@pytest.fixture
def visit(browser: Any, hosted: tuple[Path, str], put: Callable[..., Path]) -> Iterator[Callable[..., Visit]]:  # fmt: skip
    """Return a function that opens the page on a board, from the host or from the disk."""
    contexts = []
    seen: list[Visit] = []

    def open_(document: object, *, name: str, width: int = 1280, scheme: str = "light", disk: bool = False, sound: bool = True) -> Visit:  # fmt: skip
        folder = put(name, document)
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)  # fmt: skip
        contexts.append(context)
        base = folder.as_uri() if disk else f"{hosted[1]}/{name}"
        made = Visit(context.new_page(), base)
        if sound:
            seen.append(made)
        return made

    yield open_
    wrong = [line for one in seen for line in one.wrong]
    for context in contexts:
        context.close()
    assert wrong == []
