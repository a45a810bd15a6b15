"use strict";
// Up to four systems side by side: every number, and its difference to the first with an interval.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el, svg } = A.make;
  const { finite } = A.numbers;
  const NAMES = ["one", "two", "three", "four"];

  function chosenRows(cohort, state) {
    return state.chosen.map((id) => cohort.row.get(id)).filter(Boolean).slice(0, 4);
  }

  const without = (row) => A.state.now().chosen.filter((id) => id !== row.id);

  function headerOf(row, at) {
    const first = () => A.state.go({ chosen: [row.id, ...without(row)] });
    const away = () => A.state.go({ chosen: without(row) });
    return el(
      "th",
      { scope: "col", class: `side ${NAMES[at]}` },
      el("span", { class: "dot-key", "aria-hidden": "true" }),
      A.parts.modelLink(row),
      el("small", {}, A.parts.about(row)),
      el("span", { class: "marks" }, A.parts.marks(row)),
      el(
        "span",
        { class: "buttons" },
        at ? el("button", { type: "button", class: "plain", click: first, "aria-label": `Make first: compare the others with ${row.label}` }, "Make first") : el("small", {}, "the others are compared with this one"),
        el("button", { type: "button", class: "plain", click: away, "aria-label": `Take ${row.label} away` }, "Take away"),
      ),
    );
  }

  // Shares on one axis: a line per metric, an interval per system.
  function bars(cohort, rows, columns, width) {
    const name = Math.min(230, Math.round(width * 0.34));
    const each = 11 * rows.length + 14;
    const height = columns.length * each + 30;
    const X = (value) => name + Math.min(1, Math.max(0, value)) * (width - name - 18);
    const root = svg("svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    for (const tick of width < 480 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]) {
      root.append(svg("g", { class: "grid" }, svg("path", { d: `M${X(tick)} 0V${height - 22}` }), svg("text", { x: X(tick), y: height - 6, "text-anchor": "middle" }, `${100 * tick}${tick === 1 ? "\u202f%" : ""}`)));
    }
    const room = Math.floor(name / 6.4);
    columns.forEach((column, line) => {
      const top = line * each + 8;
      const label = A.data.text(column.label) || column.id;
      root.append(svg("text", { class: "label", x: 0, y: top + 10 }, label.length > room ? `${label.slice(0, room - 1)}\u2026` : label));
      const task = A.data.text(column.task);
      if (task && rows.length > 1) root.append(svg("text", { class: "sub", x: 0, y: top + 24 }, task.length > room ? `${task.slice(0, room - 1)}\u2026` : task));
      rows.forEach((row, at) => {
        const cell = row.measured(column.id);
        if (!cell) return;
        const y = top + 6 + 11 * at;
        const [from, to] = [finite(cell.low) ? cell.low : cell.value, finite(cell.high) ? cell.high : cell.value];
        root.append(svg("g", { class: `side ${NAMES[at]}` }, svg("path", { class: "span", d: `M${X(from).toFixed(1)} ${y}H${X(to).toFixed(1)}` }), svg("circle", { class: "dot", cx: X(cell.value).toFixed(1), cy: y, r: 4 })));
      });
      if (line) root.append(svg("path", { class: "rule", d: `M0 ${top - 8}H${width}` }));
    });
    return root;
  }

  function numbers(cohort, rows, columns) {
    const body = A.parts.grouped(columns, rows.length + 1, (column) => {
      const shaped = A.data.shapeOf(cohort, column);
      const wish = { higher: "higher is better", lower: "lower is better" }[column.better];
      return el(
        "tr",
        {},
        el("th", { scope: "row", title: A.data.text(column.says) || null }, A.data.text(column.label) || column.id, el("small", {}, [columns.length > 6 ? "" : A.data.text(column.task), shaped.unit, wish].filter(Boolean).join(" \u00b7 "))),
        rows.map((row, at) => {
          const td = A.parts.cellOf(cohort, column, row);
          const difference = at && A.data.difference(cohort, column, row, rows[0]);
          if (difference) td.append(A.parts.apart(difference, column, shaped));
          else if (at && row.measured(column.id) && rows[0].measured(column.id)) td.append(el("span", { class: "apart open" }, el("small", {}, "no interval for the difference")));
          return td;
        }),
      );
    });
    return A.make.wide("Numbers side by side", el("table", { class: "sides" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Number"), rows.map(headerOf))), el("tbody", {}, body)));
  }

  function specs(rows) {
    const line = (name, of) => {
      const said = rows.map(of);
      return said.some(Boolean) ? el("tr", {}, el("th", { scope: "row" }, name), said.map((one) => (one ? el("td", {}, one) : el("td", { class: "none" }, A.make.hidden("not stated"))))) : null;
    };
    const file = (row) => A.data.objects(row.model.quantizations).find((one) => A.data.text(one.name).toLowerCase() === row.quantisation.toLowerCase());
    const bytes = (row) => (file(row) && finite(file(row).bytes) ? `${A.numbers.whole.format(file(row).bytes / 1e6)} MB` : "");
    return A.make.wide(
      "What they are",
      el(
        "table",
        { class: "specs" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "What it is"), rows.map((row) => el("th", { scope: "col" }, row.label)))),
        el(
          "tbody",
          {},
          line("parameters", (row) => A.numbers.parameters(row.model.parameters)),
          line("quantisation", (row) => row.quantisation),
          line("file", bytes),
          line("architecture", (row) => A.data.text(row.model.architecture)),
          line("family", (row) => A.data.text(row.model.family)),
          line("context", (row) => (finite(row.model.context_length) ? `${A.numbers.whole.format(row.model.context_length)} tokens` : "")),
          line("licence", (row) => A.data.text(row.model.licence)),
          line("repository", (row) => A.make.repository(row.model.hf_repo)),
          line("run", (row) => (A.data.text(row.raw.run) ? A.make.code(A.data.text(row.raw.run).slice(0, 16)) : "")),
        ),
      ),
    );
  }

  function adder(cohort, rows) {
    if (rows.length > 3) return null;
    const open = cohort.rows.filter((row) => !rows.includes(row));
    if (!open.length) return null;
    const control = el("select", { id: "add-side", change: (event) => event.target.value && A.state.go({ chosen: [...rows.map((row) => row.id), event.target.value] }) }, el("option", { value: "" }, "choose a system"), open.slice(0, 1500).map((row) => el("option", { value: row.id }, [row.label, A.parts.about(row)].filter(Boolean).join(" \u00b7 "))));
    return el("div", { class: "fields" }, el("div", { class: "field grow" }, el("label", { for: "add-side" }, "Add a system"), control));
  }

  function draw(view, board, cohort, state) {
    const rows = chosenRows(cohort, state);
    const head = A.parts.heading("Compare", "Up to four systems of one cohort. A difference is to the first; paired where both were asked the same samples and the board holds the pair, otherwise from the two intervals (MOVER), which is usually wider than need be. Each interval stands by itself: none is widened for how many are shown, as the ranks of the board are.");
    if (!rows.length) {
      const todo = cohort.rows.length ? null : "Choose a cohort that has rows.";
      view.replaceChildren(...head.filter(Boolean), A.parts.notice("No system is chosen", "Tick the boxes of up to four rows on the board, or choose one here.", todo), adder(cohort, rows) || "");
      return;
    }
    const columns = cohort.columns.filter((column) => rows.some((row) => row.measured(column.id)));
    const shares = columns.filter((column) => column.unit === "share");
    const drawn = shares.length > 14 ? shares.filter((column, at) => shares.findIndex((other) => other.task === column.task) === at) : shares;
    const figure = shares.length ? el("figure", {}, A.chart.fitted(el("div", { class: "canvas" }), (width) => bars(cohort, rows, drawn, width)), el("figcaption", {}, drawn === shares ? "Every share on one axis, with its interval; the table above holds the same numbers." : "The first share of each task on one axis, with its interval; the table above holds all of them.")) : null;
    view.replaceChildren(...[...head, numbers(cohort, rows, columns), adder(cohort, rows), figure, el("h3", {}, "What they are"), specs(rows)].filter(Boolean));
  }

  // The tray: what is chosen, wherever the reader is.
  function tray(cohort, state) {
    const box = document.getElementById("tray");
    const rows = cohort ? chosenRows(cohort, state) : [];
    box.hidden = !rows.length || state.view === "compare";
    if (box.hidden) return box.replaceChildren();
    return box.replaceChildren(
      el("p", {}, el("b", {}, `${rows.length} of 4 chosen: `), rows.map((row) => [row.label, A.parts.about(row)].filter(Boolean).join(" ")).join(", ")),
      el("button", { type: "button", class: "strong", click: () => A.state.go({ view: "compare" }) }, "Compare"),
      el("button", { type: "button", class: "plain", click: () => A.state.go({ chosen: [] }) }, "Clear"),
    );
  }

  A.compare = { draw, tray };
})();
