"use strict";
// Which rows and columns are shown, and in which order.  Pure: a cohort and a state in, lists out.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { finite } = A.numbers;

  // What every row has without being measured.  No interval belongs to it.
  const SPECS = [
    { id: "~parameters", label: "parameters", group: "model", unit: "count", better: "none", spec: true, says: "Parameters that the model's card states.", of: (row) => row.model.parameters, write: A.numbers.parameters },
    { id: "~context", label: "context", group: "model", unit: "count", better: "none", spec: true, says: "Tokens that the model can read at once, as its card states.", of: (row) => row.model.context_length, write: (value) => (finite(value) ? A.numbers.whole.format(value) : "") },
    { id: "~licence", label: "licence", group: "model", unit: "", better: "none", spec: true, prose: true, says: "Terms of the weights, as submitted.", of: (row) => row.model.licence, write: A.data.text },
    { id: "~family", label: "family", group: "model", unit: "", better: "none", spec: true, prose: true, says: "Family of the model, as submitted.", of: (row) => row.model.family, write: A.data.text },
  ];
  const spec = new Map(SPECS.map((column) => [column.id, column]));
  const NAME = "~name";
  const SIZES = [
    ["under 100M", "", "100M"],
    ["100M to 500M", "100M", "500M"],
    ["500M to 1B", "500M", "1B"],
    ["1B to 3B", "1B", "3B"],
    ["over 3B", "3B", ""],
  ];
  const EVIDENCE = {
    recomputed: ["recomputed", (row) => row.recomputed],
    signed: ["signed", (row) => row.signed],
    both: ["recomputed and signed", (row) => row.recomputed && row.signed],
    neither: ["neither", (row) => !row.recomputed && !row.signed],
  };

  const allColumns = (cohort) => [...SPECS, ...cohort.columns];
  const columnOf = (cohort, id) => cohort.column.get(id) || spec.get(id) || null;

  // At first: the headline, what the front is drawn from, and the first of each group, eight in all.
  function firstColumns(cohort) {
    const front = A.data.list(cohort.raw.front && cohort.raw.front.objectives);
    const ids = [cohort.headline && cohort.headline.id, ...front];
    const groups = new Set();
    for (const id of ids) if (cohort.column.has(id)) groups.add(cohort.column.get(id).group);
    for (const column of cohort.columns) {
      if (groups.has(column.group)) continue;
      groups.add(column.group);
      ids.push(column.id);
    }
    for (const column of cohort.columns) ids.push(column.id);
    const shown = [...new Set(ids)].filter((id) => cohort.column.has(id)).slice(0, 8);
    return shown.length ? shown : SPECS.map((column) => column.id);
  }

  function columns(cohort, state) {
    const wanted = state.columns || firstColumns(cohort);
    return wanted.map((id) => columnOf(cohort, id)).filter(Boolean);
  }

  function sorting(cohort, state) {
    const named = state.sort === NAME ? { id: NAME, prose: true, better: "none" } : columnOf(cohort, state.sort);
    const column = named || cohort.headline || SPECS[0];
    const first = column.prose || column.better === "lower" ? "asc" : "desc";
    const dir = state.dir === "asc" || state.dir === "desc" ? state.dir : first;
    return { column, dir, first };
  }

  function keyOf(row, column) {
    if (column.id === NAME) return row.label.toLowerCase();
    if (column.spec) {
      const value = column.of(row);
      if (column.prose) return A.data.text(value).toLowerCase() || null;
      return finite(value) ? value : null;
    }
    const cell = row.measured(column.id);
    return cell ? cell.value : null;
  }

  function tests(state) {
    const asked = [];
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) asked.push((row) => words.every((word) => row.words.includes(word)));
    if (state.category) asked.push((row) => A.data.list(row.model.categories).includes(state.category));
    if (state.quantisation) asked.push((row) => row.quantisation === state.quantisation);
    if (state.licence) asked.push((row) => row.model.licence === state.licence);
    const low = A.numbers.readParameters(state.min);
    const high = A.numbers.readParameters(state.max);
    if (low !== null) asked.push((row) => finite(row.model.parameters) && row.model.parameters >= low);
    if (high !== null) asked.push((row) => finite(row.model.parameters) && row.model.parameters <= high);
    if (Object.hasOwn(EVIDENCE, state.evidence)) asked.push(EVIDENCE[state.evidence][1]);
    return asked;
  }

  // The rows that pass every filter, sorted; what is not measured stands last either way.
  function rows(cohort, state) {
    const asked = tests(state);
    const { column, dir } = sorting(cohort, state);
    const sign = dir === "asc" ? 1 : -1;
    const kept = [];
    for (const row of cohort.rows) {
      if (asked.every((test) => test(row))) kept.push({ row, key: keyOf(row, column) });
    }
    kept.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.row.at - b.row.at;
      return a.key === b.key ? a.row.at - b.row.at : sign * (a.key < b.key ? -1 : 1);
    });
    return kept.map((one) => one.row);
  }

  // What the rows of a cohort can be filtered by.
  function facets(cohort) {
    const distinct = (values) => [...new Set(values.filter((value) => typeof value === "string" && value))].sort((a, b) => (a < b ? -1 : 1));
    return {
      category: distinct(cohort.rows.flatMap((row) => A.data.list(row.model.categories))),
      quantisation: distinct(cohort.rows.map((row) => row.quantisation)),
      licence: distinct(cohort.rows.map((row) => row.model.licence)),
    };
  }

  const FILTERS = ["q", "category", "quantisation", "licence", "min", "max", "evidence"];
  const isFiltered = (state) => FILTERS.some((word) => state[word]);
  const unfiltered = () => ({ ...Object.fromEntries(FILTERS.map((word) => [word, ""])), page: 0 });

  A.select = { SPECS, NAME, SIZES, EVIDENCE, allColumns, columnOf, firstColumns, columns, sorting, rows, facets, isFiltered, unfiltered };
})();
