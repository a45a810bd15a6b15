"""What a reader does with the board: sort, search, compare, share, export; with a keyboard and on a phone."""

from __future__ import annotations

import csv
import io
import json
import math
from urllib.parse import urlencode

import boards
import pytest

pytestmark = pytest.mark.slow

REAL = boards.board()
OPEN, OTHER, SMOKE = REAL["cohorts"]
MODEL = {model["id"]: model for model in REAL["models"]}
SYSTEMS = [row for row in OPEN["rows"] if not row["control"]]
FIRST = OPEN["headline"]
LATENCY = "latency_p50@intent.defi"
GAPS = "invention_rate@intent.defi"


def value(row, column):
    return row["cells"].get(column, {}).get("value")


def shown(page):
    """Return (label, quantisation) of each row of the table, in order."""
    return page.evaluate(
        "[...document.querySelectorAll('.board tbody tr')].map(tr => [tr.querySelector('.named > div > :first-child').textContent, (tr.querySelector('.marks small')?.textContent ?? '').split(' \u00b7 ')[0]])"
    )


def keys(rows):
    return [[row["label"], row["quantisation"] or ""] for row in rows]


def hash_of(**words):
    return "#" + urlencode([(k, v) for k, vs in words.items() for v in (vs if isinstance(vs, list) else [vs])])  # fmt: skip


@pytest.fixture
def real(visit):
    return visit(REAL, name="real")


# --- the table ------------------------------------------------------------------------------


def ordered(column, *, down):
    held = [row for row in OPEN["rows"] if value(row, column) is not None]
    held.sort(key=lambda row: value(row, column), reverse=down)
    return keys([*held, *(row for row in OPEN["rows"] if value(row, column) is None)])


def test_rows_are_sorted_by_the_headline_and_a_header_sorts_both_ways_with_blanks_last(real):
    page = real.go()
    assert shown(page) == ordered(FIRST, down=True)
    assert page.locator("th[aria-sort]").count() == 1
    head = page.get_by_role("button", name="invention rate")
    head.click()  # lower is better: the best comes first
    assert page.locator("th[aria-sort=ascending] button").evaluate("b => b === document.activeElement")  # fmt: skip
    assert shown(page) == ordered(GAPS, down=False)
    head.click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    assert shown(page) == ordered(GAPS, down=True)
    assert any(value(row, GAPS) is None for row in SYSTEMS), "the board has blanks to put last"


def test_a_rank_is_a_band_and_rows_of_a_band_stand_together_and_controls_have_none(real):
    page = real.go()
    read = page.evaluate(
        "[...document.querySelectorAll('.board tbody tr')].map(tr => [tr.querySelector('.at').textContent, tr.className, tr.querySelector('.at').title])"
    )
    ranked = sorted((row for row in SYSTEMS if FIRST in row["ranks"]), key=lambda row: -value(row, FIRST))  # fmt: skip
    labels = {(label, quantisation): line for (label, quantisation), line in zip(map(tuple, shown(page)), read, strict=True)}  # fmt: skip
    starts = []
    for row in ranked:
        rank = row["ranks"][FIRST]
        text, name, title = labels[row["label"], row["quantisation"]]
        alone = rank["best"] == rank["worst"]
        assert text == (str(rank["best"]) if alone else f"{rank['best']}\u2013{rank['worst']}")
        assert ("cannot tell" in title) is not alone
        assert "band" in name
        starts.append("starts" in name)
    bands = [row["ranks"][FIRST]["band"] for row in ranked]
    assert starts == [at == 0 or bands[at] != bands[at - 1] for at in range(len(bands))]
    assert 1 < len(set(bands)) < len(bands), "some rows share a band, and not all"
    for control in ("silent", "random", "constant"):
        text, name, _ = labels[control, ""]
        assert (text, "control" in name, "band" in name) == ("", True, False)


