"use strict";
// The controls: which cohort, which rows, which columns.  Made once a cohort, and set from the state.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el } = A.make;
  const narrow = matchMedia("(max-width: 48rem)"); // as in views.css: below it the filters fold
  let made = null;
  let scoped = null;

  const go = (patch, replace) => A.state.go({ page: 0, ...patch }, replace);

  function select(name, label, options, change) {
    const control = el("select", { name, id: `by-${name}` }, options.map(([value, text]) => el("option", { value }, text)));
    control.addEventListener("change", () => change(control.value));
    return { control, field: el("div", { class: "field" }, el("label", { for: `by-${name}` }, label), control) };
  }

  function cohortSaid(cohort) {
    const rows = cohort.rows.filter((row) => !row.control).length;
    const reported = cohort.rows.some((row) => row.origin === "reported");
    return [reported && "reported", A.data.text(cohort.suite.name) || "suite", A.data.text(cohort.hardware.says) || A.data.text(cohort.hardware.id), A.numbers.finite(cohort.raw.samples) && `${A.numbers.whole.format(cohort.raw.samples)} samples`, `${A.numbers.whole.format(rows)} ${rows === 1 ? "row" : "rows"}`].filter(Boolean).join(" \u00b7 ");
  }

  // The cohort: a suite at one version, on one machine.  Its rows stand together; no others do.
  const toCohort = (id, patch) => go({ cohort: id, chosen: [], sort: "", dir: "", columns: null, x: "", y: "", ...patch });

  function scope(board, cohort, state) {
    const key = JSON.stringify([cohort.id, state.hardware]);
    if (scoped === key) return;
    scoped = key;
    const open = board.cohorts.filter((one) => !state.hardware || one.hardware.id === state.hardware);
    const suites = new Map();
    for (const one of open) {
      const name = A.data.text(one.suite.name) || "suite";
      suites.set(name, [...(suites.get(name) || []), one]);
    }
    const which = el(
      "select",
      { name: "cohort", id: "by-cohort", change: (event) => toCohort(event.target.value) },
      [...suites].map(([name, all]) => el("optgroup", { label: name }, all.map((one) => el("option", { value: one.id, selected: one === cohort }, cohortSaid(one))))),
    );
    const others = board.cohorts.length - 1;
    const box = document.getElementById("scope");
    const held = document.activeElement && box.contains(document.activeElement) ? document.activeElement.id : null;
    box.replaceChildren(
      el(
        "div",
        { class: "fields" },
        el("div", { class: "field grow" }, el("label", { for: "by-cohort" }, "Suite and machine"), which),
      ),
      el(
        "p",
        { class: "note" },
        A.data.text(cohort.suite.says).trim().replace(/([^.!?])$/, "$1."),
        " ",
        others > 0 ? `${others} other ${others === 1 ? "cohort" : "cohorts"} (suite, version, samples or machine) ${others === 1 ? "is" : "are"} never ranked beside this one.` : "",
      ),
    );
    if (held) document.getElementById(held)?.focus();
  }

  function chooser(cohort) {
    const boxes = [];
    const shown = () => boxes.filter((box) => box.checked).map((box) => box.value);
    const groups = new Map();
    for (const column of A.select.allColumns(cohort)) {
      const name = A.data.text(column.group) || "other";
      groups.set(name, [...(groups.get(name) || []), column]);
    }
    const sets = [...groups].map(([name, columns]) =>
      el(
        "fieldset",
        {},
        el("legend", {}, name),
        columns.map((column) => {
          const box = el("input", { type: "checkbox", value: column.id });
          box.addEventListener("change", () => go({ columns: shown() }));
          boxes.push(box);
          return el("label", { title: A.data.text(column.says) || null }, box, el("span", {}, A.parts.columnName(column)));
        }),
      ),
    );
    const count = el("span", { class: "quiet" });
    const fold = el(
      "details",
      { class: "chooser" },
      el("summary", {}, "Columns ", count),
      el(
        "div",
        { class: "sheet" },
        el(
          "p",
          { class: "buttons" },
          el("button", { type: "button", class: "plain", click: () => go({ columns: boxes.map((box) => box.value) }) }, "All"),
          el("button", { type: "button", class: "plain", click: () => go({ columns: null }) }, "As at first"),
          el("button", { type: "button", class: "plain", click: () => go({ columns: [] }) }, "None"),
        ),
        el("div", { class: "sets" }, sets),
      ),
    );
    fold.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !fold.open) return;
      fold.open = false;
      fold.querySelector("summary").focus();
    });
    const set = (state) => {
      const ids = new Set(A.select.columns(cohort, state).map((column) => column.id));
      for (const box of boxes) box.checked = ids.has(box.value);
      count.textContent = `${ids.size} of ${boxes.length}`;
    };
    return { fold, set };
  }

  // A machine narrows the cohorts that are offered, and leads to its first one.
  function hardware(board, cohort) {
    const machines = new Map(board.cohorts.map((one) => [A.data.text(one.hardware.id), A.data.text(one.hardware.says)]));
    return select("hardware", "Hardware", [["", "any"], ...[...machines].map(([id, says]) => [id, says || id])], (id) => {
      const other = board.cohorts.find((one) => one.hardware.id === id);
      if (!id || !other || cohort.hardware.id === id) go({ hardware: id });
      else toCohort(other.id, { hardware: id });
    });
  }

  function make(board, cohort) {
    const facets = A.select.facets(cohort);
    const any = (values) => [["", "any"], ...values.map((value) => [value, value])];
    const by = {};
    for (const [name, label] of [["category", "Category"], ["quantisation", "Quantisation"], ["licence", "Licence"]]) {
      by[name] = select(name, label, any(facets[name]), (value) => go({ [name]: value }));
    }
    const evidence = Object.entries(A.select.EVIDENCE).map(([value, [text]]) => [value, text]);
    by.evidence = select("evidence", "Evidence", [["", "any"], ...evidence], (value) => go({ evidence: value }));
    const sizes = A.select.SIZES.map(([text], at) => [String(at), text]);
    by.size = select("size", "Size", [["", "any"], ...sizes, ["own", "as below"]], (value) => {
      const [, min, max] = A.select.SIZES[Number(value)] || ["", "", ""];
      if (value !== "own") go(value === "" ? { min: "", max: "" } : { min, max });
    });
    const search = el("input", { type: "search", id: "by-q", name: "q", autocomplete: "off", spellcheck: "false", placeholder: "name, family, repository, licence" });
    search.addEventListener("input", () => go({ q: search.value }, true));
    const limit = (name, label, hint) => {
      const input = el("input", { type: "text", id: `by-${name}`, name, autocomplete: "off", placeholder: hint, inputmode: "text", size: 6 });
      input.addEventListener("input", () => {
        const sound = !input.value || A.numbers.readParameters(input.value) !== null;
        input.setAttribute("aria-invalid", String(!sound));
        if (sound) go({ [name]: input.value.trim() }, true);
      });
      return { control: input, field: el("div", { class: "field" }, el("label", { for: `by-${name}` }, label), input) };
    };
    by.min = limit("min", "From", "100M");
    by.max = limit("max", "To", "1.5B");
    by.hardware = hardware(board, cohort);
    const columns = chooser(cohort);
    const clear = el("button", { type: "button", class: "plain", click: () => A.state.go(A.select.unfiltered()) }, "Clear filters");
    const inside = el(
      "div",
      { class: "fields" },
      ["category", "quantisation", "licence", "size", "min", "max", "hardware", "evidence"].map((name) => by[name].field),
    );
    const fold = el("details", { class: "folded", open: !narrow.matches }, el("summary", {}, "Filters"), inside);
    const form = document.getElementById("filters");
    form.replaceChildren(el("div", { class: "field grow" }, el("label", { for: "by-q" }, "Search"), search), fold, clear);
    made = { cohort, by, search, columns, clear, fold };
  }

  function sizeOf(state) {
    if (!state.min && !state.max) return "";
    const at = A.select.SIZES.findIndex(([, min, max]) => min === state.min && max === state.max);
    return at < 0 ? "own" : String(at);
  }

  function draw(board, cohort, state) {
    scope(board, cohort, state);
    if (!made || made.cohort !== cohort) make(board, cohort);
    const { by, search, columns, clear, fold } = made;
    const put = (control, value) => {
      if (control !== document.activeElement || control.tagName === "SELECT") control.value = value;
    };
    put(search, state.q);
    for (const name of ["category", "quantisation", "licence", "hardware", "evidence", "min", "max"]) put(by[name].control, state[name]);
    by.size.control.value = sizeOf(state);
    columns.set(state);
    clear.hidden = !A.select.isFiltered(state);
    if (A.select.isFiltered({ ...state, q: "" })) fold.open = true;
  }

  narrow.addEventListener("change", () => {
    if (made && !narrow.matches) made.fold.open = true;
  });
  document.addEventListener("submit", (event) => event.preventDefault());
  // A click elsewhere closes the sheet of columns.
  document.addEventListener("click", (event) => {
    const open = document.querySelector(".chooser[open]");
    if (open && !open.contains(event.target)) open.open = false;
  });

  A.filters = { draw, columns: () => made.columns.fold };
})();
