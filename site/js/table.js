"use strict";
// The table of a cohort.  A page of it at a time; its first rows at once, the others in the next frames.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el, hidden } = A.make;
  const PAGE = 100;
  const FIRST = 200; // cells at once; a screen shows fewer
  const STEP = 400; // cells in each frame after it
  const KEPT = 400; // rows that are held ready for another filter
  let built = null; // { key, cohort, columns, rows: Map, body, ... }
  let turn = 0;

  function sortButton(text, column, state, sorting) {
    const on = sorting.column.id === column.id;
    const first = column.prose || column.better === "lower" ? "asc" : "desc";
    const next = on ? (sorting.dir === "asc" ? "desc" : "asc") : first;
    const name = column.spec || column.id === A.select.NAME ? "" : A.data.text(column.task);
    const unit = column.spec || column.id === A.select.NAME ? "" : A.data.shapeOf(built.cohort, column).unit;
    const wish = { higher: "higher is better", lower: "lower is better" }[column.better];
    const button = el(
      "button",
      { type: "button", title: [A.data.text(column.says), wish].filter(Boolean).join(" ") || null },
      el("span", { class: "label" }, el("span", { class: "arrow", "aria-hidden": "true" }), text),
      name || unit ? el("small", {}, [name, unit].filter(Boolean).join(" \u00b7 ")) : null,
      wish ? hidden(`, ${wish}`) : null,
    );
    button.addEventListener("click", () => {
      A.state.go({ sort: column.id, dir: next, page: 0 });
      built.head.querySelector("[aria-sort] button")?.focus();
    });
    const dir = on ? { asc: "ascending", desc: "descending" }[sorting.dir] : null;
    return el("th", { scope: "col", "aria-sort": dir, class: column.prose ? "prose" : "number" }, button);
  }

  function header(state, sorting, ranked) {
    const key = `${sorting.dir} ${sorting.column.id}`;
    if (built.headed === key) return;
    built.headed = key;
    const name = sortButton("Model", { id: A.select.NAME, prose: true, better: "none" }, state, sorting);
    name.classList.add("who");
    const by = ranked ? A.data.text(ranked.label) || ranked.id : "";
    built.head.replaceChildren(
      el(
        "tr",
        {},
        el("th", { scope: "col", class: "rank" }, "Rank", by ? el("small", {}, `by ${by}`) : null),
        name,
        built.columns.map((column) => sortButton(A.data.text(column.label) || column.id, column, state, sorting)),
      ),
    );
  }

  // Ranks are shown for the column that sorts, or else for the headline.
  function rankedBy(cohort, sorting) {
    const has = (column) => column && !column.spec && isRanked(cohort, column);
    if (has(sorting.column)) return sorting.column;
    return has(cohort.headline) ? cohort.headline : null;
  }

  function isRanked(cohort, column) {
    if (!cohort.ranked.has(column.id)) cohort.ranked.set(column.id, cohort.rows.some((row) => row.rank(column.id)));
    return cohort.ranked.get(column.id);
  }

  function rowElement(row) {
    if (built.rows.has(row.id)) return built.rows.get(row.id);
    if (built.rows.size > KEPT) built.rows.clear();
    const box = el("input", { type: "checkbox", "aria-label": `Compare ${row.label} ${A.parts.about(row)}` });
    box.addEventListener("change", () => choose(row.id, box));
    const tr = el(
      "tr",
      { class: row.control ? "control" : null },
      el("td", { class: "rank" }, el("span", { class: "at" })),
      el(
        "th",
        { scope: "row", class: "who" },
        el("div", { class: "named" }, box, el("div", {}, A.parts.modelLink(row), el("span", { class: "marks" }, small(row), A.parts.marks(row)))),
      ),
      built.columns.map((column) => A.parts.cellOf(built.cohort, column, row)),
    );
    const made = { tr, box, at: tr.querySelector(".at") };
    built.rows.set(row.id, made);
    return made;
  }

  function small(row) {
    const said = [A.parts.about(row), A.numbers.parameters(row.model.parameters)].filter(Boolean).join(" \u00b7 ");
    return said ? el("small", {}, said) : null;
  }

  function choose(id, box) {
    const { chosen } = A.state.now();
    if (!box.checked) A.state.go({ chosen: chosen.filter((one) => one !== id) }, true);
    else if (chosen.length < 4) A.state.go({ chosen: [...chosen, id] }, true);
    else {
      box.checked = false;
      A.app.say("Four rows are chosen already: take one away first.");
    }
  }

  // Rows that cannot be told apart from the first of their band stand in one bracket.
  function bandsOf(rows, ranked, sorting) {
    const grouped = ranked && sorting.column.id === ranked.id && sorting.dir === sorting.first;
    let last = null;
    let odd = false;
    return rows.map((row) => {
      const rank = ranked ? row.rank(ranked.id) : null;
      if (!rank || row.control) return { rank: null, name: "" };
      const starts = grouped && rank.band !== last;
      if (starts) odd = !odd;
      last = rank.band;
      return { rank, name: grouped ? `band ${odd ? "odd" : "even"}${starts ? " starts" : ""}` : "" };
    });
  }

  function put(rows, bands, from, to) {
    const { chosen } = A.state.now();
    const made = document.createDocumentFragment();
    for (let at = from; at < Math.min(to, rows.length); at++) {
      const { tr, box, at: place } = rowElement(rows[at]);
      const { rank, name } = bands[at];
      tr.className = [rows[at].control ? "control" : "", name].filter(Boolean).join(" ");
      place.textContent = rank ? A.parts.rankText(rank) : "";
      place.title = rank ? A.parts.rankSaid(rank) : "";
      box.checked = chosen.includes(rows[at].id);
      made.append(tr);
    }
    built.body.append(made);
  }

  function counts(cohort, state, rows, pages) {
    const controls = rows.filter((row) => row.control).length;
    const systems = rows.length - controls;
    const all = cohort.rows.filter((row) => !row.control).length;
    const { format } = A.numbers.whole;
    const said = [A.select.isFiltered(state) ? `${format(systems)} of ${format(all)} systems` : `${format(all)} ${all === 1 ? "system" : "systems"}`];
    if (controls) said.push(`${controls} ${controls === 1 ? "control" : "controls"}`);
    if (pages > 1) said.push(`rows ${state.page * PAGE + 1} to ${Math.min(rows.length, (state.page + 1) * PAGE)} shown`);
    if (A.select.isFiltered(state)) said.push("ranks are among all systems of the cohort");
    return said.join(" \u00b7 ");
  }

  function pager(state, pages) {
    if (pages < 2) return;
    const to = (page) => {
      A.state.go({ page });
      built.region.scrollTop = 0;
      built.region.focus();
    };
    built.pager.append(
      el("button", { type: "button", disabled: state.page === 0, click: () => to(state.page - 1) }, "Previous 100"),
      el("span", {}, `page ${state.page + 1} of ${pages}`),
      el("button", { type: "button", disabled: state.page >= pages - 1, click: () => to(state.page + 1) }, "Next 100"),
    );
  }

  // What stays while columns and rows change, so that the keyboard keeps its place.
  function frame(view, cohort) {
    const head = el("thead");
    const body = el("tbody");
    const table = el("table", { class: "board" }, el("caption", { class: "unseen" }, "Systems, their ranks and their numbers with intervals"), head, body);
    const region = A.make.wide("Table of systems", table, "sheet-of-rows");
    const found = el("p", { id: "found", role: "status" });
    const out = el(
      "div",
      { class: "buttons" },
      A.filters.columns(),
      el("button", { type: "button", class: "plain", click: () => A.exports.save("csv") }, "Export CSV"),
      el("button", { type: "button", class: "plain", click: () => A.exports.save("json") }, "Export JSON"),
    );
    const pages = el("div", { class: "pager" });
    const legend = el("p", { class: "note legend" });
    const none = el("div");
    view.replaceChildren(el("h2", { class: "unseen", tabindex: -1 }, "Board"), el("div", { class: "above" }, found, out), none, region, pages, legend, absent() || "");
    built = { key: "", headed: "", drawn: "", table, cohort, columns: [], rows: new Map(), head, body, region, found, pager: pages, legend, none };
  }

  // Models that have no row here are named, with what keeps them out.
  function absent() {
    const { board } = A.app;
    const out = [...board.models.values()].filter((model) => !board.rowsOf(model.id).length);
    if (!out.length) return null;
    const link = (model) => A.parts.go({ view: "model", model: model.id }, A.data.text(model.name) || A.data.text(model.id));
    return el(
      "details",
      { class: "absent" },
      el("summary", {}, `${out.length} ${out.length === 1 ? "model" : "models"} without numbers`),
      el("ul", {}, out.slice(0, 200).map((model) => el("li", {}, link(model), ` \u00b7 ${A.data.text(model.state) || "pending"}`))),
    );
  }

  function draw(view, board, cohort, state) {
    const columns = A.select.columns(cohort, state);
    const key = JSON.stringify(columns.map((column) => column.id));
    if (!built || built.cohort !== cohort || !view.contains(built.region)) frame(view, cohort);
    if (built.key !== key) {
      Object.assign(built, { key, columns, rows: new Map(), headed: "" });
      built.table.style.setProperty("--columns", columns.length);
      built.levels = levelsOf(cohort);
    }
    // A ticked box changes no row: the table stays, and the keyboard keeps its place.
    const drawn = JSON.stringify({ ...state, chosen: null });
    if (built.drawn === drawn) return tick(state.chosen);
    built.drawn = drawn;
    const rows = A.select.rows(cohort, state);
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    const page = Math.min(state.page, pages - 1);
    const sorting = A.select.sorting(cohort, state);
    const ranked = rankedBy(cohort, sorting);
    const bands = bandsOf(rows, ranked, sorting).slice(page * PAGE, (page + 1) * PAGE);
    const shown = rows.slice(page * PAGE, (page + 1) * PAGE);
    header(state, sorting, ranked);
    built.found.textContent = counts(cohort, { ...state, page }, rows, pages);
    built.pager.replaceChildren();
    pager({ ...state, page }, pages);
    built.region.hidden = rows.length === 0;
    built.none.replaceChildren(nothing(cohort, rows) || "");
    built.legend.textContent = legend(ranked);
    built.body.replaceChildren();
    fillIn(shown, bands);
  }

  function tick(chosen) {
    for (const [id, { box }] of built.rows) box.checked = chosen.includes(id);
  }

  function fillIn(shown, bands) {
    const mine = ++turn;
    const rows = (cells) => Math.max(6, Math.round(cells / (built.columns.length + 2)));
    built.region.setAttribute("aria-busy", "true");
    const go = (from, to) => {
      if (mine !== turn) return;
      put(shown, bands, from, to);
      if (to < shown.length) requestAnimationFrame(() => go(to, to + rows(STEP)));
      else built.region.removeAttribute("aria-busy");
    };
    go(0, rows(FIRST));
  }

  function nothing(cohort, rows) {
    if (rows.length) return null;
    if (!cohort.rows.length) return A.parts.notice("No system of this cohort has been measured", "Its suite and machine are known; no run stands on it.", "Add one with: assay board add RUN, then: assay board build.");
    return A.parts.notice("No system passes these filters", null, "Take a word or a filter away.");
  }

  // The confidences that the shown columns are stated at.
  function levelsOf(cohort) {
    const found = new Map();
    for (const column of built.columns) {
      if (column.spec) continue;
      for (const row of cohort.rows) {
        const cell = row.measured(column.id);
        if (cell) found.set(`${cell.confidence} ${cell.sides}`, cell);
      }
    }
    return new Set([...found.values()].map(A.numbers.confidence).filter(Boolean));
  }

  function legend(ranked) {
    const { levels } = built;
    const level = levels.size === 1 ? `${[...levels][0]} interval` : "interval, at the confidence that the model's page names";
    const ranks = ranked ? ` A rank such as 2\u20134 says that the records do not tell which of these places is right (Holm over all pairs); rows in one bracket cannot be told apart from its first.` : " Nothing is ranked here: no column of this cohort has ranks.";
    return `In brackets and as a bar: the ${level}. A blank was not measured, and is no zero.${ranks}`;
  }

  A.table = { draw, PAGE };
})();
