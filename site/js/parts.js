"use strict";
// Pieces that several views share: a number with its interval, a missing number, the marks of a row.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el, svg, hidden } = A.make;
  const { finite } = A.numbers;

  // A thousand rows hold tens of thousands of these: one is made, the others are copied.
  const pattern = el(
    "span",
    { class: "measure" },
    el("span", { class: "value" }, "0"),
    svg("svg", { class: "strip", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("path", { class: "span" }), svg("path", { class: "point" })),
    el("small", {}, "0"),
  );

  // A number, its interval as text and as a bar on the scale of its column.
  function measure(cell, shaped, full) {
    const made = pattern.cloneNode(true);
    const [value, strip, ends] = made.children;
    value.firstChild.data = full ? shaped.full(cell.value) : shaped.bare(cell.value);
    ends.firstChild.data = A.numbers.interval(cell, shaped);
    const from = 100 * shaped.at(finite(cell.low) ? cell.low : cell.value);
    const to = 100 * shaped.at(finite(cell.high) ? cell.high : cell.value);
    const at = 100 * shaped.at(cell.value);
    strip.firstChild.setAttribute("d", `M${from.toFixed(1)} 4H${Math.max(to, from + 0.5).toFixed(1)}`);
    strip.lastChild.setAttribute("d", `M${at.toFixed(1)} 0V8`);
    return made;
  }

  const WHY = "not measured";

  function whyNot(cell) {
    const why = A.data.isObject(cell) ? A.data.text(cell.why) : "";
    return why || WHY;
  }

  // One td of a table of rows.  What is not measured is blank to the eye, and says why to whoever asks.
  function cellOf(cohort, column, row) {
    if (column.spec) {
      const text = column.write(column.of(row));
      if (!text) return el("td", { class: "none" }, hidden("not stated"));
      return el("td", { class: column.prose ? "prose" : "number" }, text);
    }
    const cell = row.measured(column.id);
    if (cell) {
      const td = document.createElement("td");
      td.className = "number";
      td.append(measure(cell, A.data.shapeOf(cohort, column)));
      const flag = flagOf(row, column);
      if (flag) td.append(flag);
      return td;
    }
    const why = whyNot(row.cell(column.id));
    return el("td", { class: "none", title: why }, hidden(why));
  }

  // A number that a control reaches too says little: it is marked wherever it stands.
  function flagOf(row, column) {
    const control = A.data.text(A.data.own(row.raw.flags, column.id));
    return control ? el("span", { class: "mark warn-mark flag", title: `The control ${control}, which knows nothing of the task, does as well.` }, "control as good", hidden(`: ${control}`)) : null;
  }

  function rankText(rank) {
    return rank.best === rank.worst ? String(rank.best) : `${rank.best}\u2013${rank.worst}`;
  }

  function rankSaid(rank) {
    return rank.best === rank.worst ? `rank ${rank.best}` : `rank ${rank.best} to ${rank.worst}: the records cannot tell which`;
  }

  // What a row is apart from its numbers: a control, recomputed, signed, not measured here.
  function marks(row) {
    const made = [];
    if (row.control) made.push(el("span", { class: "mark control-mark", title: "A control: it knows nothing of the task. Never ranked." }, "control"));
    if (row.origin !== "measured") made.push(el("span", { class: "mark warn-mark" }, row.origin));
    if (row.recomputed) made.push(el("span", { class: "mark good-mark", title: "Every number was computed from the archived records when the run was added, and the archive is unchanged." }, "recomputed"));
    if (row.signed) made.push(el("span", { class: "mark good-mark", title: "The run's seal is signed." }, "signed"));
    if (row.run && row.run.recomputed === false) made.push(el("span", { class: "mark warn-mark" }, "archive changed"));
    return made;
  }

  // What tells rows of one model apart.
  function about(row) {
    const label = row.label.toLowerCase();
    const said = [row.quantisation, row.system].filter((text) => text && !label.includes(text.toLowerCase()));
    const distinct = said.filter((text, at) => said.findIndex((other) => other.toLowerCase() === text.toLowerCase()) === at);
    return distinct.join(" \u00b7 ");
  }

  // A link that goes on from the state of the moment it is followed; opened elsewhere, it stands alone.
  function go(patch, text) {
    const follow = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button) return;
      event.preventDefault();
      A.state.go(patch);
    };
    return el("a", { href: A.state.write({ ...A.state.EMPTY, ...patch }), click: follow }, text);
  }

  function modelLink(row) {
    const known = A.data.text(row.model.id);
    return known ? go({ view: "model", model: known }, row.label) : el("span", {}, row.label);
  }

  // A difference in words and in colour: better, worse, or open.
  function apart(difference, column, shaped) {
    const { value, low, high, how } = difference;
    const clear = low > 0 || high < 0;
    const good = column.better === "lower" ? value < 0 : value > 0;
    const name = !clear || column.better === "none" ? "open" : good ? "better" : "worse";
    const said = { open: clear ? "differs" : "cannot be told apart", better: "better", worse: "worse" }[name];
    return el(
      "span",
      { class: `apart ${name}` },
      el("span", { class: "value" }, shaped.signed(value)),
      el("small", {}, `[${shaped.signed(low)}, ${shaped.signed(high)}] ${shaped.apart}`),
      el("small", { class: "said" }, `${said}, ${how}`),
    );
  }

  function columnName(column) {
    return [A.data.text(column.label) || column.id, A.data.text(column.task)].filter(Boolean).join(", ");
  }

  // Rows of a long table under the name of what they share: each task, or else the group.
  function grouped(columns, width, rowOf) {
    const made = [];
    let last = null;
    for (const column of columns) {
      const name = A.data.text(column.task) || A.data.text(column.group);
      if (name !== last && columns.length > 6) made.push(el("tr", { class: "group" }, el("th", { scope: "rowgroup", colspan: width }, name)));
      last = name;
      made.push(rowOf(column));
    }
    return made;
  }

  function heading(text, note) {
    return [el("h2", { tabindex: -1 }, text), note ? el("p", { class: "note" }, note) : null];
  }

  function notice(title, says, todo) {
    return el("div", { class: "notice" }, el("h2", {}, title), says ? el("p", {}, says) : null, todo ? el("p", { class: "todo" }, todo) : null);
  }

  A.parts = { measure, flagOf, cellOf, whyNot, rankText, rankSaid, marks, about, modelLink, go, apart, grouped, columnName, heading, notice };
})();