def test_every_number_has_its_interval_and_what_is_missing_is_blank_and_says_why(real):
    page = real.go()
    row = next(row for row in SYSTEMS if value(row, GAPS) is None and value(row, FIRST))
    line = page.get_by_role("row").filter(has=page.get_by_label(f"Compare {row['label']} {row['quantisation']}"))  # fmt: skip
    number = row["cells"][FIRST]
    texts = line.locator("td.number").first.inner_text().split("\n")
    assert texts == [f"{100 * number['value']:.1f}", f"[{100 * number['low']:.1f}, {100 * number['high']:.1f}]"]  # fmt: skip
    last = [
        line.inner_text().split("\n")[0]
        for line in page.locator(".board tbody tr td:last-child").all()
    ]
    best = [
        row
        for label in shown(page)
        for row in OPEN["rows"]
        if [row["label"], row["quantisation"] or ""] == label
    ]
    points = [value(row, "coding@lm") for row in best]  # points are of 100 already
    assert [text for text, point in zip(last, points, strict=True) if point is not None] == [
        f"{point:.1f}" for point in points if point is not None
    ]
    assert "null" not in page.locator("main").inner_text()
    flagged = OPEN["rows"][0]
    assert flagged["flags"] == {"coverage@intent.defi": "constant"}
    (flag,) = page.locator(".board td .flag").all()
    assert flag.text_content() == "control as good: constant"
    assert (
        flag.locator("xpath=ancestor::tr").get_by_label(f"Compare {flagged['label']}").count() == 1
    )
    blank = line.locator("td.none").first
    assert blank.get_attribute("title") == blank.inner_text() == row["cells"][GAPS]["why"]
    assert blank.locator(".unseen").bounding_box()["width"] <= 1  # for ears, not for eyes
    assert page.locator(".board td:not(.none) .value").count() == page.locator(".board .strip").count()  # fmt: skip


FILTERS = [
        ({"q": "apache llamafor"}, lambda row, model: model["licence"] == "Apache-2.0" and model["architecture"].startswith("LlamaFor")),
        ({"q": "QWEN q4_0"}, lambda row, model: "qwen" in row["label"].lower() and row["quantisation"] == "Q4_0"),
        ({"category": "reasoning"}, lambda row, model: "reasoning" in model["categories"]),
        ({"quantisation": "Q4_0"}, lambda row, model: row["quantisation"] == "Q4_0"),
        ({"licence": "Gemma"}, lambda row, model: model["licence"] == "Gemma"),
        ({"min": "300M", "max": "1.5B"}, lambda row, model: 3e8 <= model["parameters"] <= 1.5e9),
        ({"evidence": "both"}, lambda row, model: model["runs"][0]["recomputed"] and model["runs"][0]["signed"]),
        ({"evidence": "neither"}, lambda row, model: not model["runs"][0]["recomputed"] and not model["runs"][0]["signed"]),
]  # fmt: skip


def test_a_filter_keeps_the_rows_that_it_names(real):
    page = real.go()
    for words, wanted in FILTERS:
        real.to(hash_of(**words))
        kept = [row for row in SYSTEMS if wanted(row, MODEL[row["model"]])]
        assert 0 < len(kept) < len(SYSTEMS)
        found = [key for key in shown(page) if key[0] not in ("silent", "random", "constant")]
        assert sorted(found) == sorted(keys(kept)), words
        assert f"{len(kept)} of {len(SYSTEMS)} systems" in page.locator("#found").inner_text()


def test_filters_are_set_by_their_controls_and_cleared_at_once(real):
    page = real.go()
    page.get_by_label("Search").fill("smollm2")
    page.locator("#by-size").select_option(label="100M to 500M")
    page.locator("#by-quantisation").select_option("Q8_0")
    assert {label for label, _ in shown(page)} == {"SmolLM2-135M-Instruct", "SmolLM2-360M-Instruct"}
    assert page.locator("#by-min").input_value() == "100M"
    page.locator("#by-max").fill("1..5B")
    assert page.locator("#by-max").get_attribute("aria-invalid") == "true"
    assert len(shown(page)) == 2, "what cannot be read filters nothing away"
    page.get_by_label("Search").fill("nobody")
    assert "No system passes these filters" in page.locator("#view").inner_text()
    page.get_by_role("button", name="Clear filters").click()
    assert len(shown(page)) == len(OPEN["rows"])


def test_cohorts_are_never_mixed_and_a_machine_leads_to_its_own(real):
    page = real.go()
    assert len(shown(page)) == len(OPEN["rows"])
    page.locator("#by-hardware").select_option(OTHER["hardware"]["id"])
    assert sorted(shown(page)) == sorted(keys(OTHER["rows"]))
    assert page.get_by_label("Suite and machine").locator("option").count() == 1
    page.locator("#by-hardware").select_option("")
    page.get_by_label("Suite and machine").select_option(SMOKE["id"])
    assert sorted(shown(page)) == sorted(keys(SMOKE["rows"]))
    assert "2 other cohorts" in page.locator("#scope").inner_text()


