"""A sealed run, put on a board and built, is what the page shows: served as `assay board serve` serves it."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from visits import DRAWN, Visit

from assay.publish.board.building import build
from assay.publish.board.home import Board
from assay.publish.board.serving import make_server
from publish.board_runs import board_at, put

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(smoke, tmp_path_factory):
    """Return what was built of a run, and its address."""
    board = board_at(tmp_path_factory.mktemp("built"), "votes-2m", "waiting-2m")
    put(board, smoke, "votes-2m:F16=votes")
    with Board(board).writing():
        built = build(board)
    server = make_server(board / "site", 0)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05), daemon=True)
    thread.start()
    yield built.document, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def built(browser, served):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page(), served[1])
    yield served[0], visit
    context.close()
    assert visit.wrong == []


def test_every_number_of_a_built_board_stands_on_its_page_with_its_interval(built):
    document, visit = built
    (cohort,) = document["cohorts"]
    page = visit.go("#" + "&".join(f"col={column['id']}" for column in cohort["columns"]))
    page.wait_for_selector(DRAWN, state="attached")
    lines = {
        line.locator(".named > div > :first-child").inner_text(): line
        for line in page.locator(".board tbody tr").all()
    }
    assert set(lines) == {row["label"] for row in cohort["rows"]}
    for row in cohort["rows"]:
        cells = lines[row["label"]].locator("td:not(.rank)").all()
        assert len(cells) == len(cohort["columns"])
        for column, cell in zip(cohort["columns"], cells, strict=True):
            held = row["cells"].get(column["id"], {})
            said = cell.inner_text().replace("\u2212", "-").split("\n")
            if "value" not in held:
                assert cell.get_attribute("class") == "none"
                assert said == [held.get("why", "not measured")]
            elif column["unit"] == "share":
                assert said[0] == f"{100 * held['value']:.1f}"
                ends = (held["low"], held["high"])
                wanted = "census" if None in ends else "[{:.1f}, {:.1f}]".format(*(100 * end for end in ends))  # fmt: skip
                assert said[1] == wanted
            else:
                assert float(said[0].replace(",", "")) > 0
        rank = row["ranks"].get(cohort["headline"])
        shown = lines[row["label"]].locator(".at").inner_text()
        assert shown == ("" if rank is None else "\u2013".join(dict.fromkeys([str(rank["best"]), str(rank["worst"])])))  # fmt: skip
    assert "1 model without numbers" in page.locator(".absent").inner_text()


def test_a_built_model_has_its_page_with_the_seal_of_its_run_and_its_badge(built):
    document, visit = built
    model = next(model for model in document["models"] if model["runs"])
    page = visit.go(f"#view=model&model={model['id']}")
    said = page.locator("#view").inner_text()
    assert model["runs"][0]["seal"] in said
    assert "every number was computed from the archived records" in said
    for path, image in zip(model["badges"], page.locator(".badges img").all(), strict=True):
        assert image.get_attribute("src") == path
        image.scroll_into_view_if_needed()
        assert image.evaluate("one => one.decode().then(() => one.naturalWidth)") > 20
    for curve in model["curves"]:
        assert curve["task"] in said
    assert page.locator("figure .curve").count() == sum(1 for curve in model["curves"] if curve["points"])  # fmt: skip
