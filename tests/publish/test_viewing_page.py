"""The pages of ``assay view`` in a real browser: usable by key, readable, narrow, and deaf to what runs say."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay import Report, Run
from browsing import chromium

PAGES = {
    "list": "/",
    "run": "/run/good",
    "edited": "/run/edited",
    "open": "/run/open",
    "samples": "/run/harm/samples?system=bad",
    "compare": "/compare?run=good&run=other",
    "nothing": "/run/nowhere",
}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder from this process, on a free port."""
    uvicorn = pytest.importorskip("uvicorn", reason="the extra view is not installed")
    from assay.publish.viewing.asgi import make_app
    from assay.sockets import ADDRESS, bind

    bound = bind(ADDRESS, 0)
    port = bound.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(folder, port), http="h11", ws="none", lifespan="off", log_level="error"
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address(tmp_path_factory, smoke, harmed) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages") / "runs"
    for name in ("good", "other", "edited", "open"):
        shutil.copytree(smoke.root, folder / name)
    shutil.copytree(harmed.path, folder / "harm")
    (folder / "edited" / "plan.yaml").write_bytes(b"name: other\n")
    (folder / "open" / "SEAL").unlink()
    with serving(folder) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_readable_for_everybody(address, browser, scheme):
    """axe-core finds nothing, light and dark, and a phone need not scroll sideways."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    try:
        for name, path in PAGES.items():
            page = context.new_page()
            page.goto(address + path)
            found = axe.run(page).response
            assert found["passes"], name
            wrong = [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]
            assert wrong == [], f"{name}: {wrong}"
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} px too wide"
            page.close()
    finally:
        context.close()


@pytest.mark.slow
def test_everything_is_done_by_key(address, browser):
    page = browser.new_page()
    page.goto(address + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.locator("input[value=good]").focus()
    page.keyboard.press("Space")
    page.locator("input[value=other]").focus()
    page.keyboard.press("Space")
    page.locator("button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?run=*")
    assert page.locator("h1").inner_text() == "What changed"
    page.goto(address + "/run/good/samples")
    page.locator("input[name=text]").focus()
    page.keyboard.type("pay")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=pay**")
    assert "that fit, of 528 samples" in page.locator("#found").inner_text().replace("\u00a0", " ")
    page.locator("#list a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sample?**")
    assert page.locator(".answer").count() > 5
    page.close()


@pytest.mark.slow
def test_hostile_runs_do_nothing_in_a_browser(address, browser):
    """No text of a plan, a name, a prompt or an answer runs, loads, or leads elsewhere."""
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    search = "?text=%22%3E%3Cscript%3Ewindow.harmed%3D9%3C/script%3E"
    for path in (
        "/",
        "/run/harm",
        "/run/harm/samples",
        f"/run/harm/samples{search}",
        "/run/harm/samples?page=3",
    ):
        page.goto(address + path)
        assert page.evaluate("typeof window.harmed") == "undefined", path
        assert page.locator("main script, main img, main iframe").count() == 0
    page.locator("#list a").first.click()
    page.wait_for_url("**/sample?**")
    assert page.evaluate("typeof window.harmed") == "undefined"
    assert said == []
    assert all(url.startswith(address) for url in asked), asked
    page.close()


@pytest.mark.slow
def test_every_section_of_a_report_is_named_in_sight_and_no_table_scrolls_on_a_desk(
    browser, smoke, tmp_path
):
    seen = """() => ({
      cut: [...document.querySelectorAll("nav a")].filter(a => a.getBoundingClientRect().right > innerWidth).length,
      sideways: [...document.querySelectorAll(".wide")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    })"""
    page = browser.new_page()
    report = tmp_path / "report.html"
    report.write_text(Report(Run.load(smoke.root)).html(), "utf-8")
    page.goto(report.as_uri())
    for width in (650, 1200, 1280, 1343, 1344, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        found = page.evaluate(seen)
        assert found["cut"] == 0, width
        assert width < 1200 or found["sideways"] == 0, width
    page.close()
