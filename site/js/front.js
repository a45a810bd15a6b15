"use strict";
// Accuracy against dollars or latency: one mark a system, its two intervals, and where it stands.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el, svg } = A.make;
  const { finite } = A.numbers;
  const STANDING = {
    on: ["on the front", "no other system is as good on every objective and better on one"],
    beaten: ["beaten", "another system is shown to be better on every objective at once"],
    unresolved: ["unresolved", "another system is ahead, and it is not shown"],
  };
  const standingOf = (row) => (row.control ? "control" : Object.hasOwn(STANDING, row.standing || "") ? row.standing : "unplaced");
  const standingSaid = (row) => ({ control: "control", unplaced: "not placed" })[standingOf(row)] || STANDING[standingOf(row)][0];

  function mark(standing, x, y) {
    const size = { on: 6, unresolved: 5.5, beaten: 4.5 }[standing] || 4;
    if (standing === "unresolved") return svg("path", { class: "dot", d: `M${x} ${y - size}L${x + size} ${y}L${x} ${y + size}L${x - size} ${y}Z` });
    if (standing === "control") return svg("path", { class: "dot", d: `M${x - size} ${y - size}L${x + size} ${y + size}M${x - size} ${y + size}L${x + size} ${y - size}` });
    return svg("circle", { class: "dot", cx: x, cy: y, r: size });
  }

  function axisOf(cohort, column, cells) {
    const shaped = A.data.shapeOf(cohort, column);
    const values = cells.flatMap((cell) => [cell.value, cell.low, cell.high]).filter(finite);
    const positive = cells.map((cell) => cell.value).every((value) => value > 0);
    const sound = positive ? values.filter((value) => value > 0) : values;
    const log = positive && !column.bounds && ["usd", "s", "bytes", "count"].includes(column.unit);
    const bounds = Array.isArray(column.bounds) && column.bounds.every(finite) ? column.bounds : null;
    const unit = shaped.unit && shaped.unit !== "$" ? ` (${shaped.unit})` : shaped.unit === "$" ? " ($)" : "";
    return { axis: A.chart.axis(sound, { log, bounds }), write: shaped.tick, name: `${A.parts.columnName(column)}${unit}` };
  }

  function said(cohort, column, cell) {
    const shaped = A.data.shapeOf(cohort, column);
    return `${A.data.text(column.label) || column.id} ${shaped.full(cell.value)} ${A.numbers.interval(cell, shaped)}`;
  }

  // A line about a point, beside it: shown to a pointer and to the keyboard alike.
  function tipFor(box) {
    const tip = el("p", { class: "tip", hidden: true, "aria-hidden": "true" });
    const show = (point) => {
      tip.textContent = point.getAttribute("aria-label").replaceAll("; ", "\n");
      tip.hidden = false;
      const at = point.querySelector(".dot").getBoundingClientRect();
      const home = box.getBoundingClientRect();
      const left = Math.min(home.width - tip.offsetWidth, Math.max(0, at.x + at.width / 2 - home.x - tip.offsetWidth / 2));
      const above = at.y - home.y - tip.offsetHeight - 10;
      tip.style.left = `${left}px`;
      tip.style.top = `${above > 0 ? above : at.y - home.y + at.height + 10}px`;
    };
    return { tip, show, leave: () => (tip.hidden = true) };
  }

  function plot(cohort, points, x, y, width) {
    const height = Math.round(Math.min(520, Math.max(320, width * 0.5)));
    const [onX, onY] = [x, y].map((column) => axisOf(cohort, column, points.map((row) => row.measured(column.id))));
    const { root, X, Y, left, right, top } = A.chart.frame({ width, height, x: onX, y: onY, says: `${onY.name} against ${onX.name}; use the arrow keys to go from point to point` });
    if (points.length > 150) root.classList.add("many");
    root.append(svg("text", { class: "name", x: 4, y: top - 12, "aria-hidden": "true" }, `\u2191 ${onY.name}`));
    const sorted = [...points].sort((a, b) => a.measured(x.id).value - b.measured(x.id).value);
    const layer = { beaten: 0, unplaced: 0, control: 0, unresolved: 1, on: 2 };
    const links = sorted.map((row, at) => {
      const [cx, cy] = [row.measured(x.id), row.measured(y.id)];
      const [px, py] = [Number(X(cx.value).toFixed(1)), Number(Y(cy.value).toFixed(1))];
      const standing = standingOf(row);
      const arm = (cell, to) => [finite(cell.low) ? to(cell.low) : to(cell.value), finite(cell.high) ? to(cell.high) : to(cell.value)].map((one) => one.toFixed(1));
      const [x1, x2] = arm(cx, X);
      const [y1, y2] = arm(cy, Y);
      const says = [`${row.label}${A.parts.about(row) ? `, ${A.parts.about(row)}` : ""}`, standingSaid(row), said(cohort, y, cy), said(cohort, x, cx)].join("; ");
      const follow = (event) => {
        event.preventDefault();
        if (row.model.id) A.state.go({ view: "model", model: row.model.id });
      };
      const address = A.state.write({ ...A.state.EMPTY, view: "model", model: A.data.text(row.model.id) });
      return svg(
        "a",
        { class: `spot ${standing}`, href: address, "aria-label": says, tabindex: at ? -1 : 0, click: follow, "data-layer": layer[standing] },
        svg("path", { class: "arms", d: `M${x1} ${py}H${x2}M${px} ${y1}V${y2}` }),
        svg("circle", { class: "halo", cx: px, cy: py, r: 12 }),
        mark(standing, px, py),
      );
    });
    for (const link of [...links].sort((a, b) => a.dataset.layer - b.dataset.layer)) root.append(link);
    const placed = sorted.map((row) => ({ row, px: X(row.measured(x.id).value), py: Y(row.measured(y.id).value) }));
    name(root, placed, { left, right, top });
    return { root, links };
  }

  // Names of the points on the front (of all, where none is known), each where it covers no point and no other name; or none.
  function name(root, placed, edge) {
    const taken = placed.map(({ px, py }) => ({ left: px - 6, right: px + 6, top: py - 6, bottom: py + 6 }));
    const clear = (box) => box.left > edge.left && box.right < edge.right && box.top > edge.top && taken.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
    for (const { row, px, py } of placed) {
      if (!["on", "unplaced"].includes(standingOf(row)) || taken.length > 400) continue;
      const twice = placed.some((other) => other.row !== row && other.row.label === row.label);
      const said = twice ? [row.label, A.parts.about(row)].filter(Boolean).join(" ") : row.label;
      const label = said.length > 28 ? `${said.slice(0, 27)}\u2026` : said;
      const long = label.length * 7.2;
      const places = [px + 9, px - 9 - long].flatMap((from) => [py - 22, py + 6].map((over) => ({ left: from, right: from + long, top: over, bottom: over + 16 })));
      const box = places.find(clear);
      if (!box) continue;
      taken.push(box);
      root.append(svg("text", { class: "tag", x: box.left, y: box.top + 13, "aria-hidden": "true" }, label));
    }
  }

  // One stop for the tabulator; the arrows walk along the axis.
  function walk(links) {
    const to = (at) => {
      for (const link of links) link.setAttribute("tabindex", -1);
      const link = links[Math.min(links.length - 1, Math.max(0, at))];
      link.setAttribute("tabindex", 0);
      link.focus();
    };
    return (event) => {
      const at = links.indexOf(document.activeElement);
      const next = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: 0, End: links.length - 1 }[event.key];
      if (at < 0 || next === undefined) return;
      event.preventDefault();
      to(next);
    };
  }

  // What a number is paid with: dollars, seconds or bytes.
  function price(measured, y) {
    const groups = ["cost", "speed", "size"].map((group) => measured.find((column) => column !== y && column.group === group));
    return groups.find(Boolean) || null;
  }

  function chosenColumns(cohort, state) {
    const front = A.data.list(cohort.raw.front && cohort.raw.front.objectives).map((id) => cohort.column.get(id)).filter(Boolean);
    const measured = cohort.columns.filter((column) => cohort.rows.some((row) => row.measured(column.id)));
    const y = cohort.column.get(state.y) || front[0] || cohort.headline || measured[0];
    const x = cohort.column.get(state.x) || front.find((column) => column !== y) || price(measured, y) || measured.find((column) => column !== y);
    return { front, measured, x, y };
  }

  function picker(name, label, columns, on) {
    const control = el("select", { id: `axis-${name}`, change: (event) => A.state.go({ [name]: event.target.value }) }, columns.map((column) => el("option", { value: column.id, selected: column === on }, A.parts.columnName(column))));
    return el("div", { class: "field" }, el("label", { for: `axis-${name}` }, label), control);
  }

  function draw(view, board, cohort, state) {
    const { front, measured, x, y } = chosenColumns(cohort, state);
    const head = A.parts.heading("Frontier", front.length ? `A system is on the front when nothing in its cohort is shown to beat it on ${front.map((column) => A.data.text(column.label) || column.id).join(", ")} together. Standing is decided on all of them, whichever two are drawn.` : "No system of this cohort has its headline, dollars and latency all measured, with one table of prices for all, so no front is known: the plot shows numbers, and no standing.");
    const rows = A.select.rows(cohort, state);
    const points = x && y ? rows.filter((row) => row.measured(x.id) && row.measured(y.id)) : [];
    if (!points.length) {
      view.replaceChildren(...head.filter(Boolean), A.parts.notice("Nothing to draw", "No system shown here has two columns measured.", "Take a filter away, or choose another cohort."));
      return;
    }
    const box = el("div", { class: "canvas" });
    const shell = el("div", { class: "plotted" }, box);
    const { tip, show, leave } = tipFor(shell);
    shell.append(tip);
    A.chart.fitted(box, (width) => {
      const { root, links } = plot(cohort, points, x, y, width);
      root.addEventListener("keydown", walk(links));
      for (const link of links) {
        link.addEventListener("focus", () => show(link));
        link.addEventListener("pointerenter", () => show(link));
        link.addEventListener("blur", leave);
        link.addEventListener("pointerleave", leave);
      }
      return root;
    });
    const key = el("ul", { class: "key" }, ["on", "unresolved", "beaten", "control"].filter((name) => points.some((row) => standingOf(row) === name)).map((name) => el("li", {}, svg("svg", { class: `plot key-mark ${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("g", { class: `spot ${name}` }, mark(name, 8, 8))), el("span", {}, name === "control" ? "a control" : el("b", {}, STANDING[name][0]), name === "control" ? "" : `: ${STANDING[name][1]}`))));
    const left = rows.length - points.length;
    view.replaceChildren(
      ...head.filter(Boolean),
      el("div", { class: "fields axes" }, picker("y", "Upwards", measured, y), picker("x", "To the right", measured, x)),
      el("figure", {}, shell, key, el("figcaption", {}, "Lines are intervals of each number by itself. ", left ? `${left} ${left === 1 ? "row" : "rows"} without both numbers left out.` : "")),
      el("details", {}, el("summary", {}, "The same as a table"), table(cohort, points, x, y)),
    );
  }

  function table(cohort, points, x, y) {
    const order = ["on", "unresolved", "beaten", "unplaced", "control"];
    const sorted = [...points].sort((a, b) => order.indexOf(standingOf(a)) - order.indexOf(standingOf(b)));
    const units = (column) => [A.data.text(column.task), A.data.shapeOf(cohort, column).unit].filter(Boolean).join(" \u00b7 ");
    const name = (column) => el("th", { scope: "col", class: "number" }, A.data.text(column.label) || column.id, el("small", {}, units(column)));
    return A.make.wide(
      "Points of the plot",
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "System"), el("th", { scope: "col" }, "Standing"), name(y), name(x))),
        el("tbody", {}, sorted.slice(0, 200).map((row) => el("tr", { class: row.control ? "control" : null }, el("th", { scope: "row" }, A.parts.modelLink(row), el("small", {}, A.parts.about(row))), el("td", { class: `standing ${standingOf(row)}` }, standingSaid(row)), A.parts.cellOf(cohort, y, row), A.parts.cellOf(cohort, x, row)))),
      ),
    );
  }

  A.front = { draw, standingSaid };
})();
