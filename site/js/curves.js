"use strict";
// Curves of a model: a line, the band of its interval, and the same as a table.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el, svg } = A.make;
  const { finite } = A.numbers;
  const AXES = { "risk-coverage": ["answered", "wrong among the answered"] };
  const percent = (value) => String(Number((100 * value).toFixed(2)) || 0);

  function points(curve) {
    return A.data
      .list(curve.points)
      .filter((point) => Array.isArray(point) && finite(point[0]) && finite(point[1]))
      .sort((a, b) => a[0] - b[0]);
  }

  function draw(curve) {
    const all = points(curve);
    if (!all.length) return null;
    const kind = A.data.text(curve.kind);
    const [across, up] = Object.hasOwn(AXES, kind) ? AXES[kind] : ["x", "y"];
    const banded = all.filter((point) => finite(point[2]) && finite(point[3]));
    const shares = all.every((point) => point.slice(0, 2).every((value) => value >= 0 && value <= 1));
    const write = shares ? percent : (value) => String(Number(value.toPrecision(3)));
    const unit = shares ? " (%)" : "";
    const bounds = shares ? [0, 1] : null;
    const title = [kind.replaceAll("-", " "), A.data.text(curve.task), A.data.text(curve.system)].filter(Boolean).join(", ");
    const box = A.chart.fitted(el("div", { class: "canvas" }), (width) => {
      const x = { axis: A.chart.axis(all.map((point) => point[0]), { log: false, bounds, room: 0.02 }), write, name: across + unit };
      const y = { axis: A.chart.axis([0, ...all.flatMap((point) => [point[1], point[2], point[3]]).filter(finite)], { log: false, bounds, room: 0.04 }), write, name: up + unit };
      const { root, X, Y, top } = A.chart.frame({ width, height: Math.round(Math.max(220, width * 0.42)), x, y, says: title });
      const path = (list, at) => list.map((point) => `${X(point[0]).toFixed(1)} ${Y(point[at]).toFixed(1)}`);
      if (banded.length > 1) root.append(svg("path", { class: "band-area", d: `M${path(banded, 3).join("L")}L${path(banded, 2).reverse().join("L")}Z` }));
      root.append(svg("path", { class: "curve", d: `M${path(all, 1).join("L")}` }), svg("text", { class: "name", x: 4, y: top - 12 }, `\u2191 ${y.name}`));
      return root;
    });
    const said = (value) => (finite(value) ? write(value) : "");
    const rows = all.map((point) => el("tr", {}, el("td", { class: "number" }, said(point[0])), el("td", { class: "number" }, said(point[1])), el("td", { class: "number" }, finite(point[2]) && finite(point[3]) ? `[${said(point[2])}, ${said(point[3])}]` : "")));
    const table = el("table", {}, el("thead", {}, el("tr", {}, [across + unit, up + unit, "interval"].map((name) => el("th", { scope: "col", class: "number" }, name)))), el("tbody", {}, rows));
    return el("figure", { class: "curved" }, el("h4", {}, title), box, el("details", {}, el("summary", {}, "The same as a table"), A.make.wide(title, table)));
  }

  A.curves = { draw };
})();
