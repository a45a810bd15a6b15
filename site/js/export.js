"use strict";
// What is shown, as a file: the rows that pass the filters, in their order, with every interval.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { finite } = A.numbers;
  const { text } = A.data;

  // A spreadsheet runs a text that begins like a formula: such a text is given a quote in front.
  function field(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return finite(value) ? String(value) : "";
    const safe = /^[\s\u0000]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function csv(cohort, columns, rows, ranked) {
    const head = ["cohort", "model", "system", "label", "quantisation", "control", "origin", "run", "rank_best", "rank_worst"];
    const specs = columns.filter((column) => column.spec);
    const measured = columns.filter((column) => !column.spec);
    for (const column of specs) head.push(column.label);
    for (const column of measured) head.push(column.id, `${column.id} low`, `${column.id} high`, `${column.id} n`);
    const lines = [head.map(field).join(",")];
    for (const row of rows) {
      const rank = ranked && !row.control ? row.rank(ranked.id) : null;
      const line = [cohort.id, text(row.raw.model), row.system, row.label, row.quantisation, row.control ? "yes" : "no", row.origin, text(row.raw.run), rank && rank.best, rank && rank.worst];
      for (const column of specs) {
        const value = column.of(row);
        line.push(finite(value) ? value : text(value));
      }
      for (const column of measured) {
        const cell = row.measured(column.id) || {};
        line.push(cell.value, cell.low, cell.high, cell.n);
      }
      lines.push(line.map(field).join(","));
    }
    return `${lines.join("\r\n")}\r\n`;
  }

  function json(cohort, columns, rows) {
    const ids = columns.filter((column) => !column.spec).map((column) => column.id);
    const some = (holder) => Object.fromEntries(ids.filter((id) => A.data.own(holder, id) !== undefined).map((id) => [id, holder[id]]));
    const shown = {
      schema: "assay.board.view/1",
      board: { name: text(A.app.board.raw.name), built: A.app.board.raw.built ?? null },
      cohort: { id: cohort.id, suite: cohort.raw.suite, hardware: cohort.raw.hardware, samples: cohort.raw.samples },
      columns: columns.filter((column) => !column.spec),
      rows: rows.map((row) => ({
        ...row.raw,
        cells: some(row.raw.cells),
        ranks: some(row.raw.ranks),
        about: Object.fromEntries(columns.filter((column) => column.spec).map((column) => [column.label, column.of(row) ?? null])),
      })),
    };
    return `${JSON.stringify(shown, null, 1)}\n`;
  }

  function save(kind) {
    const state = A.state.now();
    const { cohort } = A.app;
    const columns = A.select.columns(cohort, state);
    const rows = A.select.rows(cohort, state);
    const { column } = A.select.sorting(cohort, state);
    const ranked = column.spec || column.id === A.select.NAME ? cohort.headline : column;
    const body = kind === "csv" ? csv(cohort, columns, rows, ranked) : json(cohort, columns, rows);
    const type = kind === "csv" ? "text/csv;charset=utf-8" : "application/json";
    const address = URL.createObjectURL(new Blob([body], { type }));
    const name = `board-${cohort.id.replace(/[^\w.-]+/g, "-").slice(0, 60) || "cohort"}.${kind}`;
    const link = A.make.el("a", { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  A.exports = { csv, json, field, save };
})();