def test_columns_are_chosen_and_escape_closes_their_sheet(real):
    page = real.go()
    summary = page.locator(".chooser summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_label("math, gsm8k").check()
    page.get_by_label("licence", exact=True).check()
    assert page.get_by_label("licence", exact=True).evaluate("box => box === document.activeElement")  # fmt: skip
    page.keyboard.press("Escape")
    assert summary.evaluate("one => one === document.activeElement && !one.parentElement.open")
    heads = page.locator(".board thead th").all_inner_texts()
    assert any(head.startswith("math") for head in heads)
    assert any(head.startswith("licence") for head in heads)
    assert "Apache-2.0" in page.locator(".board").inner_text()
    summary.click()
    page.get_by_role("button", name="None").click()
    assert page.locator(".board thead th").count() == 2


# --- side by side ---------------------------------------------------------------------------


def test_a_difference_is_paired_where_the_board_holds_it_and_else_made_of_both_intervals(real):
    page = real.go()
    pair = next(pair for pair in OPEN["pairs"][FIRST] if pair[:2] != [0, 1])
    one, other = OPEN["rows"][pair[0]], OPEN["rows"][pair[1]]
    for row in (one, other):
        page.get_by_label(f"Compare {row['label']} {row['quantisation']}").check()
    assert "2 of 4 chosen" in page.locator("#tray").inner_text()
    page.locator("#tray").get_by_role("button", name="Compare").click()
    line = page.locator(".sides tbody tr").filter(has_text="accuracy").first
    said = line.locator(".apart").inner_text().replace("\u2212", "-")
    value_, low, high = (-100 * pair[at] for at in (2, 4, 3))
    assert f"{value_:+.1f}" in said
    assert f"[{low:+.1f}, {high:+.1f}] points" in said
    assert said.endswith(", paired")
    for column, label in (("coverage@intent.defi", "coverage"), ("reasoning@arc_challenge", "reasoning")):  # fmt: skip
        a, b = other["cells"][column], one["cells"][column]
        if "value" not in a or "value" not in b:
            continue
        apart = a["value"] - b["value"]
        low = apart - math.hypot(a["value"] - a["low"], b["high"] - b["value"])
        high = apart + math.hypot(a["high"] - a["value"], b["value"] - b["low"])
        said = page.locator(".sides tbody tr").filter(has_text=label).first.locator(".apart").inner_text().replace("\u2212", "-")  # fmt: skip
        assert f"[{100 * low:+.1f}, {100 * high:+.1f}] points" in said
        assert said.endswith(", unpaired")
        told = low > 0 or high < 0
        assert ("cannot be told apart" in said) is not told
    assert page.locator(".view-compare figure svg .dot").count() > 4
    page.locator(".sides").get_by_role("button", name="Make first").click()
    said = line.locator(".apart").inner_text().replace("\u2212", "-")
    value_, low, high = (100 * pair[at] for at in (2, 3, 4))
    assert said.startswith(f"{value_:+.1f}"), "the other way round"
    assert f"[{low:+.1f}, {high:+.1f}] points" in said
    assert one["run"][:16] in page.locator(".specs").inner_text()


def test_dollars_at_two_price_tables_are_no_difference(visit):
    document = json.loads(json.dumps(REAL))
    cohort = document["cohorts"][REAL["cohorts"].index(OPEN)]
    priced = [r for r in cohort["rows"] if r["model"] and value(r, "usd_per_1k@intent.defi")]
    one, other = priced[0], next(row for row in priced if row["run"] != priced[0]["run"])
    for same in (True, False):
        runs = [run for model in document["models"] for run in model["runs"]]
        for run in runs:
            run["prices"] = "a" if same or run["seal"] == one["run"] else "b"
        page = visit(document, name=f"prices-{same}").go(
            hash_of(view="compare", cohort=cohort["id"], **{"with": [one["id"], other["id"]]})
        )
        lines = page.locator(".sides tbody tr")
        said = lines.filter(has_text="usd per 1k").first.locator(".apart").inner_text()
        assert ("no interval for the difference" in said) is not same
        quality = lines.filter(has_text="accuracy").first.locator(".apart").inner_text()
        assert quality.endswith("paired")


def test_four_rows_are_compared_and_no_fifth(real):
    page = real.go()
    boxes = page.locator(".board tbody input")
    for at in range(4):
        boxes.nth(at).check()
    boxes.nth(4).click()
    assert not boxes.nth(4).is_checked()
    assert "Four rows are chosen already" in page.locator("#notes").inner_text()
    page.locator("#tray").get_by_role("button", name="Compare").click()
    assert page.locator(".sides thead th.side").count() == 4
    page.locator(".sides").get_by_role("button", name="Make first").first.click()
    page.locator(".sides").get_by_role("button", name="Take").first.click()
    assert page.locator(".sides thead th.side").count() == 3


# --- the other views ------------------------------------------------------------------------


def test_the_page_of_a_model_shows_claims_numbers_curves_and_runs_with_their_seals(real):
    page = real.go()
    page.locator(".board").get_by_role("link", name="Qwen3-0.6B").first.click()
    assert page.locator("h2").first.evaluate("one => one === document.activeElement")
    model = MODEL["qwen3-0.6b"]
    said = page.locator("#view").inner_text()
    (claim,) = model["claims"]
    assert claim["status"] in said
    assert claim["text"] in said
    assert model["runs"][0]["seal"] in said
    assert model["revision"] in said
    assert "600 samples" in said or "400 samples" in said or "200 samples" in said
    assert "not measured: this run timed nothing" in said
    assert page.locator("figure .curve").count() == 1
    assert page.locator(f"a[href='https://huggingface.co/{model['hf_repo']}']").count() == 1
    page.go_back()
    page.locator(".board tbody tr").nth(
        len(OPEN["rows"]) - 1
    ).wait_for()  # the last rows come a frame later
    assert page.locator(".board tbody tr").count() == len(OPEN["rows"])
    waiting = real.go("#view=model&model=olmo-2-0425-1b")
    assert "not tested yet" in waiting.locator("#view").inner_text()
    nobody = real.go("#view=model&model=nobody")
    assert "This board has no such model" in nobody.locator("#view").inner_text()


def test_points_of_the_front_are_reached_by_arrow_keys_and_stand_in_a_table_too(real):
    page = real.go("#view=front")
    spots = page.locator("a.spot")
    objectives = OPEN["front"]["objectives"]
    drawn = [row for row in OPEN["rows"] if all(value(row, one) is not None for one in objectives[:2])]  # fmt: skip
    assert spots.count() == len(drawn)
    on = [row for row in drawn if row["standing"] == "on"]
    assert page.locator("a.spot.on").count() == len(on) > 0
    assert page.locator("a.spot[tabindex='0']").count() == 1
    page.locator("a.spot[tabindex='0']").focus()
    cheapest = min(drawn, key=lambda row: value(row, objectives[1]))
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(cheapest["label"])  # fmt: skip
    page.keyboard.press("ArrowRight")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert page.locator(".tip").inner_text().split("\n") == label.split("; ")
    assert "[" in label
    page.get_by_text("The same as a table").click()
    assert page.locator("#view table tbody tr").count() == len(drawn)
    page.get_by_label("To the right").select_option(LATENCY)
    page.locator("svg.plot .name", has_text="latency p50").wait_for(state="attached")
    page.locator("a.spot[tabindex='0']").focus()
    page.keyboard.press("Enter")
    assert page.locator(".view-model").count() == 1


def test_what_others_reported_stands_apart_without_rank_or_interval(real):
    page = real.go("#view=reported")
    said = page.locator("#view").inner_text()
    assert "SmolLM2 model card" in said
    assert "40.9" in said
    assert "[" not in said
    assert page.locator("#view td.none .unseen").inner_text() == "not reported"
    assert page.locator("#scope").is_hidden()


# --- the address ----------------------------------------------------------------------------


def test_the_address_holds_the_whole_state_and_the_history_goes_back(real, visit):
    page = real.go()
    page.get_by_label("Search").fill("instruct")
    page.locator("#by-quantisation").select_option("Q8_0")
    page.get_by_role("button", name="latency p50").click()
    page.locator(".chooser summary").click()
    page.get_by_label("math, gsm8k").check()
    page.locator(".board tbody input").first.check()
    read = "[location.hash, document.getElementById('view').innerText, document.getElementById('tray').innerText, document.getElementById('by-quantisation').value, document.getElementById('by-q').value]"
    there = page.evaluate(read)
    again = visit(REAL, name="real").go(there[0])
    assert again.evaluate(read) == there
    page.get_by_role("link", name="Frontier").click()
    assert "Frontier" in page.title()
    page.go_back()
    page.wait_for_selector(".board tbody tr")
    assert page.evaluate(read)[0] == there[0]
    assert "by latency p50" in page.locator(".board thead").inner_text()
    page.go_back()  # the column away again
    page.wait_for_selector(".board thead tr:not(:has(button[title*='final']))")
    assert "math" not in page.locator(".board thead").inner_text()


def test_a_link_to_what_this_board_has_not_says_so_and_shows_what_there_is(real):
    page = real.go(
        hash_of(cohort="gone", sort="gone@too", col=["gone@too", FIRST], **{"with": "nobody"})
    )
    said = page.locator("#notes").inner_text()
    assert "gone" in said
    assert "which this board does not have" in said
    assert len(shown(page)) == len(OPEN["rows"])


# --- files ----------------------------------------------------------------------------------


def test_what_is_shown_is_exported_as_csv_and_as_json(real):
    page = real.go(hash_of(quantisation="Q4_0", col=[FIRST, GAPS, "~licence"]))
    with page.expect_download() as got:
        page.get_by_role("button", name="Export CSV").click()
    text = got.value.path().read_text("utf-8")
    assert got.value.suggested_filename == "board-open-h-9f2c.csv"
    lines = list(csv.DictReader(io.StringIO(text)))
    rows = sorted((row for row in SYSTEMS if row["quantisation"] == "Q4_0"), key=lambda row: -(value(row, FIRST) or 0))  # fmt: skip
    assert [line["label"] for line in lines] == [row["label"] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        for column in (FIRST, GAPS):
            cell = row["cells"][column]
            for name, key in (("", "value"), (" low", "low"), (" high", "high"), (" n", "n")):
                wanted = cell.get(key)
                assert line[column + name] == ("" if wanted is None else line[column + name])
                assert wanted is None or float(line[column + name]) == wanted
        rank = row["ranks"].get(FIRST, {"best": "", "worst": ""})
        assert (line["rank_best"], line["rank_worst"]) == (str(rank["best"]), str(rank["worst"]))
        assert line["licence"] == MODEL[row["model"]]["licence"]
    with page.expect_download() as got:
        page.get_by_role("button", name="Export JSON").click()
    kept = json.loads(got.value.path().read_text("utf-8"))
    assert kept["cohort"]["hardware"] == OPEN["hardware"]
    assert [row["id"] for row in kept["rows"]] == [row["id"] for row in rows]
    assert kept["rows"][0]["cells"] == {key: rows[0]["cells"][key] for key in (FIRST, GAPS)}


def test_a_text_that_a_spreadsheet_would_run_is_quoted_in_the_csv(real):
    page = real.go()
    held = page.evaluate(
        "['=1+1', '+1', '-1', '@SUM(A1)', '\\t=1', '\\uff1d1', 'plain', 'a,\"b\"', -0.5, 1e-9, null, NaN].map(AssayBoard.exports.field)"
    )
    assert held == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\uff1d1", "plain", '"a,""b"""', "-0.5", "1e-9", "", ""]  # fmt: skip


# --- looks ----------------------------------------------------------------------------------

GROUND = "getComputedStyle(document.body).backgroundColor"


def test_the_theme_is_the_systems_until_the_reader_says_and_is_remembered_without_a_flash(visit):
    dark = visit(REAL, name="real", scheme="dark").go()
    light = visit(REAL, name="real").go()
    night, day = dark.evaluate(GROUND), light.evaluate(GROUND)
    assert night != day
    button = light.locator("#theme")
    button.click()
    assert (button.inner_text(), light.evaluate(GROUND)) == ("Theme: light", day)
    button.click()
    assert (button.inner_text(), light.evaluate(GROUND)) == ("Theme: dark", night)
    # What the page wears when its body begins to exist: nothing has been painted before.
    light.add_init_script("new MutationObserver((_, self) => { if (document.body) { window.worn = document.documentElement.dataset.theme; self.disconnect(); } }).observe(document, { childList: true, subtree: true })")  # fmt: skip
    light.reload()
    assert light.evaluate("window.worn") == "dark"
    assert light.evaluate(GROUND) == night
    assert light.locator("#theme").inner_text() == "Theme: dark"


def test_a_phone_of_360_pixels_scrolls_tables_and_never_the_page(visit):
    phone = visit(REAL, name="real", width=360)
    page = phone.go()
    page.locator(".sheet-of-rows").evaluate("one => { one.scrollLeft = 300; }")
    name = page.locator(".board tbody th").first.bounding_box()
    assert name["x"] >= 0, "the name of a row stays while its numbers scroll"
    assert not page.locator("#by-licence").is_visible()
    page.locator(".folded summary").click()
    assert page.locator("#by-licence").is_visible()
    chosen = [row["id"] for row in SYSTEMS[:4]]
    for view in ("compare", "front", "model", "reported", "reading", "board"):
        phone.to(hash_of(view=view, model="smollm2-1.7b-instruct", **{"with": chosen}))
        page.wait_for_timeout(40)  # plots fit themselves to their width in the next frame
        assert page.locator(f".view-{view}").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view


def test_paper_shows_the_table_and_not_the_controls(real):
    page = real.go()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#filters").is_hidden()
    assert page.locator("nav").is_hidden()
    assert page.locator(".board").is_visible()
    assert page.evaluate(GROUND) == "rgb(255, 255, 255)"


# --- the keyboard ---------------------------------------------------------------------------


def test_the_board_is_used_from_end_to_end_with_a_keyboard_only(real):
    page = real.go()
    press = page.keyboard.press
    focused = "(({ tagName, id, textContent, ariaLabel }) => tagName === 'DIV' ? '' : id || ariaLabel || textContent.trim())(document.activeElement)"

    def tab_to(wanted, limit=60):
        for _ in range(limit):
            press("Tab")
            if wanted in (page.evaluate(focused) or ""):
                return
        pytest.fail(f"the tabulator does not reach {wanted}")

    press("Tab")
    assert page.evaluate(focused) == "Skip to the numbers"
    press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to("by-q")
    page.keyboard.type("qwen")
    tab_to("latency p50")
    press("Enter")
    assert page.locator("th[aria-sort=ascending]").count() == 1
    assert "latency p50" in page.evaluate(focused)
    tab_to("Compare Qwen")
    press("Space")
    tab_to("Compare Qwen")  # past the link of the first row
    press("Space")
    for _ in range(60):
        press("Tab")
        if page.evaluate("document.activeElement.matches('#tray button')"):
            break
    press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.locator(".sides thead th.side").count() == 2
    tab_to("add-side")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# --- boards that are not as they should be -----------------------------------------------------


@pytest.mark.parametrize(
    ("name", "document", "says"),
    [
        ("empty", boards.empty(), ["This board is empty", "assay board add RUN"]),
        ("older", {**REAL, "schema": "assay.board/0"}, ["another version", "assay.board/0", "assay.board/1"]),
        ("array", [], ["This is not a board", "assay board build"]),
        ("half", {"schema": "assay.board/1"}, ["The board is not whole"]),
        ("cut", '{"schema": "assay', ["board.json is not JSON"]),
        ("missing", None, ["There is no board.json here", "404", "assay board build"]),
    ],
)  # fmt: skip
def test_a_board_that_cannot_be_shown_says_what_is_so_and_what_to_do(visit, name, document, says):
    page = visit(document, name=name, sound=name != "missing").go()
    said = page.locator("main").inner_text()
    assert all(part in said for part in says), said
    assert page.locator(".board").count() == 0
    assert page.locator("main table").count() == 0


def test_a_board_of_one_row_is_shown_with_its_interval(visit):
    page = visit(boards.one_row(), name="one").go()
    assert page.locator("#found").inner_text() == "1 system"
    assert page.locator(".board tbody tr").count() == 1
    page.goto(page.url.split("#")[0] + "#view=front")
    page.wait_for_selector("a.spot")
    assert page.locator("a.spot").count() == 1


def test_the_page_opened_from_a_disk_shows_the_same_as_served(visit):
    there = visit(REAL, name="real").go()
    here = visit(REAL, name="real", disk=True).go()
    assert here.url.startswith("file://")
    assert here.locator("#view").inner_text() == there.locator("#view").inner_text()
    here.get_by_label("Search").fill("gemma")
    assert {label for label, _ in shown(here) if "gemma" in label} == {"gemma-3-270m-it", "gemma-3-1b-it"}  # fmt: skip
    assert "q=gemma" in here.url
    lone = visit(None, name="alone", disk=True, sound=False).go()
    assert "There is no board.js here" in lone.locator("main").inner_text()
