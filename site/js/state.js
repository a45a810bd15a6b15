"use strict";
// Where the reader is: the whole state stands in the address, so that it can be shared and gone back to.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const VIEWS = ["board", "front", "compare", "model", "reported", "reading"];
  const WORDS = ["cohort", "q", "sort", "dir", "category", "quantisation", "licence", "hardware", "min", "max", "evidence", "model", "x", "y"];
  const EMPTY = Object.freeze({
    view: "board",
    ...Object.fromEntries(WORDS.map((word) => [word, ""])),
    columns: null, // null: those that a board shows at first
    chosen: Object.freeze([]),
    page: 0,
  });
  let drawn = () => {};
  let current = EMPTY;

  function read(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const state = { ...EMPTY };
    if (VIEWS.includes(given.get("view"))) state.view = given.get("view");
    for (const word of WORDS) state[word] = given.get(word) || "";
    if (given.has("col")) state.columns = given.getAll("col").filter(Boolean);
    state.chosen = [...new Set(given.getAll("with"))].filter(Boolean).slice(0, 4);
    const page = Number(given.get("page"));
    state.page = Number.isInteger(page) && page > 1 ? page - 1 : 0;
    return state;
  }

  function write(state) {
    const said = new URLSearchParams();
    if (state.view !== "board") said.set("view", state.view);
    for (const word of WORDS) if (state[word]) said.set(word, state[word]);
    if (state.columns) for (const id of state.columns.length ? state.columns : [""]) said.append("col", id);
    for (const id of state.chosen) said.append("with", id);
    if (state.page > 0) said.set("page", String(state.page + 1));
    return `#${said}`;
  }

  const changed = (patch) => ({ ...current, ...patch });

  // Go on with some words changed.  Typing replaces the entry of the history; a choice adds one.
  function go(patch, replace) {
    current = changed(patch);
    history[replace ? "replaceState" : "pushState"](null, "", write(current));
    drawn(current);
  }

  const href = (patch) => write(changed(patch));

  function start(draw) {
    drawn = draw;
    current = read(location.hash);
    addEventListener("hashchange", () => {
      if (location.hash === "#main") return; // the skip link
      current = read(location.hash);
      drawn(current);
    });
    drawn(current);
  }

  A.state = { EMPTY, read, write, go, href, start, now: () => current };
})();
