"use strict";
// The board: loaded, checked, and indexed once.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const SCHEMA = "assay.board/1";
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const list = (value) => (Array.isArray(value) ? value : []);
  const objects = (value) => list(value).filter(isObject);
  const text = (value) => (typeof value === "string" ? value : "");
  // A board may name a column `constructor`: only its own members are members.
  const own = (holder, key) => (isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined);

  class Problem extends Error {
    constructor(title, says, todo) {
      super(title);
      this.says = says;
      this.todo = todo;
    }
  }

  const missing = (file, why) =>
    new Problem(
      `There is no ${file} here`,
      `The page looked for ${file} beside itself and found none (${why}).`,
      "Write it with: assay board build. Then put the whole site folder on the host, or open index.html from it.",
    );

  // Served, a board is fetched as data.  A page opened from a disk may fetch nothing, so there the same
  // bytes come as a script that sets one global.
  async function load() {
    if (location.protocol === "file:") {
      await new Promise((done) => {
        const script = document.createElement("script");
        script.src = "board.js";
        script.addEventListener("load", done);
        script.addEventListener("error", done);
        document.head.append(script);
      });
      if (globalThis.BOARD === undefined) throw missing("board.js", "opened from a disk");
      return globalThis.BOARD;
    }
    let answer = null;
    try {
      answer = await fetch("board.json", { cache: "no-cache" });
    } catch {
      throw missing("board.json", "the host did not answer");
    }
    if (!answer.ok) throw missing("board.json", `the host answered ${answer.status}`);
    try {
      return await answer.json();
    } catch {
      throw new Problem("board.json is not JSON", "The file is cut off or was edited by hand.", "Write it again with: assay board build.");
    }
  }

  function check(raw) {
    if (!isObject(raw)) {
      throw new Problem("This is not a board", "The file holds JSON, and not a board.", "Write it again with: assay board build.");
    }
    if (raw.schema !== SCHEMA) {
      throw new Problem(
        "This board is of another version",
        `It says ${raw.schema === undefined ? "no version" : JSON.stringify(raw.schema)}; this page reads "${SCHEMA}". Showing it could show wrong numbers, so nothing is shown.`,
        "Build the board and take the page from the same release of assay.",
      );
    }
    if (!Array.isArray(raw.cohorts) || !Array.isArray(raw.models)) {
      throw new Problem("The board is not whole", "It lacks its cohorts or its models.", "Write it again with: assay board build.");
    }
  }

  const NOBODY = Object.freeze({});

  function rowOf(raw, at, models, runs) {
    const model = models.get(raw.model) || NOBODY;
    const run = runs.get(raw.run) || null;
    const words = [raw.label, raw.system, raw.quantisation, model.name, model.family, model.hf_repo, model.architecture, model.licence];
    return {
      raw,
      at,
      id: text(raw.id),
      label: text(raw.label) || text(model.name) || text(raw.id),
      system: text(raw.system),
      quantisation: text(raw.quantisation),
      control: raw.control === true,
      origin: text(raw.origin) || "measured",
      standing: text(raw.standing) || null,
      model,
      run,
      words: words.map(text).join("\n").toLowerCase(),
      recomputed: run !== null && run.recomputed === true,
      signed: run !== null && isObject(run.signed),
      cell: (id) => own(raw.cells, id),
      // A cell that holds a number, or null.
      measured: (id) => {
        const cell = own(raw.cells, id);
        return isObject(cell) && A.numbers.finite(cell.value) ? cell : null;
      },
      rank: (id) => {
        const rank = own(raw.ranks, id);
        return isObject(rank) && A.numbers.finite(rank.best) && A.numbers.finite(rank.worst) ? rank : null;
      },
    };
  }

  function cohortOf(raw, models, runs) {
    const rows = objects(raw.rows).map((row, at) => rowOf(row, at, models, runs));
    const columns = objects(raw.columns).filter((column) => typeof column.id === "string");
    const cohort = {
      raw,
      id: text(raw.id),
      suite: isObject(raw.suite) ? raw.suite : {},
      hardware: isObject(raw.hardware) ? raw.hardware : {},
      columns,
      column: new Map(columns.map((column) => [column.id, column])),
      rows,
      row: new Map(rows.map((row) => [row.id, row])),
      shapes: new Map(),
      pairs: new Map(),
      ranked: new Map(),
    };
    cohort.headline = cohort.column.get(raw.headline) || columns[0] || null;
    return cohort;
  }

  // The shape of a column's numbers in its cohort, made when it is first wanted.
  function shapeOf(cohort, column) {
    if (!cohort.shapes.has(column.id)) {
      const cells = cohort.rows.map((row) => row.measured(column.id)).filter(Boolean);
      cohort.shapes.set(column.id, A.numbers.shape(column, cells));
    }
    return cohort.shapes.get(column.id);
  }

  // Dollars of two runs compare models only where both were reckoned with one table of prices.
  function pricedApart(row, other) {
    if (text(row.raw.run) === text(other.raw.run)) return false;
    return !(row.run && other.run && text(row.run.prices) === text(other.run.prices));
  }

  // The difference row - other on one column: paired where the board holds it, else MOVER, else null.
  function difference(cohort, column, row, other) {
    const a = row.measured(column.id);
    const b = other.measured(column.id);
    if (!a || !b || (column.unit === "usd" && pricedApart(row, other))) return null;
    if (!cohort.pairs.has(column.id)) {
      const kept = new Map();
      for (const pair of list(own(cohort.raw.pairs, column.id))) {
        if (Array.isArray(pair) && pair.slice(0, 5).every(A.numbers.finite)) kept.set(`${pair[0]} ${pair[1]}`, pair);
      }
      cohort.pairs.set(column.id, kept);
    }
    const pairs = cohort.pairs.get(column.id);
    const ahead = pairs.get(`${row.at} ${other.at}`);
    if (ahead) return { value: ahead[2], low: ahead[3], high: ahead[4], how: "paired" };
    const behind = pairs.get(`${other.at} ${row.at}`);
    if (behind) return { value: -behind[2], low: -behind[4], high: -behind[3], how: "paired" };
    return A.numbers.mover(a, b);
  }

  function index(raw) {
    const models = new Map(objects(raw.models).map((model) => [model.id, model]));
    const runs = new Map([...models.values()].flatMap((model) => objects(model.runs).map((run) => [run.seal, run])));
    const cohorts = objects(raw.cohorts).map((cohort) => cohortOf(cohort, models, runs));
    return {
      raw,
      models,
      cohorts,
      cohort: new Map(cohorts.map((cohort) => [cohort.id, cohort])),
      reported: objects(raw.reported),
      rowsOf: (id) => cohorts.flatMap((cohort) => cohort.rows.filter((row) => row.raw.model === id).map((row) => ({ cohort, row }))),
    };
  }

  A.data = { Problem, load, check, index, shapeOf, difference, list, objects, own, text, isObject };
})();
