"use strict";
// The page: loads the board, draws the view that the address names, and says what is wrong when something is.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el } = A.make;
  const byId = (id) => document.getElementById(id);
  const TITLES = { board: "Board", front: "Frontier", compare: "Compare", model: "Model", reported: "Reported elsewhere", reading: "How to read it" };
  const SCOPED = ["board", "front", "compare", "reading"];
  const FILTERED = ["board", "front"];
  let before = null;
  let spoken = "";

  // A sentence about the last step, until the next one.
  function say(sentence) {
    spoken = sentence;
    notes(A.state.now());
  }

  function cohortOf(board, state) {
    const named = board.cohort.get(state.cohort);
    return named || board.cohorts.find((cohort) => !state.hardware || cohort.hardware.id === state.hardware) || board.cohorts[0] || null;
  }

  // Whatever an address names and this board does not have.
  function strangers(state) {
    const { board, cohort } = A.app;
    const said = [];
    if (state.cohort && !board.cohort.has(state.cohort)) said.push(`a cohort \u201c${state.cohort}\u201d`);
    if (!cohort) return said;
    if (state.sort && state.sort !== A.select.NAME && !A.select.columnOf(cohort, state.sort)) said.push(`a column \u201c${state.sort}\u201d to sort by`);
    for (const id of state.columns || []) if (!A.select.columnOf(cohort, id)) said.push(`a column \u201c${id}\u201d`);
    for (const id of state.chosen) if (!cohort.row.has(id)) said.push(`a row \u201c${id}\u201d to compare`);
    return said;
  }

  function notes(state) {
    const said = strangers(state);
    const lines = said.length ? [`The link names ${said.slice(0, 3).join(", ")}${said.length > 3 ? ` and ${said.length - 3} more` : ""}, which this board does not have; what it has is shown.`] : [];
    if (spoken) lines.push(spoken);
    byId("notes").replaceChildren(...lines.map((line) => el("p", { class: "flag-line" }, line)));
  }

  function navigation(state) {
    for (const link of document.querySelectorAll("nav a")) {
      const { view } = link.dataset;
      link.setAttribute("href", A.state.href({ view, model: "", page: 0 }));
      if (view === state.view || (view === "board" && state.view === "model")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const count = byId("title");
    document.title = `${TITLES[state.view]} \u00b7 ${A.data.text(A.app.board.raw.name) || count.textContent}`;
  }

  function show(view, board, cohort, state) {
    if (state.view === "model") return A.model.draw(view, board, state);
    if (state.view === "reported") return A.reported.draw(view, board);
    if (state.view === "reading") return A.reading.draw(view, board, cohort);
    if (!cohort) {
      const pending = board.models.size ? `${board.models.size} ${board.models.size === 1 ? "model is" : "models are"} submitted; none has a run here yet.` : "No model has been submitted and no run has been added.";
      return view.replaceChildren(A.parts.notice("This board is empty", pending, "Add a sealed run with: assay board add RUN, then: assay board build."), waiting(board) || "");
    }
    return { board: A.table, front: A.front, compare: A.compare }[state.view].draw(view, board, cohort, state);
  }

  function waiting(board) {
    if (!board.models.size) return null;
    return el("ul", {}, [...board.models.values()].slice(0, 200).map((model) => el("li", {}, A.parts.go({ view: "model", model: model.id }, A.data.text(model.name) || A.data.text(model.id)), ` \u00b7 ${A.data.text(model.state)}`)));
  }

  function draw(state) {
    const { board } = A.app;
    const cohort = cohortOf(board, state);
    A.app.cohort = cohort;
    if (before && before.view !== state.view) spoken = "";
    navigation(state);
    const scoped = cohort && SCOPED.includes(state.view);
    byId("scope").hidden = !scoped;
    byId("filters").hidden = !(cohort && FILTERED.includes(state.view));
    if (cohort) A.filters.draw(board, cohort, state);
    const view = byId("view");
    view.hidden = false;
    view.className = `view-${state.view}`;
    show(view, board, cohort, state);
    A.compare.tray(cohort, state);
    notes(state);
    const moved = before && (before.view !== state.view || before.model !== state.model);
    before = state;
    if (!moved) return;
    scrollTo(0, state.view === "board" ? scrollY : Math.min(scrollY, view.offsetTop));
    view.querySelector("h2")?.focus({ preventScroll: true });
  }

  function foot(raw) {
    const built = A.data.isObject(raw.built) ? raw.built : {};
    const parts = [A.data.text(built.assay) && `built by assay ${built.assay}`, A.data.text(built.date) && `newest entry of ${built.date}`].filter(Boolean);
    byId("foot").replaceChildren(parts.join(" \u00b7 "), A.data.text(built.registry) ? el("span", {}, " \u00b7 registry ", A.make.code(built.registry)) : "");
  }

  async function start() {
    try {
      const raw = await A.data.load();
      A.data.check(raw);
      A.app.board = A.data.index(raw);
    } catch (problem) {
      if (!(problem instanceof A.data.Problem)) throw problem;
      byId("problem").hidden = false;
      byId("problem").replaceChildren(A.parts.notice(problem.message, problem.says, problem.todo));
      document.body.classList.add("broken");
      return;
    }
    const { raw } = A.app.board;
    foot(raw);
    A.state.start(draw);
    performance.mark("assay-board-drawn");
  }

  A.app = { board: null, cohort: null, say };
  start();
})();
