"use strict";
// Tables that others published: numbers without records.  Never ranked, never beside what was measured.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el } = A.make;
  const { text, objects, own } = A.data;

  function cell(value, shaped) {
    const number = A.data.isObject(value) ? value.value : value;
    if (A.numbers.finite(number)) return el("td", { class: "number" }, shaped.bare(number));
    return el("td", { class: "none" }, A.make.hidden("not reported"));
  }

  function named(row) {
    const [label, repository] = [text(row.label), text(row.hf_repo)];
    const link = repository ? A.make.repository(repository) : null;
    return el("th", { scope: "row" }, link && label === repository ? link : [label, link && el("small", {}, link)]);
  }

  function table(one) {
    const columns = objects(one.columns);
    const rows = objects(one.rows);
    const shapes = columns.map((column) => A.numbers.shape(column, rows.map((row) => own(row.cells, column.id)).map((value) => (A.data.isObject(value) ? value : { value })).filter((value) => A.numbers.finite(value.value))));
    const sized = rows.some((row) => A.numbers.finite(row.parameters));
    const head = el("tr", {}, el("th", { scope: "col" }, "Model"), sized ? el("th", { scope: "col", class: "number" }, "parameters") : null, columns.map((column, at) => el("th", { scope: "col", class: "number" }, text(column.label) || text(column.id), shapes[at].unit ? el("small", {}, shapes[at].unit) : null)));
    const body = rows.map((row) => el("tr", {}, named(row), sized ? el("td", { class: "number" }, A.numbers.parameters(row.parameters)) : null, columns.map((column, at) => cell(own(row.cells, column.id), shapes[at]))));
    const source = A.data.isObject(one.source) ? one.source : {};
    return el(
      "article",
      { class: "reported" },
      el("h3", {}, text(one.name), " ", el("span", { class: "mark warn-mark" }, "reported")),
      el("p", { class: "note" }, "Source: ", A.make.elsewhere(source.url, text(source.title) || text(source.url) || "not stated"), [text(source.date), text(source.licence)].filter(Boolean).map((part) => ` \u00b7 ${part}`)),
      A.make.wide(`Reported: ${text(one.name)}`, el("table", {}, el("thead", {}, head), el("tbody", {}, body))),
    );
  }

  function draw(view, board) {
    const head = A.parts.heading("Reported elsewhere", "Numbers that others published. Nobody here has their records, so they have no interval, stand in no rank, no comparison and no front, and may come from other prompts, shots and machines.");
    const none = board.reported.length ? null : A.parts.notice("No published table has been taken in", "A board can hold them in models/reported/.", null);
    view.replaceChildren(...[...head, none, ...board.reported.map(table)].filter(Boolean));
  }

  A.reported = { draw };
})();
